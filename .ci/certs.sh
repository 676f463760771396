#!/usr/bin/env bash
# Makes what is missing of the development certificates under certs/: the authority, the server's, and one for each client of
# the demo. What is there and sound is kept. Usage: certs.sh CREMA
set -euo pipefail
crema=$1
"$crema" certs init
for name in customer barista device-1 operator; do
    "$crema" certs issue "$name"
done
