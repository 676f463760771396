#!/usr/bin/env bash
# Counts the instructions that one operation of a benchmark takes, under valgrind: on a busy machine these say more than any clock.
# Usage: instructions.sh [--bench CodecBench] [NAME...]   names as CodecBench --list prints them; all without
# The count is the difference between a long and a short run, so that start-up does not enter it.
set -euo pipefail
cd "$(dirname "$0")"

bench=CodecBench
if [ "${1:-}" = --bench ]; then
    bench=${2:?--bench needs the name of an executable}
    shift 2
fi
short=2000
long=6000

command -v valgrind >/dev/null || {
    echo "instructions.sh: valgrind is missing (apt install valgrind)" >&2
    exit 1
}
swift build -c release --product "$bench" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
# Without its symbols: Debian's valgrind gives up on the debug information that Swift writes.
program=$work/$bench
strip -o "$program" "$(swift build -c release --show-bin-path)/$bench"

# collect NAME COUNT: prints the operations that were done and the instructions that the whole run took.
collect() {
    local operations
    operations=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" --instructions "$1" "$2" 2>"$log") || {
        cat "$log" >&2
        return 1
    }
    echo "$operations $(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log")"
}

if [ $# -eq 0 ]; then
    mapfile -t names < <("$program" --list)
else
    names=("$@")
fi
printf '%-30s %s\n' case 'instructions per operation'
for name in "${names[@]}"; do
    few=$(collect "$name" "$short")
    many=$(collect "$name" "$long")
    read -r few_operations few_instructions <<<"$few"
    read -r many_operations many_instructions <<<"$many"
    printf '%-30s %d\n' "$name" $(((many_instructions - few_instructions) / (many_operations - few_operations)))
done
