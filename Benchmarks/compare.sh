#!/usr/bin/env bash
# Measures Crema beside Debian's mosquitto, and FlashMQ if given, in turns and in one run, and prints a Markdown table.
#
#   Benchmarks/compare.sh [options] CREMA
#
#   CREMA              the program, built in release: .build/release/crema
#   --flashmq PROGRAM  also measure FlashMQ
#   --seconds N        length of each measurement (default: 2)
#   --rounds N         measurements of each broker and row (default: 3)
#   --connections N    of the rows about idle connections (default: 9000); mutual TLS gets a fifth of them
#   --threads N        threads of the generator (default: 1)
#   --only WORD        only rows whose name contains WORD
#
# A figure is deliveries (or connections) per CPU second of the broker, unless its row says another unit: the median of the rounds; behind
# each ratio, of Crema's figure by the other's, stand the least and the greatest of its pairs. Compare figures only within one table:
# other work on the machine changes all of them.
#
# All brokers are started here, on loopback, with certificates of their own, and ended by their process ids however this script ends. For
# the rows about memory each is started anew. Where a broker fails, its figure says so, and the standard error output why. Exit code: 0 if
# every message of every row arrived once and in order, 1 if not, 2 for wrong usage.
set -euo pipefail

seconds=2 rounds=3 only='' crema='' flashmq='' connections=9000 threads=1

usage() {
    echo "compare.sh: $1 (see the head of $0)" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds | --rounds | --only | --flashmq | --connections | --threads)
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
[ -z "$flashmq" ] || [ -x "$flashmq" ] || usage "$flashmq is not a program"
mosquitto=$(command -v mosquitto || { [ -x /usr/sbin/mosquitto ] && echo /usr/sbin/mosquitto; }) ||
    usage "mosquitto is not installed"
brokers=(crema mosquitto)
[ -z "$flashmq" ] || brokers+=(flashmq)

work=$(mktemp -d)
declare -A pid=() port=()
# shellcheck disable=SC2317  # called by the trap
finish() {
    for broker in "${!pid[@]}"; do end "$broker"; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# end BROKER: waits until it is gone.
end() {
    [ -n "${pid[$1]:-}" ] || return 0
    kill "${pid[$1]}" 2>/dev/null || true
    for _ in {1..100}; do
        kill -0 "${pid[$1]}" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "${pid[$1]}" 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port KEY: a port below those that the kernel gives to clients, on which nobody answers.
free_port() {
    local number
    while true; do
        number=$((20000 + RANDOM % 12000))
        if [[ " ${port[*]-} " != *" $number "* ]] && ! accepts "$number"; then break; fi
    done
    port[$1]=$number
}

certs=$work/certs
"$crema" certs init --directory "$certs" >/dev/null
"$crema" certs issue bench --directory "$certs" >/dev/null

# Each broker listens plain, with mutual TLS, and with WebSocket.
for broker in "${brokers[@]}"; do
    for kind in plain tls ws; do free_port "$broker $kind"; done
done
certificate=$(printf 'certificate: "%s", key: "%s", clientCA: "%s"' "$certs/server.crt" "$certs/server.key" "$certs/ca.crt")
cat >"$work/crema.yaml" <<YAML
listeners:
  - { protocol: mqtt, bind: "127.0.0.1:${port[crema plain]}", anonymous: true }
  - { protocol: mqtts, bind: "127.0.0.1:${port[crema tls]}", anonymous: true, requireClientCertificate: true, $certificate }
  - { protocol: ws, bind: "127.0.0.1:${port[crema ws]}", anonymous: true }
YAML
# user: mosquitto as root becomes another user, who could not read the certificates.
cat >"$work/mosquitto.conf" <<CONF
log_type error
max_queued_messages 0
set_tcp_nodelay true
allow_anonymous true
user $(id -un)
listener ${port[mosquitto plain]} 127.0.0.1
listener ${port[mosquitto tls]} 127.0.0.1
cafile $certs/ca.crt
certfile $certs/server.crt
keyfile $certs/server.key
require_certificate true
listener ${port[mosquitto ws]} 127.0.0.1
protocol websockets
CONF
if [ -n "$flashmq" ]; then
    mkdir "$work/flashmq"
    listen() { printf 'listen {\n  protocol %s\n  port %s\n  inet_protocol ip4\n  inet4_bind_address 127.0.0.1\n  tcp_nodelay true\n' "$1" "$2"; }
    {
        printf '%s\n' "log_file $work/flashmq/log" 'log_level warning' "storage_dir $work/flashmq" 'allow_anonymous true' 'thread_count 1' \
            'max_qos_msg_pending_per_client 32768' 'max_qos_bytes_pending_per_client 16777216'
        listen mqtt "${port[flashmq plain]}"
        printf '}\n'
        listen mqtt "${port[flashmq tls]}"
        printf '  fullchain %s\n  privkey %s\n  client_verification_ca_file %s\n}\n' "$certs/server.crt" "$certs/server.key" "$certs/ca.crt"
        listen websockets "${port[flashmq ws]}"
        printf '}\n'
    } >"$work/flashmq.conf"
fi

# begin BROKER: starts it, and waits until all of its ports accept.
begin() {
    case "$1" in
        crema) "$crema" serve --config "$work/crema.yaml" --log-level error >>"$work/crema.log" 2>&1 & ;;
        mosquitto) "$mosquitto" -c "$work/mosquitto.conf" >>"$work/mosquitto.log" 2>&1 & ;;
        flashmq) "$flashmq" --config-file "$work/flashmq.conf" >>"$work/flashmq.log" 2>&1 & ;;
    esac
    pid[$1]=$!
    local kind attempt
    for kind in plain tls ws; do
        for attempt in {1..200}; do
            accepts "${port[$1 $kind]}" && break
            if ! kill -0 "${pid[$1]}" 2>/dev/null || [ "$attempt" = 200 ]; then
                echo "compare.sh: $1 does not accept on port ${port[$1 $kind]}:" >&2
                tail -n 20 "$work/$1.log" >&2
                exit 1
            fi
            sleep 0.05
        done
    done
}
for broker in "${brokers[@]}"; do begin "$broker"; done

result=0

# measure NAME KIND MODE [OPTION...]: one row, on the brokers' ports of a kind.
measure() {
    local name=$1 kind=$2 mode=$3 code=0 broker others=()
    shift 3
    case "$name" in *"$only"*) ;; *) return 0 ;; esac
    for broker in "${brokers[@]:1}"; do
        others+=(--against "127.0.0.1:${port[$broker $kind]}" --against-pid "${pid[$broker]}")
    done
    [ "$kind" != tls ] || others+=(--ca "$certs/ca.crt" --cert "$certs/clients/bench.crt" --key "$certs/clients/bench.key")
    [ "$kind" != ws ] || others+=(--websocket)
    [ "$mode" = idle ] || others+=(--seconds "$seconds")
    "$crema" bench "$mode" --broker "127.0.0.1:${port[crema $kind]}" --pid "${pid[crema]}" "${others[@]}" --rounds "$rounds" \
        --threads "$threads" --markdown-row "$name" "$@" || code=$?
    case "$code" in
        0) ;;
        2) exit 2 ;;
        1) result=1 ;;
        *)
            echo "| $name **failed** |"
            result=1
            ;;
    esac
    for broker in "${brokers[@]}"; do
        kill -0 "${pid[$broker]}" 2>/dev/null || {
            echo "compare.sh: $broker ended during \"$name\":" >&2
            tail -n 20 "$work/$broker.log" >&2
            exit 1
        }
    done
}

# fresh NAME KIND MODE [OPTION...]: the same, with brokers that have done nothing before; once, as what they have done cannot be undone.
fresh() {
    case "$1" in *"$only"*) ;; *) return 0 ;; esac
    local broker
    for broker in "${brokers[@]}"; do
        end "$broker"
        begin "$broker"
    done
    rounds=1 measure "$@"
}

head='| mode | Crema |' rule='|---|--:|'
for broker in "${brokers[@]:1}"; do
    case "$broker" in mosquitto) head+=' mosquitto' ;; flashmq) head+=' FlashMQ' ;; esac
    head+=' | ratio (least–greatest) |' rule+='--:|--:|'
done
printf '%s\n%s\n' "$head" "$rule"

fresh "resident bytes per idle connection, $connections" plain idle --connections "$connections"
fresh "resident bytes per idle connection, mutual TLS, $((connections / 5))" tls idle --connections $((connections / 5))
fresh "resident bytes per idle connection, WebSocket, $((connections / 5))" ws idle --connections $((connections / 5))
for qos in 0 1 2; do
    # mosquitto holds 20 unfinished messages per client at QoS 1 and 2, and throws out who sends more.
    inflight=200
    [ "$qos" = 0 ] || inflight=20
    measure "QoS $qos p2p, batched" plain p2p --qos "$qos" --publishers 10 --inflight "$inflight"
    measure "QoS $qos p2p, unbatched" plain p2p --qos "$qos" --publishers 200 --inflight 1
    measure "QoS $qos fan-in, batched" plain fanin --qos "$qos" --publishers 10 --inflight "$inflight"
    measure "QoS $qos fan-in, unbatched" plain fanin --qos "$qos" --publishers 200 --inflight 1
    measure "QoS $qos fan-out to 500, batched" plain fanout --qos "$qos" --subscribers 500 --inflight 20
    measure "QoS $qos fan-out to 500, unbatched" plain fanout --qos "$qos" --subscribers 500 --inflight 1
done
measure "QoS 0 fan-out to 500, 20 messages/s" plain fanout --subscribers 500 --rate 20
measure "QoS 0 p2p, 4 KiB, batched" plain p2p --publishers 10 --inflight 200 --size 4096
measure "QoS 0 p2p, open loop 5,000/s, latency p50 / p99" plain p2p --publishers 100 --rate 5000 \
    --row-figure latencyP50Microseconds --row-figure latencyP99Microseconds
measure "MQTT 5, QoS 0 p2p, batched" plain p2p --mqtt 5 --publishers 10 --inflight 200
measure "MQTT 5, QoS 1 p2p, batched" plain p2p --mqtt 5 --qos 1 --publishers 10 --inflight 20
measure "connect" plain connect
measure "mutual TLS, QoS 0 p2p, batched" tls p2p --publishers 10 --inflight 200
measure "mutual TLS, QoS 0 p2p, unbatched" tls p2p --publishers 200 --inflight 1
measure "mutual TLS, QoS 1 p2p, batched" tls p2p --qos 1 --publishers 10 --inflight 20
for version in 1.2 1.3; do
    measure "mutual TLS $version, connect (full handshakes)" tls connect --tls-version "$version"
    measure "mutual TLS $version, connect (resumed)" tls connect --tls-version "$version" --resume
done
measure "WebSocket, QoS 0 p2p, batched" ws p2p --publishers 10 --inflight 200
measure "WebSocket, QoS 0 p2p, unbatched" ws p2p --publishers 200 --inflight 1
measure "WebSocket, QoS 1 p2p, batched" ws p2p --qos 1 --publishers 10 --inflight 20
fresh "$((connections / 5)) clients with mutual TLS lost at once, all back / bystanders' p99" tls idle --connections $((connections / 5)) --concurrency 1000 --drop \
    --row-figure backSeconds --row-figure bystandersP99Microseconds
exit "$result"
