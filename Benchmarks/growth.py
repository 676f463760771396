#!/usr/bin/env python3
"""What a message costs the broker as what it keeps grows: subscriptions, retained messages, rules, sessions.

Usage: growth.py [options] CREMA

  CREMA          the program, built in release: .build/release/crema
  --only WORD    only what contains WORD
  --most N       no more than so many of each (default: 1000000)
  --messages N   of each measurement (default: 20000)
  --rounds N     measurements at each size; the least is taken, because what disturbs only adds (default: 3)
  --svg FILE     also draw it
  --generator FILE   the program whose `bench` makes the load (default: CREMA itself)

For each kind a broker of its own is filled step by step; at each step `crema bench` sends verified messages of 64 bytes from 10 publishers
to a subscriber each (with rules: orders of 10 users, which become statuses), one under way each, and the broker's CPU time for a message is
taken. The column behind a figure is its ratio to the first one: flat is 1, and a table of N that is searched would be N. What a message
costs the kernel is in it, so small changes of Crema's own part do not show: RoutingBench and PatternBench have the matching alone.
"""

import argparse
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEnd"))

import wire  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
USERS = 10
PER_CLIENT = 10_000
LIMITS = {
    "eventLoopsMax": 1, "subscriptionsInAllMax": 2_000_000, "filterLevelsInAllMax": 8_000_000, "retainedMessagesMax": 2_000_000,
    "retainedBytesMax": 1 << 30, "retainedLevelsMax": 8_000_000, "retainedMessagesPerClientMax": 2_000_000,
    "retainedBytesPerClientMax": 1 << 30, "retainedLevelsPerClientMax": 8_000_000, "sessionsMax": 2_000_000, "rulesPerBusMax": 200_000,
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """`crema serve` without a store, on loopback."""

    def __init__(self, program, generator, folder):
        self.generator, self.mqtt, self.http = generator, free_port(), free_port()
        rules = folder / "rules.yaml"
        rules.write_text(subprocess.run(
            [generator, "bench", "rules", "--print-resources", str(USERS)], check=True, capture_output=True, text=True).stdout)
        configuration = folder / "crema.yaml"
        configuration.write_text(json.dumps({
            "listeners": [{"protocol": "mqtt", "bind": f"127.0.0.1:{self.mqtt}", "anonymous": True},
                          {"protocol": "http", "bind": f"127.0.0.1:{self.http}", "anonymous": True}],
            "resources": [str(rules)], "limits": LIMITS}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CREMA")}
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [program, "serve", "--config", str(configuration), "--log-level", "error"], env=environment, stdout=self.log,
            stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        for port in (self.mqtt, self.http):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(f"the broker did not start:\n{(folder / 'log').read_text()}") from None
                    time.sleep(0.05)
        self.held = []

    def connect(self, name, clean=True):
        client = socket.create_connection(("127.0.0.1", self.mqtt), 30)
        client.sendall(wire.connect(name, clean=clean, keep_alive=0))
        answer = receive(client, 4)
        if answer[0] != 0x20 or answer[3] != 0:
            raise SystemExit(f"CONNECT was answered {answer.hex()}")
        return client

    def microseconds(self, mode, messages, rounds):
        """The broker's CPU time for a message: the least of some rounds."""
        shape = ["--users", str(USERS)] if mode == "rules" else ["--publishers", "10"]
        costs = []
        for _ in range(rounds):
            result = subprocess.run(
                [self.generator, "bench", mode, "--broker", f"127.0.0.1:{self.mqtt}", "--pid", str(self.process.pid), "--json", *shape,
                 "--inflight", "1", "--messages", str(messages), "--timeout", "60"], capture_output=True, text=True)
            if result.returncode != 0:
                raise SystemExit(f"crema bench ended with {result.returncode}: {result.stderr}")
            costs.append(1e6 / json.loads(result.stdout)["rounds"][0]["perBrokerCPUSecond"])
        return min(costs)

    def end(self):
        for client in self.held:
            client.close()
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def receive(client, count):
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise SystemExit("the broker closed the connection")
        data += piece
    return data


def add_subscriptions(broker, first, last):
    """One filter in four has a wildcard; 10,000 to a client, which stays connected."""
    while first < last:
        count = min(PER_CLIENT - first % PER_CLIENT, last - first)
        client = broker.connect(f"grow-s{first}")
        broker.held.append(client)
        for start in range(first, first + count, 250):
            numbers = range(start, min(start + 250, first + count))
            filters = [(f"grow/{n % 100}/{'+' if n % 4 == 0 else n}/{n}", 0) for n in numbers]
            client.sendall(wire.subscribe(1, filters))
            head = receive(client, 1 + len(wire.variable(2 + len(filters))))
            codes = receive(client, 2 + len(filters))[2:]
            if head[0] != 0x90 or any(codes):
                raise SystemExit(f"SUBSCRIBE was refused: {sorted(set(codes))}")
        first += count


def add_retained(broker, first, last):
    client = broker.connect(f"grow-r{first}")
    for start in range(first, last, 1_000):
        client.sendall(b"".join(
            wire.publish(f"kept/{n % 1_000}/{n}", b"on", retain=True) for n in range(start, min(start + 1_000, last))))
    client.sendall(wire.packet(0xC0, b""))
    receive(client, 2)
    client.close()


def add_sessions(broker, first, last):
    """Sessions with one subscription each, whose clients have gone."""
    for number in range(first, last):
        client = broker.connect(f"grow-d{number}", clean=False)
        client.sendall(wire.subscribe(1, [(f"devices/{number}", 1)]) + wire.packet(0xE0, b""))
        client.settimeout(30)
        while client.recv(64):
            pass
        client.close()


def add_rules(broker, first, last):
    """Rules of other users on the bus that the orders come to."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.http)
    for number in range(first, last):
        pattern = {"source": ["bench"], "detail-type": ["Order"], "detail": {"user": [f"other-{number}"]}}
        body = json.dumps({"Name": f"grow-{number}", "EventBusName": "bench", "EventPattern": json.dumps(pattern)})
        connection.request("POST", "/", body, {"X-Amz-Target": "AWSEvents.PutRule", "Content-Type": "application/x-amz-json-1.1"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"PutRule was answered {answer.status}: {text!r}")


KINDS = (
    ("subscriptions", add_subscriptions, "p2p", 1_000_000), ("retained messages", add_retained, "p2p", 1_000_000),
    ("rules", add_rules, "rules", 100_000), ("sessions", add_sessions, "p2p", 1_000_000),
)


def grow(program, generator, kind, most, messages, rounds):
    """Pairs of size and microseconds."""
    name, add, mode, bound = kind
    points = []
    with tempfile.TemporaryDirectory(prefix="crema-growth-") as folder:
        broker = Broker(program, generator, pathlib.Path(folder))
        try:
            broker.microseconds(mode, messages, 1)
            size = 0
            for target in (size for size in SIZES if size <= min(most, bound)):
                add(broker, size, target)
                size = target
                points.append((size, broker.microseconds(mode, messages, rounds)))
                print(f"{name:<18} {size:>10,} {points[-1][1]:>10.2f} µs {points[-1][1] / points[0][1]:>8.2f} ×", flush=True)
        finally:
            broker.end()
    return points


def svg(series):
    """Ratios to the first size over sizes, the sizes by powers of ten."""
    width, height, left, bottom, top = 640, 320, 60, 280, 20
    greatest = max([2.0, *(cost / points[0][1] for _, points in series for _, cost in points)])
    colours = ("#6f4e37", "#1f77b4", "#2ca02c", "#d62728")

    def place(size, ratio):
        decade = len(str(size)) - 1 - 3
        return left + decade * (width - left - 160) / 3, bottom - (bottom - top) * ratio / greatest

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{left} {top}V{bottom}H{width - 150}" fill="none" stroke="#444"/>',
        f'<text x="{left}" y="14">CPU time for a message, as a ratio to the one with 1,000</text>',
    ]
    for size in SIZES:
        x, _ = place(size, 0)
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>')
    for ratio in range(int(greatest) + 1):
        _, y = place(SIZES[0], ratio)
        parts.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{ratio}</text>')
    for index, (name, points) in enumerate(series):
        path = " ".join("{:.1f},{:.1f}".format(*place(size, cost / points[0][1])) for size, cost in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[index % 4]}" stroke-width="2"/>')
        parts.append(f'<text x="{width - 140}" y="{top + 20 + 18 * index}" fill="{colours[index % 4]}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ", 1)[1], add_help=False)
    parser.add_argument("crema")
    parser.add_argument("--only", default="")
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("--generator")
    parser.add_argument("-h", "--help", action="help")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.crema).resolve())
    # Whoever ends this ends its broker, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    generator = str(pathlib.Path(arguments.generator or program).resolve())
    series = [
        (kind[0], grow(program, generator, kind, arguments.most, arguments.messages, arguments.rounds))
        for kind in KINDS if arguments.only in kind[0]
    ]
    if arguments.svg:
        arguments.svg.write_text(svg(series))
    return 0


if __name__ == "__main__":
    sys.exit(main())
