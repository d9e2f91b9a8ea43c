#!/usr/bin/env bash
# Runs an MPI program on several hosts that are all this machine: each is a network namespace with a hostname of its own, so
# that Open MPI takes them for different nodes, and a cable to one switch, whose counters show what went between them.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: hosts.sh <hosts, 2 to 8> <ranks per host> [mpirun options --] <command...>

Ends as mpirun does, after a line "hosts: <bytes> bytes between hosts"; with 77 and the reason where it cannot run, and
with 124 if the run took longer than HOSTS_TIMEOUT seconds (120). Needs root, iproute2 and Open MPI 4.
TEXT
}

# Names hold the PID of the script that made them, so that runs side by side do not meet.
family=normhosts

# The interface of every host, by the same name: each is alone in its namespace.
uplink=uplink

# skip <reason>: 77 is what Automake calls a skipped test, and CTest by SKIP_RETURN_CODE.
skip() {
    printf 'hosts.sh: cannot run here: %s\n' "$*" >&2
    exit 77
}

have() { command -v "$1" >/dev/null 2>&1; }

namespace() { printf '%s-%d-%s\n' "$family" "$run" "$1"; }

# scratch <run>: in a directory that only root can write to, and so the name may be foreseeable.
scratch() { printf '/run/%s-%d\n' "$family" "$1"; }

# ---- On a host ----

# on_host <run> <number> <command...>: becomes the command there. "ip netns exec" also shows it that host's /sys.
on_host() {
    run=$1
    # shellcheck disable=SC2016 # The inner shell shall expand these.
    exec ip netns exec "$(namespace "$2")" unshare --uts -- \
        bash -c 'printf "%s\n" "host$1" >/proc/sys/kernel/hostname && shift && exec "$@"' bash "${@:2}"
}

# enter <address> <shell command...>: what Open MPI calls in place of ssh. The last number of an address is the host's, and
# the environment comes along by itself.
enter() { on_host "$HOSTS_RUN" "${1##*.}" sh -c "${*:2}"; }

# ---- Set-up and removal ----

check_system() {
    ((EUID == 0)) || skip "needs root"
    local command
    for command in ip unshare timeout mpirun; do have "$command" || skip "there is no $command"; done
    # MPICH and later versions of Open MPI spell the options otherwise.
    [[ $(mpirun --version 2>&1) =~ \(Open\ MPI\)\ 4\. ]] || skip "mpirun is not of Open MPI 4"
}

# The hosts see none of this machine's networks, but an address in a message should still mean one thing only.
choose_subnet() {
    local third routes
    for third in {64..127}; do
        subnet=10.213.$third
        routes=$(ip -4 route show root "$subnet.0/24" && ip -4 route show match "$subnet.0/24") || skip "ip does not show routes"
        grep -qvE '^(default .*)?$' <<<"$routes" || return 0
    done
    skip "there is no free subnet in 10.213.64.0/18"
}

# add_host <number>
add_host() {
    local name
    name=$(namespace "$1")
    ip netns add "$name" &&
        ip -n "$switch" link add "port$1" type veth peer name "$uplink" netns "$name" &&
        ip -n "$switch" link set "port$1" master bridge up &&
        ip -n "$name" address add "$subnet.$1/24" dev "$uplink" &&
        ip -n "$name" link set lo up &&
        ip -n "$name" link set "$uplink" up
}

# The switch has a namespace too: then nothing is left in the machine's own, and its packet filters have no say.
add_switch() {
    ip netns add "$switch" && ip -n "$switch" link add bridge type bridge && ip -n "$switch" link set bridge up
}

add_hosts() {
    local number
    add_switch || return
    for ((number = 1; number <= hosts; number++)); do add_host "$number" || return; done
    # By another mechanism than the network, and so it may be refused where the network was not.
    (on_host "$run" 1 true)
}

# remove_run <run>: the files, and the namespaces with all that is still running in them; the interfaces go with those.
remove_run() {
    local run=$1 name pids _
    for name in $(ip netns list 2>/dev/null | grep -oE "^$family-$run-[a-z0-9]+" || true); do
        # A process may start another while it is being killed.
        for _ in {1..20}; do
            pids=$(ip netns pids "$name" 2>/dev/null || true)
            [[ -n $pids ]] || break
            # shellcheck disable=SC2086 # These are many words.
            kill -KILL $pids 2>/dev/null || true
            sleep 0.1
        done
        ip netns delete "$name" || true
    done
    rm -rf "$(scratch "$run")"
}

# What runs left that were themselves killed, and so could not remove it (as by CTest, at a test's timeout).
remove_orphans() {
    local orphan
    for orphan in $(ip netns list 2>/dev/null | sed -nE "s/^$family-([0-9]+)-.*/\1/p" | sort -u); do
        [[ -e /proc/$orphan ]] || remove_run "$orphan"
    done
}

# On every way out. mpirun is asked first, since it also removes its files and says what became of the ranks.
clean_up() {
    trap '' INT TERM HUP
    if [[ -n ${job:-} ]] && kill -TERM "$job" 2>/dev/null; then
        local _
        for _ in {1..50}; do
            kill -0 "$job" 2>/dev/null || break
            sleep 0.1
        done
    fi
    remove_run "$run"
}

# ---- The run ----

# The bytes that all hosts have sent; what one has sent another has received.
bytes_sent() {
    local number sum=0
    for ((number = 1; number <= hosts; number++)); do
        sum=$((sum + $(ip netns exec "$(namespace "$number")" cat "/sys/class/net/$uplink/statistics/tx_bytes")))
    done
    printf '%d\n' "$sum"
}

# Settings go by the environment, where an option given to this script overrides them.
configure_mpi() {
    local scratch
    scratch=$(scratch "$run")
    mkdir -m 700 "$scratch"
    export HOSTS_RUN=$run
    # A link, because Open MPI would split a path at its spaces.
    ln -s "$(realpath "${BASH_SOURCE[0]}")" "$scratch/enter"
    export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="$scratch/enter"
    export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include="$subnet.0/24" OMPI_MCA_oob_tcp_if_include="$subnet.0/24"
    # Files of Open MPI that a killed run would leave are removed with this directory.
    export OMPI_MCA_orte_tmpdir_base="$scratch"
    # The hosts share this machine's processors and do not know it of each other.
    export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
}

# host_list: for mpirun, "address:ranks,address:ranks"
host_list() {
    local number list=
    for ((number = 1; number <= hosts; number++)); do list+=",$subnet.$number:$ranks"; done
    printf '%s\n' "${list#,}"
}

main() {
    [[ ${1:-} =~ ^[2-8]$ && ${2:-} =~ ^[1-9][0-9]{0,2}$ && $# -ge 3 ]] || {
        usage >&2
        exit 2
    }
    hosts=$1 ranks=$2 run=$$
    shift 2
    local options=() status=0 before seconds=${HOSTS_TIMEOUT:-120}
    # A command may have a "--" of its own.
    if [[ $1 == -* ]]; then
        while (($# > 0)) && [[ $1 != -- ]]; do
            options+=("$1")
            shift
        done
        (($# > 1)) || {
            usage >&2
            exit 2
        }
        shift
    fi

    check_system
    remove_orphans
    choose_subnet
    switch=$(namespace switch)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    local refusal
    refusal=$(add_hosts 2>&1) || skip "namespaces are refused: ${refusal//$'\n'/; }"
    configure_mpi
    before=$(bytes_sent)
    # In the background, because bash minds a signal only when it does not wait for a command in the foreground.
    timeout -k 10 "$seconds" "${BASH_SOURCE[0]}" --on-host "$run" 1 mpirun --allow-run-as-root -np $((hosts * ranks)) \
        --host "$(host_list)" ${options[@]+"${options[@]}"} "$@" &
    job=$!
    wait "$job" || status=$?
    job=
    ((status != 124)) || printf 'hosts.sh: stopped after %s seconds\n' "$seconds" >&2
    printf 'hosts: %d bytes between hosts\n' $(($(bytes_sent) - before))
    exit "$status"
}

if [[ ${0##*/} == enter ]]; then
    enter "$@"
elif [[ ${1:-} == --on-host ]]; then
    on_host "${@:2}"
else
    main "$@"
fi
