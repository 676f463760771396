#!/usr/bin/env bash
# The benchmarks: packets, routing, event patterns, and Crema beside Debian's mosquitto, all in one run. Needs .build/release/crema.
set -euo pipefail
cd "$(dirname "$0")/.."

for bench in CodecBench RoutingBench PatternBench LanguageBench; do
    printf '\n== %s, CPU time per operation\n' "$bench"
    swift run --package-path Benchmarks -c release "$bench"
done

certs=$(mktemp -d)
trap 'rm -rf "$certs"' EXIT
.build/release/crema certs init --directory "$certs" >/dev/null
.build/release/crema certs issue bench --directory "$certs" >/dev/null
printf '\n== Crema beside mosquitto, per CPU second of the broker\n'
Benchmarks/compare.sh --certs "$certs" "$@" .build/release/crema
