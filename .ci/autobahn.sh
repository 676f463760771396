#!/usr/bin/env bash
# Drives the framing of WebSocket with Autobahn's fuzzing client, and counts its verdicts. Not part of every run: the suite needs Python 2.7.
# Usage: WSTEST=/path/to/wstest autobahn.sh [CASE...]   cases as the suite names them; without any, sections 1 to 5, 7, 9 and 10
# `wstest` is in PyPI's autobahntestsuite 0.8.2. The reports lie in .build/autobahn/reports; the exit status is 1 when a case fails.
# Left out: 6, the encoding of text, for the broker refuses text whatever it holds; 12 and 13, compression, which is not agreed on.
set -euo pipefail
cd "$(dirname "$0")/.."

wstest=${WSTEST:-wstest}
command -v "$wstest" >/dev/null || {
    echo "autobahn.sh: no '$wstest'; install it by Python 2.7: pip install autobahntestsuite==0.8.2, and name it in WSTEST" >&2
    exit 2
}
if [ $# -gt 0 ]; then cases=("$@"); else cases=('1.*' '2.*' '3.*' '4.*' '5.*' '7.*' '9.*' '10.*'); fi

work=.build/autobahn
options=(--package-path Tests/WebSocketConformance --scratch-path "$work" --product EchoServer)
swift build "${options[@]}"
server=$(swift build "${options[@]}" --show-bin-path)/EchoServer
rm -rf "$work/reports" "$work/port"
mkdir -p "$work/reports"

"$server" >"$work/port" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
until [ -s "$work/port" ]; do
    kill -0 "$pid"
    sleep 0.1
done

python3 - "$work" "$(cat "$work/port")" "${cases[@]}" <<'PYTHON'
import json, sys

work, port, *cases = sys.argv[1:]
servers = [{"agent": "crema", "url": f"ws://127.0.0.1:{port}", "options": {"version": 18}}]
with open(f"{work}/spec.json", "w") as file:
    json.dump({"outdir": f"{work}/reports", "servers": servers, "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}, file)
PYTHON
"$wstest" --mode fuzzingclient --spec "$work/spec.json" >"$work/wstest.log" 2>&1

python3 - "$work/reports/index.json" <<'PYTHON'
import collections, json, sys

results = json.load(open(sys.argv[1]))["crema"]
verdicts = collections.Counter(result["behavior"] for result in results.values())
closes = collections.Counter(result["behaviorClose"] for result in results.values())
print("autobahn.sh:", ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items())))
print("autobahn.sh: closing:", ", ".join(f"{count} {name}" for name, count in sorted(closes.items())))
good = {"OK", "INFORMATIONAL", "NON-STRICT"}
bad = sorted(case for case, result in results.items() if not {result["behavior"], result["behaviorClose"]} <= good)
print("autobahn.sh: not OK:", " ".join(bad) or "none")
sys.exit(1 if bad or not results else 0)
PYTHON
