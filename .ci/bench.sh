#!/usr/bin/env bash
# The benchmarks: packets, routing, event patterns, and Crema beside Debian's mosquitto, all in one run. Needs .build/release/crema.
set -euo pipefail
cd "$(dirname "$0")/.."

for bench in CodecBench RoutingBench PatternBench LanguageBench; do
    printf '\n== %s, CPU time per operation\n' "$bench"
    swift run --package-path Benchmarks -c release "$bench"
done

printf '\n== Instructions of the broker for a message\n'
Benchmarks/broker-instructions.py .build/release/crema
printf '\n== Crema beside mosquitto, per CPU second of the broker\n'
Benchmarks/compare.sh "$@" .build/release/crema
