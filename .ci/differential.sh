#!/usr/bin/env bash
# Random clients of both versions, step by step with Crema, with Debian's mosquitto, and with a model of each that was written from the
# standards. Where the two brokers part, the model of mosquitto says by which clause: Tests/EndToEnd/differential/known.py.
# Usage: differential.sh [STEPS [SEED [WORLD]]]   30,000 steps unless told; a world that failed is played again by its seed and number
set -euo pipefail
cd "$(dirname "$0")/../Tests/EndToEnd"
exec python3 -B -m differential "${@:-30000}"
