#!/usr/bin/env bash
# Cuts the power at many moments of what a store does to its disk, and opens each disk that this may leave: a long campaign of what
# PowerCutTests does with 512 images.
# Usage: power-cut.sh IMAGES [SEED]   how many images of the disk, and where the seeds begin, 1 unless told; a seed has 64 images
# Tells the figures of each seed and their sums; fails at a broken promise, with its seed. A seed repeats the choices, not the timing of threads.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ ${1:-} =~ ^[0-9]+$ ]] || {
    echo "usage: $0 IMAGES [SEED]" >&2
    exit 2
}
export CREMA_POWER_CUT_IMAGES=$1 CREMA_POWER_CUT_SEED=${2:-1} SWIFT_BACKTRACE=enable=no
[ -e .build/debug/cremaPackageTests.xctest ] || swift build --build-tests
swift test --skip-build --filter PowerCutTests | tee /dev/stderr |
    awk '/^power cut: seed/ { seeds++; images += $5; events += $7 }
        END { printf "power cut: %d seeds, %d images of %d events\n", seeds, images, events }'
