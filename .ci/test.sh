#!/usr/bin/env bash
# Everything that CI runs, in order of cost where the build allows it. Stops at the first step that fails and names it.
set -euo pipefail
cd "$(dirname "$0")/.."

step=start
step() {
    step=$1
    printf '\n== %s (after %d s)\n' "$step" "$SECONDS"
}
trap '[ $? -eq 0 ] || printf "\n== FAILED: %s (after %d s)\n" "$step" "$SECONDS" >&2' EXIT

step "Debian packages"
.ci/prepare.sh test

step "shell scripts"
shellcheck .ci/run .ci/*.sh Benchmarks/*.sh certs/*.sh docker/*.sh

step "layout of the Swift sources"
swift format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift

step "build with tests, warnings as errors"
swift build --build-tests

# A trap in a test prints the thread that trapped: to walk hundreds of threads of this program takes longer than all the tests.
export SWIFT_BACKTRACE=enable=yes,threads=crashed,registers=none,images=none,interactive=no
# What hangs ends the run here, by name, and not by CI's own limit.
tests() { timeout --kill-after=30 1500 swift test --skip-build "$@"; }

# The store's on disks that fail, and the simulated worlds, alone: they take processors for minutes, which tests with sockets and deadlines
# would miss.
step "tests"
tests --skip SimulationTests --skip BrokerStoreTests
step "tests of the store"
tests --filter BrokerStoreTests
# Many more worlds, in release: simulate.sh
step "simulated worlds, 20,000 unless told"
CREMA_SEEDS=${CREMA_SEEDS:-20000} tests --filter SimulationTests

step "build for release"
swift build -c release --product crema

step "instructions of the broker for a message, against the committed counts"
# Twice what a developer is allowed: the machine is another one than the counts were taken on, and may be busy.
Benchmarks/broker-instructions.py --check --percent 6 .build/release/crema

# The same inputs each time: what a change did shows here, and what is new to find is a campaign's (fuzz.sh with seconds alone).
step "fuzzing: the kept corpus, and a short run"
.ci/fuzz.sh 8 1

step "documentation, warnings as errors"
.ci/docs.sh

step "the demo, as a new user runs it"
make --no-print-directory demo

step "clients at random, with Crema, with mosquitto and with a model of each"
.ci/differential.sh 8000

step "end to end: wire vectors; boto3, the AWS CLI, curl; mosquitto, paho-mqtt, gmqtt, node-mqtt and libpaho"
.ci/endtoend.sh

step "everything passed"
