#!/usr/bin/env bash
# Fifteen thousand sockets that never become clients, and a good client between them; prints the figures. Needs 20,000 open files.
set -euo pipefail
cd "$(dirname "$0")/.."
ulimit -n "$(ulimit -H -n)"
CREMA_SOCKETS=${CREMA_SOCKETS:-15000} exec python3 -B -m unittest discover \
    --start-directory Tests/EndToEnd --pattern 'test_slow_sockets.py' --verbose
