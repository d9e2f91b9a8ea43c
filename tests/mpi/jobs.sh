#!/usr/bin/env bash
# The parts of build.sh that start programs in several processes. It reads this file, and has what is called here.

mpi_sample=managed/samples/DataParallel
rank_benchmark=tests/benchmarks/NormInterop.RankBench

# choose_launch: what starts a program in several processes, in the array launch.
choose_launch() {
    launch=(mpirun)
    is_open_mpi || return 0
    ((EUID != 0)) || launch+=(--allow-run-as-root)
    # Open MPI counts cores, and would refuse more ranks than that.
    launch+=(--oversubscribe)
}

is_open_mpi() { [[ $(mpirun --version 2>&1) == *"Open MPI"* ]]; }

# Not by "dotnet run", which would build in every process.
demo_mpi() {
    local ranks=${NORMINTEROP_RANKS:-4} launch
    if ! [[ $ranks =~ ^[1-9][0-9]?$ ]]; then
        printf "NORMINTEROP_RANKS must be a whole number from 1 to 99, not '%s'.\n" "$ranks" >&2
        exit 2
    fi
    set_up_dotnet
    set_up_native
    set_up_mpi
    build_native release norminterop norminterop_mpi
    step "Building the sample"
    dotnet build "$mpi_sample" -c Release --nologo -v quiet
    choose_launch
    step "Running the demo in $ranks processes"
    "${launch[@]}" -np "$ranks" dotnet "$mpi_sample/bin/Release/net10.0/NormInterop.Samples.DataParallel.dll" "$@"
}

# bench_mpi [--quick]: on this host, and on hosts that are all this machine. Every job writes its medians for the model.
bench_mpi() {
    local program="$rank_benchmark/bin/Release/net10.0/NormInterop.RankBench.dll" launch ranks status results=build/bench/ranks
    if (($# > 1)) || [[ ${1:---quick} != --quick ]]; then
        printf 'build.sh bench --mpi takes no arguments but --quick.\n' >&2
        exit 2
    fi
    set_up_mpi
    build_native release norminterop norminterop_mpi
    step "Building the benchmark"
    dotnet build "$rank_benchmark" -c Release --nologo -v quiet
    choose_launch
    # A rank that is tied to a processor stays behind whoever else comes to run there.
    ! is_open_mpi || launch+=(--bind-to none)
    rm -rf "$results"
    mkdir -p "$results"
    for ranks in 2 4; do
        step "$ranks processes"
        "${launch[@]}" -np "$ranks" dotnet "$program" "$@" --link memory --results "$results/memory-$ranks.tsv"
    done
    for ranks in 2 4; do
        step "$ranks hosts of one process each"
        status=0
        HOSTS_TIMEOUT=300 tests/mpi/hosts.sh "$ranks" 1 dotnet "$program" "$@" --link TCP --results "$results/tcp-$ranks.tsv" || status=$?
        # hosts.sh has said why it cannot run here.
        ((status == 0 || status == 77)) || exit "$status"
        ((status == 0)) || { echo "Left out: several hosts" && break; }
    done
    step "Model"
    "${launch[@]}" -np 1 dotnet "$program" "$@" --model "$results"/*.tsv
}
