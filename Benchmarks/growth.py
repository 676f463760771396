#!/usr/bin/env python3
"""What a message costs the broker as what it keeps grows: subscriptions, retained messages, rules, sessions; in memory and with a store.

Usage: growth.py [options] CREMA

  CREMA          the program, built in release: .build/release/crema
  --only WORD    only what contains WORD
  --store WHERE  memory, disk or both (default: both)
  --instructions count the instructions of a message under valgrind's callgrind instead, in memory and to 100,000
  --most N       no more than so many of each (default: 1000000)
  --messages N   of each measurement (default: 20000)
  --rounds N     measurements at each size (default: 5)
  --minutes N    for each kind; sizes that are not reached by then are left out (default: 10)
  --folder DIR   where the stores lie (default: a temporary folder)
  --json FILE    also write what was measured
  --svg FILE     also draw it
  --draw FILE    measure nothing: draw what was written with --json before
  --generator FILE   the program whose `bench` makes the load (default: CREMA itself)

For each kind a broker of its own is filled step by step; at each step `crema bench` sends verified messages of 64 bytes from 10 publishers
to a subscriber each (with rules: orders of 10 users, which become statuses), one under way each, and the broker's CPU time for a message is
taken: at QoS 0 in memory; with a store at QoS 1 to sessions that are kept, so that each message is on the disk before it is acknowledged,
and what the broker was filled with as well.

The least of the rounds is what counts, because what disturbs only adds; the greatest stands beside it, and how busy others kept the
machine. The column behind a figure is its ratio to the first one: flat is 1, and a table of N that is searched would be N. What a message
costs the kernel is in it, so small changes of Crema's own part do not show: --instructions counts that part alone, and nothing disturbs it.
"""

import argparse
import concurrent.futures
import http.client
import importlib.util
import json
import math
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEnd"))

import wire  # noqa: E402

specification = importlib.util.spec_from_file_location("counting", pathlib.Path(__file__).resolve().with_name("broker-instructions.py"))
counting = importlib.util.module_from_spec(specification)
specification.loader.exec_module(counting)

SIZES = (1_000, 10_000, 100_000, 1_000_000)
USERS = 10
PER_CLIENT = 10_000
LIMITS = {
    "eventLoopsMax": 1, "subscriptionsInAllMax": 2_000_000, "filterLevelsInAllMax": 8_000_000, "retainedMessagesMax": 2_000_000,
    "retainedBytesMax": 1 << 30, "retainedLevelsMax": 8_000_000, "retainedMessagesPerClientMax": 2_000_000,
    "retainedBytesPerClientMax": 1 << 30, "retainedLevelsPerClientMax": 8_000_000, "sessionsMax": 2_000_000, "rulesPerBusMax": 200_000,
}
UNITS = {"µs": "µs", "instructions": "instr."}
TICK = os.sysconf("SC_CLK_TCK")
# Under valgrind, on a machine that does other work.
START_SECONDS = 300
# Messages of the short load whose instructions are taken from those of a long one.
SHORT = 500
# Clients that come and go at once while sessions are made: they share the disk's syncs.
CONCURRENT = 64
# Calls of PutRule at once, for the same reason.
WRITERS = 8


class OutOfTime(Exception):
    """The next size would take longer than there is time for."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """`crema serve` on loopback, in memory or with a store."""

    unit = "µs"

    def __init__(self, program, generator, folder, is_kept, deadline):
        self.generator, self.mqtt, self.http = generator, free_port(), free_port()
        self.is_kept, self.deadline = is_kept, deadline
        rules = folder / "rules.yaml"
        rules.write_text(subprocess.run(
            [generator, "bench", "rules", "--print-resources", str(USERS)], check=True, capture_output=True, text=True).stdout)
        configuration = folder / "crema.yaml"
        configuration.write_text(json.dumps({
            "listeners": [{"protocol": "mqtt", "bind": f"127.0.0.1:{self.mqtt}", "anonymous": True},
                          {"protocol": "http", "bind": f"127.0.0.1:{self.http}", "anonymous": True}],
            "resources": [str(rules)], "limits": LIMITS, **({"data": str(folder / "data")} if is_kept else {})}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CREMA")}
        self.log = (folder / "log").open("w")
        self.folder = folder
        self.process = subprocess.Popen(
            [*self.command(program, environment), "serve", "--config", str(configuration), "--log-level", "error"], env=environment,
            stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_SECONDS
        for port in (self.mqtt, self.http):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        self.process.kill()
                        raise SystemExit(f"the broker did not start:\n{(folder / 'log').read_text()}") from None
                    time.sleep(0.05)
        self.held = []

    def command(self, program, environment):
        return [program]

    def connect(self, name, clean=True):
        client = socket.create_connection(("127.0.0.1", self.mqtt), 120)
        client.sendall(wire.connect(name, clean=clean, keep_alive=0))
        answer = receive(client, 4)
        if answer[0] != 0x20 or answer[3] != 0:
            raise SystemExit(f"CONNECT was answered {answer.hex()}")
        return client

    def check_time(self):
        if time.monotonic() > self.deadline:
            raise OutOfTime

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def bench(self, mode, messages, *more):
        shape = ["--users", str(USERS)] if mode == "rules" else ["--publishers", "10"]
        if self.is_kept:
            shape += ["--qos", "1", "--persistent"]
        result = subprocess.run(
            [self.generator, "bench", mode, "--broker", f"127.0.0.1:{self.mqtt}", "--pid", str(self.process.pid), "--json", *shape,
             "--inflight", "1", "--messages", str(messages), "--timeout", "60", *more], capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"crema bench ended with {result.returncode}: {result.stderr}")
        return json.loads(result.stdout)["rounds"][0]

    def measure(self, mode, messages, rounds):
        """Microseconds of the broker's CPU for a message, the least first; and what part of the machine others used meanwhile."""
        costs = []
        before = (time.monotonic(), busy_seconds(), self.cpu_seconds() + children_seconds())
        for _ in range(rounds):
            self.check_time()
            costs.append(1e6 / self.bench(mode, messages)["perBrokerCPUSecond"])
        elapsed, busy, own = time.monotonic() - before[0], busy_seconds() - before[1], self.cpu_seconds() + children_seconds() - before[2]
        return sorted(costs), max(0.0, busy - own) / elapsed / os.cpu_count()

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


def busy_seconds():
    """What all processors have worked since the machine began."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class CountedBroker(Broker):
    """The same under callgrind: what a message takes is the difference of a long load and a short one."""

    unit = "instructions"
    dumps = 0
    instructions = counting.CountedBroker.instructions

    def command(self, program, environment):
        # Without its symbols: Debian's valgrind gives up on the debug information that Swift writes.
        stripped, library = self.folder / "crema", self.folder / "valgrind-sigsuspend.so"
        subprocess.run(["strip", "-o", str(stripped), program], check=True)
        subprocess.run(
            ["clang", "-shared", "-fPIC", "-O1", "-o", str(library), str(counting.FOLDER / "valgrind-sigsuspend.c")], check=True)
        environment.update(LD_PRELOAD=str(library), SWIFT_DETERMINISTIC_HASHING="1")
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/counts", "--separate-threads=yes", str(stripped)]

    def measure(self, mode, messages, rounds):
        short, long = [], []
        for _ in range(rounds):
            self.check_time()
            for amount, counts in ((SHORT, short), (SHORT + messages, long)):
                self.instructions()
                self.bench(mode, amount, "--warmup", "0")
                totals = self.instructions().values()
                # Others of its threads only look after the process.
                counts.append(sum(total for total in totals if total >= max(totals) / 10))
        return sorted((one - min(short)) / messages for one in long), 0.0


def receive(client, count):
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise SystemExit("the broker closed the connection")
        data += piece
    return data


def add_subscriptions(broker, first, last):
    """One filter in four has a wildcard; 10,000 to a client, which stays connected; with a store in a session that is kept."""
    while first < last:
        count = min(PER_CLIENT - first % PER_CLIENT, last - first)
        client = broker.connect(f"grow-s{first}", clean=not broker.is_kept)
        broker.held.append(client)
        for start in range(first, first + count, 250):
            broker.check_time()
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
        broker.check_time()
        client.sendall(b"".join(
            wire.publish(f"kept/{n % 1_000}/{n}", b"on", retain=True) for n in range(start, min(start + 1_000, last))))
        client.sendall(wire.packet(0xC0, b""))
        receive(client, 2)
    client.close()


def add_sessions(broker, first, last):
    """Sessions with one subscription each, whose clients have gone."""
    for start in range(first, last, CONCURRENT):
        broker.check_time()
        clients = []
        for number in range(start, min(start + CONCURRENT, last)):
            client = socket.create_connection(("127.0.0.1", broker.mqtt), 30)
            client.sendall(wire.connect(f"grow-d{number}", clean=False, keep_alive=0) + wire.subscribe(1, [(f"devices/{number}", 1)]))
            clients.append(client)
        for client in clients:
            answer = receive(client, 9)
            if answer[:2] != b"\x20\x02" or answer[3] != 0 or answer[8] > 2:
                raise SystemExit(f"CONNECT and SUBSCRIBE were answered {answer.hex()}")
            # Not before: who says goodbye hears no answers any more.
            client.sendall(wire.packet(0xE0, b""))
        for client in clients:
            while client.recv(64):
                pass
            client.close()


def put_rules(broker, numbers):
    connection = http.client.HTTPConnection("127.0.0.1", broker.http)
    for number in numbers:
        broker.check_time()
        pattern = {"source": ["bench"], "detail-type": ["Order"], "detail": {"user": [f"other-{number}"]}}
        body = json.dumps({"Name": f"grow-{number}", "EventBusName": "bench", "EventPattern": json.dumps(pattern)})
        connection.request("POST", "/", body, {"X-Amz-Target": "AWSEvents.PutRule", "Content-Type": "application/x-amz-json-1.1"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"PutRule was answered {answer.status}: {text!r}")
    connection.close()


def add_rules(broker, first, last):
    """Rules of other users on the bus that the orders come to; some at once, which share the disk's syncs."""
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(put_rules, broker, range(first + place, last, WRITERS)) for place in range(WRITERS)]:
            done.result()


KINDS = (
    ("subscriptions", add_subscriptions, "p2p", 1_000_000), ("retained messages", add_retained, "p2p", 1_000_000),
    ("rules", add_rules, "rules", 100_000), ("sessions", add_sessions, "p2p", 1_000_000),
)


def grow(program, generator, kind, is_kept, arguments):
    """What was measured at each size."""
    name, add, mode, bound = kind
    where = "disk" if is_kept else "memory"
    points = []
    with tempfile.TemporaryDirectory(prefix="crema-growth-", dir=arguments.folder) as folder:
        kind_of_broker = CountedBroker if arguments.instructions else Broker
        broker = kind_of_broker(program, generator, pathlib.Path(folder), is_kept, time.monotonic() + 60 * arguments.minutes)
        try:
            broker.measure(mode, arguments.messages, 1)
            size = 0
            for target in (size for size in SIZES if size <= min(arguments.most, bound, 100_000 if arguments.instructions else bound)):
                began = broker.cpu_seconds()
                add(broker, size, target)
                filling = broker.cpu_seconds() - began
                costs, busy = broker.measure(mode, arguments.messages, arguments.rounds)
                points.append({
                    "size": target, "costs": costs, "othersBusy": round(busy, 3), "residentBytes": broker.resident_bytes(),
                    "fillingMicroseconds": round(1e6 * filling / (target - size), 2)})
                size = target
                ratio = costs[0] / points[0]["costs"][0]
                print(f"{name:<18} {where:<7} {size:>10,} {costs[0]:>10,.2f} {broker.unit} (to {costs[-1]:,.2f}) {ratio:>6.2f} ×  "
                      f"{points[-1]['residentBytes'] >> 20:>6,} MiB  others {busy:.0%}", flush=True)
        except OutOfTime:
            print(f"{name:<18} {where:<7} no more in {arguments.minutes} minutes", flush=True)
        finally:
            broker.end()
    return {"kind": name, "where": where, "unit": broker.unit, "points": points}


def svg(series):
    """Ratios to the first size over sizes, both by powers; a stroke from the least of the rounds to the greatest."""
    width, height, left, right, top, bottom = 880, 360, 60, 540, 40, 320
    greatest = max([2.0, *(point["costs"][-1] / one["points"][0]["costs"][0] for one in series for point in one["points"])])
    counted = any(one["unit"] == "instructions" for one in series)
    what = "Instructions of the broker for a message" if counted else "CPU time of the broker for a message"
    colours = {"subscriptions": "#8a5a2b", "retained messages": "#1f77b4", "rules": "#2f8f2f", "sessions": "#c23b3b"}

    def place(size, ratio):
        part = (math.log10(size) - 3) / 3
        return left + part * (right - left), bottom - (bottom - top) * ratio / greatest

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f"<title>{what}, as what it keeps grows</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{left - 40}" y="20" font-size="14">{what}, as a ratio to the one with 1,000</text>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444444"/>',
    ]
    for size in SIZES:
        x, _ = place(size, 0)
        parts.append(f'<path d="M{x:.1f} {bottom}v5" stroke="#444444"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>')
    step = 1 if greatest <= 8 else 10 ** int(math.log10(greatest))
    for ratio in range(0, int(greatest) + 1, step):
        _, y = place(SIZES[0], ratio)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{ratio}</text>')
    for index, one in enumerate(series):
        if not one["points"]:
            continue
        first = one["points"][0]["costs"][0]
        colour, dashes = colours[one["kind"]], "" if one["where"] == "memory" else ' stroke-dasharray="5 4"'
        places = [place(point["size"], point["costs"][0] / first) for point in one["points"]]
        for point, (x, y) in zip(one["points"], places):
            _, high = place(point["size"], point["costs"][-1] / first)
            parts.append(f'<path d="M{x:.1f} {y:.1f}V{high:.1f}" stroke="{colour}" stroke-opacity="0.4"/>')
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        y = top + 12 + 20 * index
        parts.append(f'<path d="M{right + 12} {y - 4}h24" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(f'<text x="{right + 42}" y="{y}">{one["kind"]}, {one["where"]} ({first:,.0f} {UNITS[one["unit"]]})</text>')
    return "\n".join([*parts, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ", 1)[1], add_help=False)
    parser.add_argument("crema", nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--store", choices=("memory", "disk", "both"), default="both")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("--draw", type=pathlib.Path)
    parser.add_argument("--generator")
    parser.add_argument("-h", "--help", action="help")
    arguments = parser.parse_args()
    if (arguments.crema is None) == (arguments.draw is None):
        parser.error("name a program to measure, or with --draw what was measured")
    series = []
    if arguments.draw:
        series = json.loads(arguments.draw.read_text())["series"]
    else:
        program = str(pathlib.Path(arguments.crema).resolve())
        generator = str(pathlib.Path(arguments.generator or program).resolve())
        # Whoever ends this ends its broker, too.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        places = [kept for kept, word in ((False, "memory"), (True, "disk")) if arguments.store in (word, "both")]
        for is_kept in places[:1] if arguments.instructions else places:
            for kind in (kind for kind in KINDS if arguments.only in kind[0]):
                series.append(grow(program, generator, kind, is_kept, arguments))
                if arguments.json:
                    arguments.json.write_text(json.dumps({"messages": arguments.messages, "series": series}, indent=1) + "\n")
    if arguments.svg:
        arguments.svg.write_text(svg(series))
    return 0


if __name__ == "__main__":
    sys.exit(main())
