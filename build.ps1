#requires -Version 7
# Everything a contributor does, by one name each: the verbs of build.sh, for Windows. Elsewhere this calls build.sh.
# No param block: PowerShell would take the arguments meant for the sample or for BenchmarkDotNet as its own.

if (-not $IsWindows) {
    & bash "$PSScriptRoot/build.sh" @args
    exit $LASTEXITCODE
}

$ErrorActionPreference = 'Stop'
$env:DOTNET_NOLOGO = '1'
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'

# The kernels are written for GCC and Clang. Without these CMake would take Visual Studio's compiler, if there is one.
if (-not $env:CXX) { $env:CC = 'gcc'; $env:CXX = 'g++' }
if (-not $env:CMAKE_GENERATOR) { $env:CMAKE_GENERATOR = 'Ninja' }

$Sample = 'managed/samples/Digits/NormInterop.Samples.Digits.csproj'
$MpiSample = 'managed/samples/DataParallel'
$Tests = 'tests/NormInterop.Tests/NormInterop.Tests.csproj'
$Benchmarks = 'tests/benchmarks/NormInterop.Benchmarks/NormInterop.Benchmarks.csproj'
$PeerBenchmark = 'tests/benchmarks/NormInterop.PeerBench/NormInterop.PeerBench.csproj'
$RankBenchmark = 'tests/benchmarks/NormInterop.RankBench'
$Results = Join-Path $PSScriptRoot 'build/test-results'
$Jobs = [Environment]::ProcessorCount

$Usage = @'
Usage: ./build.ps1 <verb> [arguments]

  demo       build what is needed and train on the digits; arguments go to the sample
             demo --mpi: in 4 processes, or as many as NORMINTEROP_RANKS says, with SyncBatchNorm and without
  test       build everything and run every test, native and managed
  bench      time the layers beside libtorch, oneDNN and the machine's limit (--quick, --help: arguments go to the
             program); bench --dotnet: beside plain C#, by BenchmarkDotNet (arguments go to it);
             bench --mpi: what SyncBatchNorm's messages cost 2 and 4 processes, and a model of more (--quick)
  build      build the native library, the packages and the programs
  bindings   generate the P/Invoke layer anew from the C headers
  sanitize   run the native tests under the address and undefined behavior sanitizers
  pack       make the NuGet package in artifacts/
  clean      remove everything that was built
'@

function Write-Step([string] $Text) { Write-Host "`n== $Text" }

# PowerShell itself goes on after a program that failed.
function Assert-Success([string] $What) {
    if ($LASTEXITCODE -ne 0) { throw "Failed: $What" }
}

# ---- Set-up: nothing is installed here, but what is missing is named together with where it comes from. ----

function Assert-Native {
    $missing = @($env:CXX, 'cmake', 'ninja' | Where-Object { -not (Get-Command $_ -ErrorAction Ignore) })
    if ($missing.Count -eq 0) { return }
    throw @"
Missing: $($missing -join ', '). One way to get everything that the native build and its tests need:
  winget install MSYS2.MSYS2
  C:\msys64\usr\bin\pacman -S --needed mingw-w64-ucrt-x86_64-gcc mingw-w64-ucrt-x86_64-gtest
  C:\msys64\usr\bin\pacman -S --needed mingw-w64-ucrt-x86_64-cmake mingw-w64-ucrt-x86_64-ninja
Then put C:\msys64\ucrt64\bin on the PATH and run this again.
"@
}

# global.json says which SDK; asking for the version fails when there is none that fits.
function Assert-DotNet {
    if (Get-Command dotnet -ErrorAction Ignore) {
        & dotnet --version *> $null
        if ($LASTEXITCODE -eq 0) { return }
    }
    throw 'Missing: the .NET SDK 10. Get it with: winget install Microsoft.DotNet.SDK.10 (or from https://dot.net), then run this again.'
}

# ---- Building ----

# The tests alone need GoogleTest, so that only the verbs that run them ask for it; the peers are for the benchmark.
function Build-Native([string] $Preset, [string] $WithTests, [string] $WithPeers = 'OFF') {
    Write-Step "Configuring the native build ($Preset)"
    & cmake --preset $Preset "-DNORMINTEROP_BUILD_TESTS=$WithTests" "-DNORMINTEROP_BUILD_PEERS=$WithPeers" '--log-level=WARNING'
    Assert-Success "cmake --preset $Preset"
    Write-Step "Building the native library ($Preset)"
    & cmake --build --preset $Preset --parallel $Jobs
    Assert-Success "cmake --build --preset $Preset"
}

function Build-Managed {
    Write-Step 'Building the managed projects'
    & dotnet build NormInterop.sln -c Release --nologo -v minimal
    Assert-Success 'dotnet build'
}

# ---- Testing ----

$script:Passed = 0
$script:Failed = 0
$script:Skipped = 0

function Get-SkipReason([System.Xml.XmlElement] $Test) {
    $message = $Test.SelectSingleNode(".//*[local-name()='Message']")
    $reason = 'no reason given'
    if ($message) {
        $reason = $message.InnerText
    }
    elseif ($Test.GetAttribute('status') -eq 'disabled') {
        $reason = 'disabled'
    }
    elseif ($Test.InnerText -match ': Skipped\r?\n([\s\S]*?)\[  SKIPPED \]') {
        # CTest itself only says that there was a mark; GoogleTest's reason stands above the mark.
        $reason = $Matches[1]
    }
    return ($reason -replace '\s+', ' ').Trim()
}

# Adds a suite to the sum, from CTest's JUnit or VSTest's trx report. One that ran nothing, or that failed without a failed
# test (a crash, say), counts as a failure: otherwise the closing line would look better than the truth.
function Add-Suite([string] $Suite, [string] $Report, [int] $Status) {
    $passed = 0
    $failed = 0
    $skipped = 0
    if (Test-Path $Report) {
        $xml = [System.Xml.XmlDocument]::new()
        $xml.Load($Report)
        foreach ($test in $xml.SelectNodes("//*[local-name()='testcase' or local-name()='UnitTestResult']")) {
            $outcome = $test.GetAttribute('status') + $test.GetAttribute('outcome')
            if ($outcome -in 'run', 'Passed') {
                $passed += 1
            }
            elseif ($outcome -in 'notrun', 'disabled', 'NotExecuted', 'Inconclusive') {
                $skipped += 1
                $name = $test.GetAttribute('name') + $test.GetAttribute('testName')
                Write-Host "Skipped: ${name}: $(Get-SkipReason $test)"
            }
            else {
                $failed += 1
            }
        }
    }
    if ($passed + $failed -eq 0) {
        Write-Host "The $Suite suite ran no test; this counts as a failure."
        $failed = 1
    }
    elseif ($Status -ne 0 -and $failed -eq 0) {
        Write-Host "The $Suite suite ended with status $Status though no test failed; this counts as a failure."
        $failed = 1
    }
    $script:Passed += $passed
    $script:Failed += $failed
    $script:Skipped += $skipped
}

function Test-Native([string] $Preset) {
    $report = Join-Path $Results "native-$Preset.xml"
    New-Item -ItemType Directory -Force $Results > $null
    Remove-Item -Force -ErrorAction Ignore $report
    Write-Step "Native tests ($Preset)"
    # Minutes that would only repeat what a run without the variable has shown.
    $which = @()
    if ($env:NORMINTEROP_ISA) {
        Write-Host 'Left to a run without NORMINTEROP_ISA: the kernel tests, which go through every set of kernels anyway.'
        $which = @('--label-exclude', 'every-isa')
    }
    # A reason for skipping may stand far down in a test's output, which CTest would cut.
    & ctest --preset $Preset @which --parallel $Jobs --progress --output-on-failure --output-junit $report --test-output-size-passed 1000000
    Add-Suite 'native' $report $LASTEXITCODE
}

function Test-Managed {
    $report = Join-Path $Results 'managed.trx'
    Remove-Item -Force -ErrorAction Ignore $report
    Write-Step 'Managed tests'
    $which = @()
    if ($env:NORMINTEROP_ISA) {
        Write-Host 'Left to a run without NORMINTEROP_ISA: tests that go through every set of kernels anyway, or are about ranks.'
        $which = @('--filter', 'TestCategory!=Once')
    }
    & dotnet test $Tests -c Release --no-build --nologo @which --results-directory $Results `
        --logger 'trx;LogFileName=managed.trx' --logger 'console;verbosity=minimal'
    Add-Suite 'managed' $report $LASTEXITCODE
}

# Runs the steps of a test verb and ends with the closing line, also when a build error came in between.
function Invoke-Suites([scriptblock] $Steps) {
    try {
        & $Steps
    }
    catch {
        Write-Host $_.Exception.Message
        if ($script:Failed -eq 0) { $script:Failed = 1 }
    }
    Write-Host "`n$script:Passed passed, $script:Failed failed, $script:Skipped skipped"
    if ($script:Failed -gt 0) { exit 1 }
}

# ---- Verbs ----

function Assert-Mpi {
    if (-not (Get-Command mpiexec -ErrorAction Ignore)) {
        throw 'Missing: mpiexec. Get Microsoft MPI and its SDK from https://learn.microsoft.com/message-passing-interface, then run this again.'
    }
}

# Not by "dotnet run", which would build in every process.
function Invoke-DemoMpi([string[]] $Arguments) {
    $ranks = if ($env:NORMINTEROP_RANKS) { $env:NORMINTEROP_RANKS } else { '4' }
    if ($ranks -notmatch '^[1-9][0-9]?$') { throw "NORMINTEROP_RANKS must be a whole number from 1 to 99, not '$ranks'." }
    Assert-DotNet
    Assert-Native
    Assert-Mpi
    Build-Native release OFF
    Write-Step 'Building the sample'
    & dotnet build $MpiSample -c Release --nologo -v quiet
    Assert-Success 'dotnet build'
    Write-Step "Running the demo in $ranks processes"
    & mpiexec -n $ranks dotnet "$MpiSample/bin/Release/net10.0/NormInterop.Samples.DataParallel.dll" @Arguments
    Assert-Success 'the demo'
}

function Invoke-Demo([string[]] $Arguments) {
    if ($Arguments -and $Arguments[0] -eq '--mpi') {
        Invoke-DemoMpi @($Arguments | Select-Object -Skip 1)
        return
    }
    Assert-DotNet
    Assert-Native
    Build-Native release OFF
    Write-Step 'Running the demo'
    & dotnet run --project $Sample -c Release '--' @Arguments
    Assert-Success 'the demo'
}

function Invoke-Test {
    Assert-DotNet
    Assert-Native
    Invoke-Suites {
        if ($env:NORMINTEROP_ISA) { Write-Step "NORMINTEROP_ISA=${env:NORMINTEROP_ISA}: testing with these kernels only" }
        Build-Native release ON
        Build-Managed
        Test-Native release
        Test-Managed
    }
}

# Every job writes its medians for the model.
function Invoke-BenchMpi([string[]] $Arguments) {
    if ($Arguments.Count -gt 1 -or ($Arguments -and $Arguments[0] -ne '--quick')) { throw 'bench --mpi takes no arguments but --quick.' }
    Assert-Mpi
    Build-Native release OFF
    Write-Step 'Building the benchmark'
    & dotnet build $RankBenchmark -c Release --nologo -v quiet
    Assert-Success 'dotnet build'
    $program = "$RankBenchmark/bin/Release/net10.0/NormInterop.RankBench.dll"
    $folder = 'build/bench/ranks'
    New-Item -ItemType Directory -Force $folder | Out-Null
    foreach ($ranks in 2, 4) {
        Write-Step "$ranks processes"
        & mpiexec -n $ranks dotnet $program @Arguments --link memory --results "$folder/memory-$ranks.tsv"
        Assert-Success 'the benchmark'
    }
    Write-Host 'Left out: several hosts, which are network namespaces of Linux'
    Write-Step 'Model'
    & mpiexec -n 1 dotnet $program @Arguments --model "$folder/memory-2.tsv" "$folder/memory-4.tsv"
    Assert-Success 'the model'
}

function Invoke-Bench([string[]] $Arguments) {
    Assert-DotNet
    Assert-Native
    if ($Arguments -and $Arguments[0] -eq '--mpi') {
        Invoke-BenchMpi @($Arguments | Select-Object -Skip 1)
        return
    }
    if ($Arguments -contains '--dotnet') {
        $rest = @($Arguments | Where-Object { $_ -ne '--dotnet' })
        # Without a filter BenchmarkDotNet would ask on the terminal which benchmarks to run.
        if (-not ($rest -match '^(--filter|-f)(=|$)')) { $rest = @('--filter', '*') + $rest }
        Build-Native release OFF
        Write-Step 'Benchmarks'
        & dotnet run --project $Benchmarks -c Release '--' @rest
        Assert-Success 'the benchmarks'
        return
    }
    # A peer that is not installed where CMake looks is left out; the program says so.
    Build-Native release OFF ON
    Write-Step 'Benchmark beside the peers'
    & dotnet run --project $PeerBenchmark -c Release '--' @Arguments
    Assert-Success 'the benchmark'
}

function Invoke-Build {
    Assert-DotNet
    Assert-Native
    Build-Native release OFF
    Build-Managed
}

function Invoke-Bindings {
    Assert-DotNet
    Write-Step 'Generating the bindings'
    & dotnet run --project bindings/generator -c Release
    Assert-Success 'the generator'
}

function Invoke-Sanitize {
    Assert-Native
    Invoke-Suites {
        Build-Native sanitize ON
        Test-Native sanitize
    }
}

function Invoke-Pack {
    Assert-DotNet
    Assert-Native
    Build-Native release OFF
    Write-Step 'Packing'
    & dotnet pack managed/NormInterop -c Release -o artifacts --nologo
    Assert-Success 'dotnet pack'
}

function Invoke-Clean {
    $leftovers = @('build', 'artifacts')
    foreach ($project in @(Get-ChildItem -Path @('bindings', 'managed', 'tests') -Recurse -Filter '*.csproj')) {
        $leftovers += Join-Path $project.DirectoryName 'bin'
        $leftovers += Join-Path $project.DirectoryName 'obj'
    }
    Remove-Item -Path $leftovers -Recurse -Force -ErrorAction Ignore
}

$Verb = if ($args.Count -gt 0) { [string] $args[0] } else { 'help' }
$Rest = @($args | Select-Object -Skip 1)

if ($Verb -in 'help', '-h', '--help') {
    Write-Host $Usage
    exit 0
}
if ($Verb -eq 'test-arm64') {
    Write-Host 'build.ps1 has no test-arm64: the emulator runs on Linux, where build.sh has it.'
    exit 2
}
if ($Verb -notin 'demo', 'test', 'bench', 'build', 'bindings', 'sanitize', 'pack', 'clean') {
    Write-Host "Unknown verb: $Verb`n`n$Usage"
    exit 2
}
if ($Rest.Count -gt 0 -and $Verb -notin 'demo', 'bench') {
    Write-Host "build.ps1 $Verb takes no arguments."
    exit 2
}

Push-Location $PSScriptRoot
try {
    & "Invoke-$Verb" $Rest
}
catch {
    Write-Host $_.Exception.Message
    exit 1
}
finally {
    Pop-Location
}
