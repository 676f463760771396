#!/usr/bin/env bash
# Tests with the clients that people use. boto3, the AWS CLI, paho-mqtt, gmqtt and PyJWT come from PyPI when this machine has none.
# Each test starts its own broker on free ports and ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=python3
if ! "$python" -c 'import awscli, boto3, cryptography, gmqtt, jwt, paho.mqtt' 2>/dev/null; then
    python=.build/venv/bin/python
    if ! "$python" -c 'import awscli, boto3, cryptography, gmqtt, jwt, paho.mqtt' 2>/dev/null; then
        echo "Installing boto3, awscli, paho-mqtt, gmqtt and PyJWT into .build/venv"
        python3 -m venv .build/venv
        "$python" -m pip install --quiet --disable-pip-version-check awscli boto3 cryptography gmqtt 'paho-mqtt>=2,<3' PyJWT
    fi
fi
exec "$python" -B -m unittest discover --start-directory Tests/EndToEnd --verbose
