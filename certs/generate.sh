#!/usr/bin/env bash
# Makes the development certificates in this folder: the authority and the server's, and one for each NAME given.
#
#   certs/generate.sh [NAME...]
#
# Uses crema if it is built ($CREMA, .build, or the PATH), else the openssl program: the same files, names, usages and modes with either.
# What is there and sound is kept. SAN=name,address,... names the server (default: localhost, 127.0.0.1, ::1 and this machine's name).
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

fail() { echo "certs/generate.sh: $*" >&2; exit 1; }

find_crema() {
    if [ -n "${CREMA-}" ]; then
        echo "$CREMA"
    else
        for candidate in "$here/../.build/release/crema" "$here/../.build/debug/crema" "$(command -v crema || true)"; do
            if [ -n "$candidate" ] && [ -x "$candidate" ]; then echo "$candidate"; return; fi
        done
    fi
}

# extensions ROLE ALTERNATIVE-NAMES: as openssl.cnf writes them.
extensions() {
    if [ "$1" = authority ]; then
        printf '%s\n' 'basicConstraints=critical,CA:TRUE,pathlen:0' 'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash'
    else
        printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' "extendedKeyUsage=$1" \
            'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid:always' "subjectAltName=$2"
    fi
}

# pair STEM SUBJECT ROLE DAYS ALTERNATIVE-NAMES: a key and a certificate, unless both are there.
pair() {
    local stem=$1 subject=$2 role=$3 days=$4 names=${5-} signer
    if [ -e "$stem.crt" ] && [ -e "$stem.key" ]; then
        openssl verify -CAfile ca.crt "$stem.crt" >"$work/log" 2>&1 || fail "certs/$stem.crt is not sound: $(cat "$work/log")"
        echo "kept certs/$stem.crt"
        return
    fi
    if [ -e "$stem.crt" ] || [ -e "$stem.key" ]; then fail "only one of certs/$stem.crt and certs/$stem.key is there"; fi
    signer=(-CA ca.crt -CAkey ca.key)
    [ "$role" != authority ] || signer=(-signkey "$work/key")
    openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/key"
    openssl req -new -sha256 -key "$work/key" -subj "$subject" -out "$work/request"
    extensions "$role" "$names" >"$work/extensions"
    openssl x509 -req -sha256 -in "$work/request" "${signer[@]}" -set_serial "0x$(openssl rand -hex 16)" -days "$days" \
        -extfile "$work/extensions" -out "$work/certificate" 2>"$work/log" || fail "$(cat "$work/log")"
    install -m 0600 "$work/key" "$stem.key"
    install -m 0644 "$work/certificate" "$stem.crt"
    echo "made certs/$stem.crt"
}

# alternative_names LIST: "a,127.0.0.1" becomes "DNS:a,IP:127.0.0.1".
alternative_names() {
    local name list=() asked
    IFS=, read -r -a asked <<<"$1"
    for name in "${asked[@]}"; do
        case $name in
            "" | *[!A-Za-z0-9.:*_-]*) fail "'$name' cannot name a server" ;;
            *:*) list+=("IP:$name") ;;
            *[!0-9.]*) list+=("DNS:$name") ;;
            *) list+=("IP:$name") ;;
        esac
    done
    (IFS=,; echo "${list[*]}")
}

for name in "$@"; do
    [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$ ]] || fail "'$name' cannot name a client: use letters, digits, '.', '_', ':' and '-'"
done

crema=$(find_crema)
if [ -n "$crema" ]; then
    "$crema" certs init --directory "$here" ${SAN:+--san "$SAN"}
    for name in "$@"; do "$crema" certs issue --directory "$here" "$name"; done
    exit
fi

command -v openssl >/dev/null || fail "neither crema nor openssl is there; build crema (make build) or install openssl"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
san=${SAN:-localhost,127.0.0.1,::1,$(hostname)}
alternatives=$(alternative_names "$san")
install -d -m 0755 clients
pair ca "/O=Crema/CN=Crema development CA $(openssl rand -hex 4)" authority 3650
pair server "/O=Crema server/CN=${san%%,*}" serverAuth 825 "$alternatives"
for name in "$@"; do
    pair "clients/$name" "/O=Crema thing/CN=$name" clientAuth 825 "URI:urn:crema:thing:$name"
done
