#!/usr/bin/env bash
# Runs the Swift tests, one after the other, in a control group that has 256 MiB of memory: the broker, its clients and the tests together.
# Brokers of the end-to-end tests have the same limit each, which their peak is compared with (Tests/EndToEnd/broker.py).
# Usage: memory-cap.sh [MIB]   needs the right to make control groups, as root has it; build before with `swift build --build-tests`
# Exit code: that of the tests; 137 when the limit ended them.
set -euo pipefail
cd "$(dirname "$0")/.."

bytes=$((${1:-256} * 1024 * 1024))
if [ -d /sys/fs/cgroup/memory ]; then
    group=/sys/fs/cgroup/memory/crema-tests limit=memory.limit_in_bytes peak=memory.max_usage_in_bytes
else
    group=/sys/fs/cgroup/crema-tests limit=memory.max peak=memory.peak
fi
mkdir -p "$group" || {
    echo "memory-cap.sh: no right to make $group" >&2
    exit 2
}
trap 'rmdir "$group" 2>/dev/null || true' EXIT
echo "$bytes" >"$group/$limit"
bundle=$(swift build --show-bin-path)/cremaPackageTests.xctest
code=0
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec "$bundle" --testing-library swift-testing --no-parallel --skip SimulationTests
) || code=$?
echo "memory-cap.sh: at most $(($(<"$group/$peak") / 1048576)) MiB of $((bytes / 1048576)), files that were read included; the tests ended with $code"
exit "$code"
