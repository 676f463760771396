#!/usr/bin/env bash
# Fuzzes what reads bytes of strangers with LLVM's libFuzzer, without and with the address sanitizer: first the kept corpus, then new inputs.
# Usage: fuzz.sh [SECONDS [SEED]]   seconds of new inputs per program and build, 20 unless told; SEED makes the same inputs again
# An input that stops a reader is left in .build/fuzz/crashes, and the exit status is not 0. What a long run finds is kept by
#   fuzz.sh --merge          which adds to the corpus the short inputs of .build/fuzz/found that reach something new
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-20}
# 0 is another seed each time.
seed=${2:-0}
package=Tests/Fuzzing
work=.build/fuzz
# Each is a program of the package, with a folder of inputs and a dictionary.
declare -A dictionaries=(
    [PacketDecoder]=mqtt.dict [WebSocketFrames]=websocket.dict [EventPatterns]=patterns.dict [RuleStatements]=sql.dict
    [JSONTexts]=json.dict [MappingTemplates]=templates.dict [InputTransformers]=transformers.dict
    [ScramExchanges]=scram.dict [TokenReader]=tokens.dict
    [SignedRequests]=sigv4.dict [PasswordFiles]=passwords.dict [AccessFiles]=access.dict
)
mkdir -p "$work/crashes"

# The fuzzer without its own main function, from the Swift toolchain that builds.
toolchain=$(dirname "$(dirname "$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')")")
runtime=$(find "$toolchain/lib" -name "libclang_rt.fuzzer_no_main-$(uname -m).a" -print -quit)
[ -n "$runtime" ] || {
    echo "fuzz.sh: this Swift toolchain has no libclang_rt.fuzzer_no_main-$(uname -m).a" >&2
    exit 1
}

# build NAME [OPTION...]: builds all programs; prints the path of their folder.
build() {
    local name=$1
    shift
    local options=(--package-path "$package" --scratch-path "$work/$name" -c release -Xlinker "$runtime" -Xlinker -lstdc++ "$@")
    swift build "${options[@]}" >&2
    swift build "${options[@]}" --show-bin-path
}

# A trap must end the process at once: the fuzzer prints the trace and keeps the input.
export SWIFT_BACKTRACE=enable=no
# Freed memory is held back from use for a while, but not so much of it that the limit below is reached.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16

# fuzz PROGRAM BUILD FOLDER
fuzz() {
    local program=$1 build=$2 folder=$3
    local corpus=$package/Corpus/$program found=$work/found/$program log=$work/$program-$build.log
    # Wall-clock time, for an input that never ends; a slow one is found by the CPU time it takes.
    local options=(-timeout=30 -rss_limit_mb=512 -artifact_prefix="$work/crashes/$program-")
    mkdir -p "$found"
    echo "fuzz.sh: $program, $build, the kept corpus"
    if ! "$folder/$program" "${options[@]}" -runs=0 "$corpus" >"$log" 2>&1; then
        fail "$log"
    fi
    tail -n 2 "$log"
    echo "fuzz.sh: $program, $build, $seconds s of new inputs"
    if ! "$folder/$program" "${options[@]}" -max_len=4096 -max_total_time="$seconds" -seed="$seed" -print_final_stats=1 \
        -dict="$package/${dictionaries[$program]}" "$found" "$corpus" >"$log" 2>&1; then
        fail "$log"
    fi
    grep -E 'DONE|stat::number_of_executed|stat::peak' "$log"
}

fail() {
    tail -n 40 "$1" >&2
    echo "fuzz.sh: FAILED; the whole log is $1, the input lies where its last line says:" >&2
    grep -h 'Test unit written to' "$1" >&2 || ls -l "$work/crashes" >&2
    exit 1
}

plain=$(build plain)
if [ "$seconds" = --merge ]; then
    for program in "${!dictionaries[@]}"; do
        mkdir -p "$work/found/$program"
        "$plain/$program" -merge=1 -max_len=512 "$package/Corpus/$program" "$work/found/$program"
    done
    exit 0
fi
for program in "${!dictionaries[@]}"; do fuzz "$program" plain "$plain"; done
address=$(build address --sanitize=address)
# What its checks cost is not the reader's time.
export FUZZ_CPU_SECONDS=4
for program in "${!dictionaries[@]}"; do fuzz "$program" address "$address"; done
