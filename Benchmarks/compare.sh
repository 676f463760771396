#!/usr/bin/env bash
# Measures Crema beside Debian's mosquitto, in turns and in one run, and prints a Markdown table.
#
#   Benchmarks/compare.sh [options] CREMA
#
#   CREMA              the program, built in release: .build/release/crema
#   --seconds N        length of each measurement (default: 2)
#   --rounds N         measurements of each broker and row (default: 3)
#   --certs DIR        also measure mutual TLS; DIR is as "certs/generate.sh bench" leaves it: ca.crt, server.crt, server.key, and the
#                      client's pair in clients/
#   --client NAME      which pair: clients/NAME.crt and clients/NAME.key (default: bench)
#   --only WORD        only rows whose name contains WORD
#
# A figure is deliveries (or connections) per CPU second of the broker: the median of the rounds; behind the ratio stand the least and
# the greatest of its pairs. Compare figures only within one table: other work on the machine changes all of them.
#
# Both brokers are started here, on loopback, and ended by their process ids however this script ends. Exit code: 0 if every message of
# every row arrived once and in order, 1 if not, 2 for wrong usage.
set -euo pipefail

seconds=2 rounds=3 certs='' client=bench only='' crema=''

usage() {
    echo "compare.sh: $1 (see the head of $0)" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds | --rounds | --certs | --client | --only)
            [ $# -ge 2 ] || usage "$1 needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift 2
            ;;
        -h | --help)
            sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"
            exit 0
            ;;
        -*) usage "unknown option $1" ;;
        *)
            [ -z "$crema" ] || usage "one program only"
            crema=$1
            shift
            ;;
    esac
done
[ -n "$crema" ] || usage "which program?"
[ -x "$crema" ] || usage "$crema is not a program"
mosquitto=$(command -v mosquitto || { [ -x /usr/sbin/mosquitto ] && echo /usr/sbin/mosquitto; }) ||
    usage "mosquitto is not installed"
if [ -n "$certs" ]; then
    certs=$(cd "$certs" && pwd) || usage "no folder $certs"
    for file in ca.crt server.crt server.key "clients/$client.crt" "clients/$client.key"; do
        [ -r "$certs/$file" ] || usage "$certs/$file is missing"
    done
fi

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317  # called by the trap
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        for _ in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.05
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port VARIABLE: a port below those that the kernel gives to clients, on which nobody answers.
ports=()
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        if [[ " ${ports[*]-} " != *" $port "* ]] && ! accepts "$port"; then break; fi
    done
    ports+=("$port")
    printf -v "$1" '%s' "$port"
}

# await NAME PID LOG PORT...: until every port accepts.
await() {
    local name=$1 pid=$2 log=$3 port attempt
    shift 3
    for port in "$@"; do
        for attempt in {1..200}; do
            accepts "$port" && break
            if ! kill -0 "$pid" 2>/dev/null || [ "$attempt" = 200 ]; then
                echo "compare.sh: $name does not accept on port $port:" >&2
                tail -n 20 "$log" >&2
                exit 1
            fi
            sleep 0.05
        done
    done
}

free_port crema_port
free_port mosquitto_port
crema_ports=("$crema_port") mosquitto_ports=("$mosquitto_port")

printf 'listeners:\n  - { protocol: mqtt, bind: "127.0.0.1:%s", anonymous: true }\n' "$crema_port" >"$work/crema.yaml"
# user: mosquitto as root becomes another user, who could not read the certificates.
printf '%s\n' 'log_type error' 'max_queued_messages 0' 'set_tcp_nodelay true' 'allow_anonymous true' "user $(id -un)" \
    "listener $mosquitto_port 127.0.0.1" >"$work/mosquitto.conf"

if [ -n "$certs" ]; then
    free_port crema_tls
    free_port mosquitto_tls
    crema_ports+=("$crema_tls") mosquitto_ports+=("$mosquitto_tls")
    printf '  - { protocol: mqtts, bind: "127.0.0.1:%s", %s, certificate: "%s", key: "%s", clientCA: "%s" }\n' \
        "$crema_tls" 'anonymous: true, requireClientCertificate: true' "$certs/server.crt" "$certs/server.key" "$certs/ca.crt" \
        >>"$work/crema.yaml"
    printf '%s\n' "listener $mosquitto_tls 127.0.0.1" "cafile $certs/ca.crt" "certfile $certs/server.crt" \
        "keyfile $certs/server.key" 'require_certificate true' >>"$work/mosquitto.conf"
fi

"$crema" serve --config "$work/crema.yaml" --log-level error >"$work/crema.log" 2>&1 &
crema_pid=$!
pids+=("$crema_pid")
"$mosquitto" -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
mosquitto_pid=$!
pids+=("$mosquitto_pid")
await crema "$crema_pid" "$work/crema.log" "${crema_ports[@]}"
await mosquitto "$mosquitto_pid" "$work/mosquitto.log" "${mosquitto_ports[@]}"

result=0

# measure NAME CREMA-PORT MOSQUITTO-PORT MODE [OPTION...]: one row.
measure() {
    local name=$1 first=$2 second=$3 mode=$4 code=0
    shift 4
    case "$name" in *"$only"*) ;; *) return 0 ;; esac
    "$crema" bench "$mode" --broker "127.0.0.1:$first" --pid "$crema_pid" --against "127.0.0.1:$second" \
        --against-pid "$mosquitto_pid" --rounds "$rounds" --seconds "$seconds" --markdown-row "$name" "$@" || code=$?
    case "$code" in
        0) ;;
        1) result=1 ;;
        *) exit "$code" ;;
    esac
    for broker in "crema $crema_pid" "mosquitto $mosquitto_pid"; do
        kill -0 "${broker#* }" 2>/dev/null || {
            echo "compare.sh: ${broker% *} ended during \"$name\":" >&2
            tail -n 20 "$work/${broker% *}.log" >&2
            exit 1
        }
    done
}

echo '| mode | Crema | mosquitto | ratio (least–greatest) |'
echo '|---|--:|--:|--:|'
for qos in 0 1 2; do
    # mosquitto holds 20 unfinished messages per client at QoS 1 and 2, and throws out who sends more.
    inflight=200
    [ "$qos" = 0 ] || inflight=20
    plain=("$crema_port" "$mosquitto_port")
    measure "QoS $qos p2p, batched" "${plain[@]}" p2p --qos "$qos" --publishers 10 --inflight "$inflight"
    measure "QoS $qos p2p, unbatched" "${plain[@]}" p2p --qos "$qos" --publishers 200 --inflight 1
    measure "QoS $qos fan-in, batched" "${plain[@]}" fanin --qos "$qos" --publishers 10 --inflight "$inflight"
    measure "QoS $qos fan-in, unbatched" "${plain[@]}" fanin --qos "$qos" --publishers 200 --inflight 1
    measure "QoS $qos fan-out to 500, batched" "${plain[@]}" fanout --qos "$qos" --subscribers 500 --inflight 20
    measure "QoS $qos fan-out to 500, unbatched" "${plain[@]}" fanout --qos "$qos" --subscribers 500 --inflight 1
done
measure "connect" "$crema_port" "$mosquitto_port" connect
if [ -n "$certs" ]; then
    tls=(--ca "$certs/ca.crt" --cert "$certs/clients/$client.crt" --key "$certs/clients/$client.key")
    measure "mutual TLS, QoS 0 p2p, batched" "$crema_tls" "$mosquitto_tls" p2p --publishers 10 --inflight 200 "${tls[@]}"
    measure "mutual TLS, QoS 0 p2p, unbatched" "$crema_tls" "$mosquitto_tls" p2p --publishers 200 --inflight 1 "${tls[@]}"
    for version in 1.2 1.3; do
        measure "mutual TLS $version, connect (full handshakes)" "$crema_tls" "$mosquitto_tls" connect --tls-version "$version" \
            "${tls[@]}"
    done
fi
exit "$result"
