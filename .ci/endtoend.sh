#!/usr/bin/env bash
# Tests with the clients that people use. boto3 and the AWS CLI come from PyPI when this machine has none.
# Each test starts its own broker on free ports and ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=python3
if ! "$python" -c 'import awscli, boto3' 2>/dev/null; then
    python=.build/venv/bin/python
    if ! "$python" -c 'import awscli, boto3' 2>/dev/null; then
        echo "Installing boto3 and awscli into .build/venv"
        python3 -m venv .build/venv
        "$python" -m pip install --quiet --disable-pip-version-check boto3 awscli
    fi
fi
exec "$python" -B -m unittest discover --start-directory Tests/EndToEnd --verbose
