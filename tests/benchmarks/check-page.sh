#!/usr/bin/env bash
# Loads the page of the benchmark in a browser without a screen and fails if its script does, if anything is loaded from
# elsewhere, or if charts are missing.
#
#   tests/benchmarks/check-page.sh [page] [picture]
#
# page: build/bench/bench.html by default. picture: a PNG file to write, of the upper part. BROWSER names a Chromium.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
page=$(realpath "${1:-$root/build/bench/bench.html}")
picture=${2:-}

die() {
    printf '%s: %s\n' "$page" "$*" >&2
    exit 1
}

browser=${BROWSER:-}
for name in chromium chromium-browser google-chrome; do
    [[ -n $browser ]] || browser=$(command -v "$name" || true)
done
[[ -n $browser ]] || die "no Chromium found to load it with (Debian: chromium)"
[[ -f $page ]] || die "is not there; ./build.sh bench writes it"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
load() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$scratch/profile" \
        --enable-logging=stderr "$@" "file://$page" 2>"$scratch/log"
}

# attribute <name>: of the body as the script left it.
attribute() { grep -oE "<body [^>]*" "$scratch/dom" | grep -oE "data-$1=\"[0-9]+\"" | grep -oE '[0-9]+' || true; }

load --dump-dom >"$scratch/dom" || die "the browser failed: $(tail -n 3 "$scratch/log")"
if grep -E 'CONSOLE' "$scratch/log" >&2; then die "the page has errors, see above"; fi
if grep -oE '(src|href)="(https?:)?//[^"]*"' "$scratch/dom" >&2; then die "the page loads something from elsewhere, see above"; fi

expected=$(attribute charts) rows=$(attribute rows) found=$(attribute found)
charts=$(grep -oE '<figure class="chart"' "$scratch/dom" | wc -l)
drawn=$(grep -oE '<svg viewBox="[^"]*" role="img"' "$scratch/dom" | wc -l)
[[ -n $found ]] || die "its script did not come to its end"
((expected > 0 && charts == expected && drawn == expected)) || die "$expected charts expected, $charts found, $drawn drawn"
((found == rows)) || die "$rows cases expected in the charts, $found found"
if grep -qE '(NaN|Infinity)' <(grep -oE '<svg.*</svg>' "$scratch/dom"); then die "a chart has numbers that are none"; fi

if [[ -n $picture ]]; then load --screenshot="$(realpath "$picture")" --window-size=1240,1800 >/dev/null; fi
printf '%s: %d charts with %d cases, no errors\n' "$page" "$charts" "$found"
