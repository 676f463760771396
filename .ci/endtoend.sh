#!/usr/bin/env bash
# Tests with the clients that people use. boto3, the AWS CLI, AWS IoT's SDK, paho-mqtt, gmqtt and PyJWT come from PyPI when this machine
# has none.
# Each test starts its own broker on free ports and ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=python3
if ! "$python" -c 'import awscli, awsiot, boto3, cryptography, gmqtt, jwt, paho.mqtt, schemathesis' 2>/dev/null; then
    python=.build/venv/bin/python
    if ! "$python" -c 'import awscli, awsiot, boto3, cryptography, gmqtt, jwt, paho.mqtt, schemathesis' 2>/dev/null; then
        echo "Installing boto3, awscli, awsiotsdk, paho-mqtt, gmqtt, PyJWT and schemathesis into .build/venv"
        python3 -m venv .build/venv
        "$python" -m pip install --quiet --disable-pip-version-check awscli awsiotsdk boto3 cryptography gmqtt 'paho-mqtt>=2,<3' PyJWT schemathesis
    fi
fi
# The last boto3 and AWS CLI that speak the query protocol to queues, as Debian 12's do.
if [ ! -x .build/venv-query/bin/aws ]; then
    echo "Installing an older boto3 and AWS CLI into .build/venv-query"
    python3 -m venv .build/venv-query
    .build/venv-query/bin/python -m pip install --quiet --disable-pip-version-check awscli==1.29.80 boto3==1.28.80 botocore==1.31.80
fi
exec "$python" -B -m unittest discover --start-directory Tests/EndToEnd --verbose
