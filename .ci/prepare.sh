#!/usr/bin/env bash
# Installs the Debian packages that a task needs and that are missing. Asks for no network when none is missing.
# Usage: prepare.sh build|demo|install|test|bench|all
set -euo pipefail

# g++, libc6-dev and zlib1g-dev: what the Swift packages' C and C++ sources are compiled with and against.
build=(ca-certificates git g++ libargon2-dev libc6-dev libsqlite3-dev libssl-dev pkg-config tzdata zlib1g-dev)
demo=(curl mosquitto-clients)
# mosquitto is measured and compared beside Crema; debootstrap and iproute2 are for docker/check.sh, gcc, node-mqtt and libpaho for clients;
# what docker/monitoring has is tried with prometheus and its promtool.
bench=(mosquitto mosquitto-clients procps valgrind)
# chromium, with a font, shows the pages.
tests=("${demo[@]}" chromium debootstrap fonts-dejavu-core gcc groff iproute2 libpaho-mqtt-dev mosquitto node-mqtt nodejs openssl prometheus python3 python3-venv shellcheck strace util-linux valgrind)

case "${1:-all}" in
    build) wanted=("${build[@]}") ;;
    demo) wanted=("${demo[@]}") ;;
    # The manual pages are made by a script.
    install) wanted=(python3) ;;
    bench) wanted=("${bench[@]}") ;;
    test) wanted=("${build[@]}" "${tests[@]}") ;;
    all) wanted=("${build[@]}" "${tests[@]}" "${bench[@]}" make) ;;
    *)
        echo "usage: $0 build|demo|install|test|bench|all" >&2
        exit 2
        ;;
esac

command -v swift >/dev/null || {
    echo "Crema is built with Swift 6.3 or later: no 'swift' in PATH (https://www.swift.org/install)" >&2
    exit 1
}

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "not root and no sudo: install these packages, then run this again" >&2
        exit 1
    }
    as_root=(sudo)
fi
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}
apt update
apt install --yes --no-install-recommends "${missing[@]}"

# Debian starts a mosquitto or a prometheus that is installed. Only their programs are wanted here, and their ports are those of Crema's examples.
for service in mosquitto prometheus; do
    case " ${missing[*]} " in
        *" $service "*)
            if [ -d /run/systemd/system ]; then
                "${as_root[@]}" systemctl disable --quiet --now "$service"
            fi
            ;;
    esac
done
