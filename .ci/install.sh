#!/usr/bin/env bash
# Installs crema, its manual pages, its completions and the unit of systemd; `make install` calls it.
# Usage: install.sh CREMA PREFIX [DESTDIR]   DESTDIR stands before every path, for packages
# A configuration that is there stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { echo "install.sh: where from and where to? (see the head of $0)" >&2; exit 2; }
crema=$1 prefix=$2 root=${3-}
share=$root$prefix/share

install -D --mode 0755 "$crema" "$root$prefix/bin/crema"
python3 .ci/manual.py "$crema" "$share/man/man1"
completion() { # SHELL FILE
    install -d "$(dirname "$2")"
    "$crema" --generate-completion-script "$1" > "$2"
}
completion bash "$share/bash-completion/completions/crema"
completion zsh "$share/zsh/site-functions/_crema"
completion fish "$share/fish/vendor_completions.d/crema.fish"

unit=$root$prefix/lib/systemd/system/crema.service
install -d "$(dirname "$unit")"
sed "s|^ExecStart=/usr/local/bin/crema |ExecStart=$prefix/bin/crema |" docker/systemd/crema.service > "$unit"
[ -e "$root/etc/crema/crema.yaml" ] || install -D --mode 0644 docker/systemd/crema.yaml "$root/etc/crema/crema.yaml"
echo "crema is installed below $root$prefix; its configuration is $root/etc/crema/crema.yaml"
