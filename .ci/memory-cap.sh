#!/usr/bin/env bash
# Runs the Swift tests in a control group that has 256 MiB of memory: the broker, its clients and the tests together. Each test target has
# a process of its own, and its tests run one after the other: what a thousand tests leave in one process is no broker's memory.
# Brokers of the end-to-end tests have the same limit each, which their peak is compared with (Tests/EndToEnd/broker.py).
# Usage: memory-cap.sh [MIB]   needs the right to make control groups, as root has it; build before with `swift build --build-tests`
# Exit code: 0 when all passed, 1 when a target's tests failed or the limit ended them (137).
set -euo pipefail
cd "$(dirname "$0")/.."

bytes=$((${1:-256} * 1024 * 1024))
if [ -d /sys/fs/cgroup/memory ]; then
    group=/sys/fs/cgroup/memory/crema-tests limit=memory.limit_in_bytes peak=memory.max_usage_in_bytes
else
    group=/sys/fs/cgroup/crema-tests limit=memory.max peak=memory.peak
fi
bundle=${CREMA_TESTS:-$(swift build --show-bin-path)/cremaPackageTests.xctest}
failed=0
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    # The simulated worlds have no sockets and a script of their own; tidy tests read sources.
    case "$target" in SimulationTests | TidyTests) continue ;; esac
    mkdir -p "$group" || {
        echo "memory-cap.sh: no right to make $group" >&2
        exit 2
    }
    echo "$bytes" >"$group/$limit"
    code=0
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec "$bundle" --testing-library swift-testing --no-parallel --filter "^$target\\."
    ) >".build/memory-cap-$target.log" 2>&1 || code=$?
    [ "$code" -eq 0 ] || failed=1
    printf 'memory-cap.sh: %-22s ended with %d, at most %d MiB of %d, files that were read included; %s\n' "$target" "$code" \
        $(($(<"$group/$peak") / 1048576)) $((bytes / 1048576)) "$(grep -o 'Test run with .*' ".build/memory-cap-$target.log" | tail -n 1)"
    rmdir "$group"
done
exit "$failed"
