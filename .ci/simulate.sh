#!/usr/bin/env bash
# Runs many simulated worlds in release: a long campaign of what SimulationTests does in debug with a few thousand seeds.
# Usage: simulate.sh [SEEDS [FIRST]]   how many seeds, 100,000 unless told, from which one on, 1 unless told; one process per processor
# Stops at the first broken promise, with its seed and the world's last steps; `simulate.sh 1 SEED` tells that world's whole history.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=${1:-100000}
first=${2:-1}
processes=$(nproc)
((seeds >= processes)) || processes=$seeds

options=(--package-path Tests/Simulating --scratch-path .build/simulate -c release --product Campaign)
swift build "${options[@]}"
campaign="$(swift build "${options[@]}" --show-bin-path)/Campaign"

# The same seed is the same world only when sets and dictionaries have the same order.
export SWIFT_DETERMINISTIC_HASHING=1
running=()
trap '[ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true' EXIT
for ((part = 0; part < processes; part++)); do
    "$campaign" $((first + seeds * part / processes)) $((first + seeds * (part + 1) / processes - 1)) &
    running+=($!)
done
failed=0
for ((part = 0; part < processes; part++)); do wait -n || failed=1; [ "$failed" -eq 0 ] || break; done
[ "$failed" -eq 0 ] && running=()
exit "$failed"
