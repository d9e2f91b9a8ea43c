#!/usr/bin/env bash
# Everything a contributor does, by one name each. build.ps1 has the same verbs; what they do is written once, in
# CMakePresets.json and NormInterop.sln, and both scripts only call it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Nothing here depends on a culture, and so the .NET SDK can do without ICU, which small systems do not have.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

sample=managed/samples/Digits/NormInterop.Samples.Digits.csproj
tests=tests/NormInterop.Tests/NormInterop.Tests.csproj
benchmarks=tests/benchmarks/NormInterop.Benchmarks/NormInterop.Benchmarks.csproj
peer_benchmark=tests/benchmarks/NormInterop.PeerBench/NormInterop.PeerBench.csproj
results="$PWD/build/test-results"
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)

source tests/mpi/jobs.sh

usage() {
    cat <<'TEXT'
Usage: ./build.sh <verb> [arguments]

  demo       build what is needed and train on the digits; arguments go to the sample
             demo --mpi: in 4 processes, or as many as NORMINTEROP_RANKS says, with SyncBatchNorm and without
  test       build everything and run every test, native and managed; where there is no MPI and none can be installed,
             the tests that need one are skipped
  bench      time the layers beside libtorch, oneDNN and the machine's limit (--quick, --help: arguments go to the
             program); bench --dotnet: beside plain C#, by BenchmarkDotNet (arguments go to it);
             bench --mpi: what SyncBatchNorm's messages cost 2 and 4 processes and hosts, and a model of more (--quick)
  build      build the native library, the packages and the programs
  bindings   generate the P/Invoke layer anew from the C headers
  sanitize   run the native tests under the address and undefined behavior sanitizers
  test-arm64 compile for AArch64 and run the native tests under QEMU (on Linux)
  pack       make the NuGet package in artifacts/
  clean      remove everything that was built
TEXT
}

step() { printf '\n== %s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# quietly <log> <command...>: the output matters only if the command fails.
quietly() {
    local log="build/logs/$1.log"
    shift
    mkdir -p build/logs
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        die "Failed: $*"
    fi
}

# ---- Set-up: looks for commands and files only, so that a ready machine never meets a package manager. ----

# The compiler that CMake will take.
compiler() { command -v "${CXX:-c++}" || command -v g++ || command -v clang++; }

have_googletest() { printf '#include <gtest/gtest.h>\n' | "$(compiler)" -E -x c++ - >/dev/null 2>&1; }

have_libtorch() { printf '#include <ATen/Version.h>\n' | "$(compiler)" -E -x c++ - >/dev/null 2>&1; }

# For the compiler that CMake will take for MPI.
have_mpi_header() { printf '#include <mpi.h>\n' | mpicc -E -x c - >/dev/null 2>&1; }

have_onednn() { printf '#include <dnnl.hpp>\n' | "$(compiler)" -E -x c++ - >/dev/null 2>&1; }

# install <packages...>: by their Debian names, which say well enough elsewhere what is missing.
install() {
    (($# > 0)) || return 0
    local command=(apt-get install -y --no-install-recommends "$@")
    have apt-get || die "Missing: $* (Debian's names). Install them with this system's package manager, then run this again."
    ((EUID == 0)) || die "Missing: $*. Install with: sudo ${command[*]}"
    step "Installing: $* with: ${command[*]}"
    quietly apt-update apt-get update
    DEBIAN_FRONTEND=noninteractive quietly apt-install "${command[@]}"
}

# set_up_native [googletest]
set_up_native() {
    local missing=()
    compiler >/dev/null || missing+=(g++)
    have cmake || missing+=(cmake)
    [[ -n ${CMAKE_GENERATOR:-} ]] || have make || missing+=(make)
    [[ ${1:-} != googletest ]] || have_googletest || missing+=(libgtest-dev)
    install ${missing[@]+"${missing[@]}"}
}

# The compiler for AArch64, what runs its programs here, and the sources of GoogleTest, which is compiled with it.
set_up_arm64() {
    local missing=()
    have aarch64-linux-gnu-g++ || missing+=(g++-aarch64-linux-gnu)
    have qemu-aarch64 || missing+=(qemu-user)
    [[ -f /usr/src/googletest/CMakeLists.txt ]] || missing+=(googletest)
    install ${missing[@]+"${missing[@]}"}
}

# What the benchmark times beside the library. It does without one that cannot be had, and says so.
set_up_peers() {
    have_libtorch || (install libtorch-dev) || echo "Left out: libtorch"
    have_onednn || (install libdnnl-dev) || echo "Left out: oneDNN"
}

# What starts programs in several processes, and what the library for MPI is compiled with.
set_up_mpi() {
    local missing=()
    have mpirun || missing+=(openmpi-bin)
    have_mpi_header || missing+=(libopenmpi-dev)
    install ${missing[@]+"${missing[@]}"}
}

# global.json says which SDK; asking for the version fails when there is none that fits.
set_up_dotnet() {
    local answer advice="Missing: the .NET SDK 10. Get it from https://dot.net, then run this again."
    have dotnet || die "$advice"
    answer=$(dotnet --version 2>&1) || die "$answer"$'\n'"$advice"
}

# ---- Building ----

# Whether to build what the benchmark times beside the library.
with_peers=OFF

# configure <preset>: the tests are left out only where GoogleTest is not installed, which they alone need. The library for MPI
# is left out by CMake itself where it finds no MPI, and looks again the next time; but one without its headers stops it.
configure() {
    local with_tests=ON with_mpi=ON
    [[ $1 == arm64 ]] || have_googletest || with_tests=OFF
    ! have mpicc || have_mpi_header || with_mpi=OFF
    [[ $1 != arm64 ]] || with_mpi=OFF # the MPI here is this machine's
    step "Configuring the native build ($1)"
    quietly "configure-$1" cmake --preset "$1" -DNORMINTEROP_BUILD_TESTS=$with_tests -DNORMINTEROP_BUILD_PEERS=$with_peers \
        -DNORMINTEROP_BUILD_MPI=$with_mpi
}

# build_native <preset> [target...]
build_native() {
    local preset=$1
    shift
    configure "$preset"
    step "Building the native library ($preset)"
    cmake --build --preset "$preset" --parallel "$jobs" ${1+--target "$@"}
}

build_managed() {
    step "Building the managed projects"
    dotnet build NormInterop.sln -c Release --nologo -v minimal
}

# ---- Testing ----

passed=0 failed=0 skipped=0

# outcomes <reports...>: one line "outcome <tab> test <tab> reason" for every test of CTest's or GoogleTest's JUnit or
# VSTest's trx reports. A shard of a program is a test to CTest, but not here: the program itself reports its tests.
outcomes() {
    awk '
        function plain(text) {
            gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "\047", text)
            gsub(/&#x[0-9A-Fa-f]+;|[\t\r]/, " ", text); gsub(/&amp;/, "\\&", text)
            gsub(/  +/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
            return text
        }
        function attribute(key) {
            if (!match($0, " " key "=\"[^\"]*\"")) return ""
            return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4)
        }
        function flush_test() {
            if (name != "" && name !~ /\.shard-[0-9]+-of-[0-9]+$/) print outcome "\t" plain(name) "\t" plain(reason)
            name = reason = ""; in_reason = 0
        }
        /<testcase / {
            flush_test(); name = attribute("name"); status = attribute("status")
            outcome = status == "run" ? "passed" : status == "notrun" || status == "disabled" ? "skipped" : "failed"
            if (status == "disabled") reason = "disabled"
            if ((result = attribute("result")) != "") name = attribute("classname") "." name
            if (result == "skipped") outcome = result
        }
        /<UnitTestResult / {
            flush_test(); name = attribute("testName"); status = attribute("outcome")
            outcome = status == "Passed" ? "passed" : status == "NotExecuted" || status == "Inconclusive" ? "skipped" : "failed"
        }
        /<failure / { outcome = "failed" }
        # GoogleTest: the lines between "file:line: Skipped" and the closing mark; CTest itself only says that there was a mark.
        /^\[  SKIPPED \]/ { in_reason = 0 }
        in_reason { reason = reason " " $0; if (sub(/<\/Message>.*/, "", reason)) in_reason = 0 }
        outcome == "skipped" && /: Skipped$/ { in_reason = 1 }
        /<skipped message=/ && !/SKIP_REGULAR_EXPRESSION_MATCHED/ { reason = attribute("message") }
        outcome == "skipped" && /<Message>/ {
            reason = $0; sub(/.*<Message>/, "", reason); in_reason = !sub(/<\/Message>.*/, "", reason)
        }
        END { flush_test() }' "$@"
}

# count <suite> <status> <reports...>: adds a suite to the sum. One that ran nothing, or that failed without a failed test
# (a crash, say), counts as a failure: otherwise the closing line would look better than the truth.
count() {
    local suite=$1 status=$2 report reports=() outcome name reason
    local suite_passed=0 suite_failed=0 suite_skipped=0
    for report in "${@:3}"; do [[ ! -f $report ]] || reports+=("$report"); done
    if ((${#reports[@]} > 0)); then
        while IFS=$'\t' read -r outcome name reason; do
            case $outcome in
                passed) suite_passed=$((suite_passed + 1)) ;;
                failed) suite_failed=$((suite_failed + 1)) ;;
                *)
                    suite_skipped=$((suite_skipped + 1))
                    printf 'Skipped: %s: %s\n' "$name" "${reason:-no reason given}"
                    ;;
            esac
        done < <(outcomes "${reports[@]}")
    fi
    if ((suite_passed + suite_failed == 0)); then
        printf 'The %s suite ran no test; this counts as a failure.\n' "$suite"
        suite_failed=1
    elif ((status != 0 && suite_failed == 0)); then
        printf 'The %s suite ended with status %d though no test failed; this counts as a failure.\n' "$suite" "$status"
        suite_failed=1
    fi
    passed=$((passed + suite_passed)) failed=$((failed + suite_failed)) skipped=$((skipped + suite_skipped))
}

# close_tests <status>: the closing line, also when a build error or an interrupt came in between.
close_tests() {
    (($1 == 0 || failed > 0)) || failed=1
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0)) || exit 1
}

# A terminal gets CTest's single line of progress; a log gets what failed or was skipped and the sum.
run_ctest() {
    if [[ -t 1 ]]; then
        ctest "$@" --progress
    else
        ctest "$@" | { grep -vE '^ +Start +[0-9]+: | Passed +[0-9.]+ sec$' || true; }
    fi
}

# test_native <preset>
test_native() {
    local report="$results/native-$1.xml" shards="build/$1/shards" status=0 which=()
    mkdir -p "$results"
    rm -rf "$report" "$shards"
    step "Native tests ($1)"
    # Minutes that would only repeat what a run without the variable has shown.
    if [[ -n ${NORMINTEROP_ISA:-} ]]; then
        echo "Left to a run without NORMINTEROP_ISA: the kernel tests, which go through every set of kernels anyway."
        which=(--label-exclude every-isa)
    fi
    # A reason for skipping may stand far down in a test's output, which CTest would cut.
    run_ctest --preset "$1" ${which[@]+"${which[@]}"} --parallel "$jobs" --output-on-failure --output-junit "$report" --test-output-size-passed 1000000 ||
        status=$?
    count native "$status" "$report" "$shards"/*.xml
}

test_managed() {
    local report="$results/managed.trx" status=0 which=()
    rm -f "$report"
    step "Managed tests"
    if [[ -n ${NORMINTEROP_ISA:-} ]]; then
        echo "Left to a run without NORMINTEROP_ISA: tests that go through every set of kernels anyway, or are about ranks."
        which=(--filter "TestCategory!=Once")
    fi
    dotnet test "$tests" -c Release --no-build --nologo ${which[@]+"${which[@]}"} --results-directory "$results" \
        --logger "trx;LogFileName=managed.trx" --logger "console;verbosity=minimal" || status=$?
    count managed "$status" "$report"
}

# ---- Verbs ----

no_arguments() {
    (($# == 1)) && return
    printf 'build.sh %s takes no arguments.\n' "$1" >&2
    exit 2
}

verb_demo() {
    if [[ ${1:-} == --mpi ]]; then
        demo_mpi "${@:2}"
        return
    fi
    set_up_dotnet
    set_up_native
    build_native release norminterop
    step "Running the demo"
    dotnet run --project "$sample" -c Release -- "$@"
}

verb_test() {
    no_arguments test "$@"
    set_up_dotnet
    set_up_native googletest
    (set_up_mpi) || echo "Left out: MPI. The tests that need it say so."
    trap 'close_tests $?' EXIT
    [[ -z ${NORMINTEROP_ISA:-} ]] || step "NORMINTEROP_ISA=$NORMINTEROP_ISA: testing with these kernels only"
    build_native release
    build_managed
    test_native release
    test_managed
}

verb_bench() {
    set_up_dotnet
    set_up_native
    if [[ ${1:-} == --mpi ]]; then
        bench_mpi "${@:2}"
        return
    fi
    if [[ ${1:-} == --dotnet ]]; then
        shift
        # Without a filter BenchmarkDotNet would ask on the terminal which benchmarks to run.
        [[ " $* " =~ \ (--filter|-f)[\ =] ]] || set -- --filter '*' "$@"
        build_native release norminterop
        step "Benchmarks"
        dotnet run --project "$benchmarks" -c Release -- "$@"
        return
    fi
    set_up_peers
    with_peers=ON
    # The peers' idle threads look for work for milliseconds, on processors that others have their turn on by then. This is
    # as long as ours do.
    export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-2000}"
    build_native release norminterop peers
    step "Benchmark beside the peers"
    dotnet run --project "$peer_benchmark" -c Release -- "$@"
}

verb_build() {
    no_arguments build "$@"
    set_up_dotnet
    set_up_native
    build_native release
    build_managed
}

verb_bindings() {
    no_arguments bindings "$@"
    set_up_dotnet
    step "Generating the bindings"
    dotnet run --project bindings/generator -c Release
}

verb_sanitize() {
    no_arguments sanitize "$@"
    set_up_native googletest
    trap 'close_tests $?' EXIT
    build_native sanitize
    test_native sanitize
}

verb_test_arm64() {
    no_arguments test-arm64 "$@"
    set_up_native
    set_up_arm64
    trap 'close_tests $?' EXIT
    build_native arm64
    test_native arm64
}

verb_pack() {
    no_arguments pack "$@"
    set_up_dotnet
    set_up_native
    build_native release norminterop
    step "Packing"
    dotnet pack managed/NormInterop -c Release -o artifacts --nologo
}

verb_clean() {
    no_arguments clean "$@"
    rm -rf build artifacts
    local project
    find bindings managed tests -name '*.csproj' | while IFS= read -r project; do
        project=${project%/*}
        rm -rf "${project:?}/bin" "${project:?}/obj"
    done
}

case ${1:-help} in
    demo | test | bench | build | bindings | sanitize | test-arm64 | pack | clean) "verb_${1//-/_}" "${@:2}" ;;
    help | -h | --help) usage ;;
    *)
        printf 'Unknown verb: %s\n\n' "$1" >&2
        usage >&2
        exit 2
        ;;
esac
