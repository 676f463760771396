#!/usr/bin/env bash
# Runs the whole Swift test suite, and some simulated worlds, under a sanitizer of the toolchain. Not part of `make test`: each builds everything anew.
# Usage: sanitize.sh thread|address [FILTER]   FILTER: only tests whose name matches, as for `swift test --filter`
# The thread sanitizer is told of waiting for a Mutex, which it does not see by itself, by tsan-mutex.c.
# Tests run one after the other: under a sanitizer, many at a time keep each other from their sockets until their time is over.
# What it finds is printed by the tests' process, which then fails. Exit code: 0 when every test passed and nothing was found.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1-}" in
    thread | address) sanitizer=$1 ;;
    *)
        echo "sanitize.sh: which one, thread or address? (see the head of $0)" >&2
        exit 2
        ;;
esac
tests=(--skip SimulationTests)
[ $# -lt 2 ] || tests=(--filter "$2")

# A report ends the run: the first one is the one to read. Memory that is still reachable at the end is no leak of the broker's.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/.ci/tsan-suppressions.txt
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1
export SWIFT_BACKTRACE=enable=no

options=(--sanitize="$sanitizer" --scratch-path ".build/sanitize-$sanitizer")
swift build --build-tests "${options[@]}"
if [ "$sanitizer" = thread ]; then
    library=$PWD/.build/sanitize-thread/tsan-mutex.so
    clang -shared -fPIC -O1 -o "$library" .ci/tsan-mutex.c
    run_tests() { env LD_PRELOAD="$library" "$bundle" --testing-library swift-testing --no-parallel "$@"; }
else
    run_tests() { "$bundle" --testing-library swift-testing --no-parallel "$@"; }
fi
bundle=.build/sanitize-$sanitizer/debug/cremaPackageTests.xctest
run_tests "${tests[@]}"
[ $# -lt 2 ] || exit 0
CREMA_SEEDS=${CREMA_SEEDS:-200} run_tests --filter SimulationTests
