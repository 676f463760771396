#!/usr/bin/env python3
"""Counts the instructions that the broker takes for a message (or a connection) in each mode, under valgrind's callgrind.

Usage: broker-instructions.py [options] CREMA

  CREMA              the program, built in release: .build/release/crema
  --check            compare with the committed counts, Benchmarks/instructions.json: exit code 1 if one is above by more than --percent
  --percent N        by how much a count may be above the committed one (default: 3)
  --renew            write the counts there
  --runs N           count each mode so often, and show the spread (default: 3)
  --only WORD        only modes whose name contains WORD
  --generator FILE   the program whose `bench` makes the load (default: CREMA itself)

A count is the difference between a long and a short load, divided by the difference of their messages: start-up and connecting do not
enter it. Every message of both is verified. The loads are of the kind whose count is the same each time, but for what disturbs it: one
client with one message under way, or with a fixed batch. What disturbs a run only adds to it, so the least of the long runs and the least
of the short ones are taken, and with --check a mode that is too dear is run up to six times. Behind a count stands how much more the
dearest run took. What callgrind counts is user code; the kernel's part is not in it.

Exit code: 0 if every count was had, and with --check none is too high; 1 if not; 2 for wrong usage.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
COMMITTED = FOLDER / "instructions.json"
# A change that costs more says why, in the commit that renews the counts.
PERCENT = 3
USERS = 100
START_SECONDS = 120
RUN_SECONDS = 600
RUNS_MAX = 6


class Load:
    """One mode: its name, the options of `crema bench`, where, and how many messages the short and the long run have."""

    def __init__(self, name, options, listener="mqtt", short=500, long=2_500, deliveries=1):
        self.name, self.options, self.listener = name, options.split(), listener
        self.short, self.long, self.deliveries = short, long, deliveries


def pair(qos, inflight, more=""):
    return f"p2p --publishers 1 --qos {qos} --inflight {inflight} {more}"


LOADS = [
    *(Load(f"QoS {qos} p2p, unbatched", pair(qos, 1)) for qos in (0, 1, 2)),
    *(Load(f"QoS {qos} p2p, batches of 20", pair(qos, 20), short=1_000, long=9_000) for qos in (0, 1, 2)),
    Load("QoS 0 p2p, 4 KiB, unbatched", pair(0, 1, "--size 4096")),
    Load("QoS 0 fan-out to 50, unbatched, per delivery", "fanout --subscribers 50 --inflight 1", short=100, long=600, deliveries=50),
    Load("QoS 1 fan-out to 50, unbatched, per delivery", "fanout --qos 1 --subscribers 50 --inflight 1", short=100, long=600, deliveries=50),
    Load("MQTT 5, QoS 0 p2p, unbatched", pair(0, 1, "--mqtt 5")),
    Load("MQTT 5, QoS 1 p2p, unbatched", pair(1, 1, "--mqtt 5")),
    Load("WebSocket, QoS 0 p2p, unbatched", pair(0, 1, "--websocket"), "ws"),
    Load("mutual TLS, QoS 0 p2p, unbatched", pair(0, 1), "mqtts"),
    Load("mutual TLS, QoS 0 p2p, batches of 20", pair(0, 20), "mqtts", short=1_000, long=9_000),
    Load("connect", "connect --concurrency 1", short=100, long=600),
    Load("mutual TLS 1.3, connect", "connect --concurrency 1 --tls-version 1.3", "mqtts", short=10, long=40),
    Load("mutual TLS 1.3, connect, resumed", "connect --concurrency 1 --tls-version 1.3 --resume", "mqtts", short=20, long=80),
    Load(f"rules of {USERS} users, order to status", "rules --users 1 --inflight 1", short=200, long=1_000),
]


class Count:
    """What one message takes: the least of the long runs, less the least of the short ones."""

    def __init__(self, load):
        self.load, self.short, self.long = load, [], []

    def add(self, broker):
        self.short.append(broker.count(self.load, self.load.short))
        self.long.append(broker.count(self.load, self.load.long))

    def per_message(self, long):
        return (long - min(self.short)) / ((self.load.long - self.load.short) * self.load.deliveries)

    @property
    def value(self):
        return self.per_message(min(self.long))

    @property
    def spread_percent(self):
        """How much more the dearest of the long runs took."""
        return 100 * (self.per_message(max(self.long)) / self.value - 1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class CountedBroker:
    """`crema serve` under callgrind, from its start to its end."""

    def __init__(self, program, generator, folder):
        self.folder, self.generator = folder, generator
        self.ports = {listener: free_port() for listener in ("mqtt", "mqtts", "ws")}
        certs = folder / "certs"
        for command in (("init",), ("issue", "bench")):
            subprocess.run([generator, "certs", *command, "--directory", str(certs)], check=True, stdout=subprocess.DEVNULL)
        rules = folder / "rules.yaml"
        rules.write_text(subprocess.run(
            [generator, "bench", "rules", "--print-resources", str(USERS)], check=True, capture_output=True, text=True).stdout)
        secured = {"certificate": str(certs / "server.crt"), "key": str(certs / "server.key"), "clientCA": str(certs / "ca.crt")}
        configuration = folder / "crema.yaml"
        configuration.write_text(json.dumps({
            "listeners": [
                {"protocol": "mqtt", "bind": f"127.0.0.1:{self.ports['mqtt']}", "anonymous": True},
                {"protocol": "ws", "bind": f"127.0.0.1:{self.ports['ws']}", "anonymous": True},
                {"protocol": "mqtts", "bind": f"127.0.0.1:{self.ports['mqtts']}", "anonymous": True, "requireClientCertificate": True,
                 **secured},
            ],
            "resources": [str(rules)],
            # One event loop on any machine: what a second one hands over is another count.
            # A handshake under valgrind takes its time on a busy machine.
            "limits": {"eventLoopsMax": 1, "connectSecondsMax": 60},
        }))
        self.client = ["--ca", str(certs / "ca.crt"), "--cert", str(certs / "clients/bench.crt"), "--key", str(certs / "clients/bench.key")]
        self.log = (folder / "log").open("w")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CREMA")}
        # Sets and dictionaries have the same order in each run.
        environment["SWIFT_DETERMINISTIC_HASHING"] = "1"
        library = folder / "valgrind-sigsuspend.so"
        subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", str(library), str(FOLDER / "valgrind-sigsuspend.c")], check=True)
        environment["LD_PRELOAD"] = str(library)
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counts", "--separate-threads=yes",
             str(program), "serve", "--config", str(configuration), "--log-level", "error"],
            stdout=self.log, stderr=subprocess.STDOUT, env=environment)
        self.dumps = 0
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(f"the broker did not start:\n{(self.folder / 'log').read_text()}") from None
                    time.sleep(0.1)

    def instructions(self):
        """The instructions of each thread since the last call, by the thread's number."""
        self.dumps += 1
        subprocess.run(["callgrind_control", "--dump", str(self.process.pid)], check=True, capture_output=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            totals = {}
            files = list(self.folder.glob(f"counts.{self.dumps}-*"))
            for file in files:
                if total := re.search(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE):
                    totals[int(file.name.rpartition("-")[2])] = int(total.group(1))
            if files and len(totals) == len(files):
                for file in files:
                    file.unlink()
                return totals
            time.sleep(0.02)
        raise SystemExit(f"callgrind wrote no counts:\n{(self.folder / 'log').read_text()}")

    def count(self, load, messages):
        """The instructions for one run of a load.

        Only threads that do at least a tenth of the most busy one's work are taken: others only look after the process.
        """
        options = [*load.options, "--messages", str(messages), "--warmup", "0", "--timeout", "60"]
        if load.listener == "mqtts":
            options += self.client
        self.instructions()
        result = subprocess.run(
            [self.generator, "bench", options[0], "--broker", f"127.0.0.1:{self.ports[load.listener]}", *options[1:]],
            capture_output=True, text=True, timeout=RUN_SECONDS)
        if result.returncode != 0:
            raise SystemExit(f"{load.name}: crema bench ended with {result.returncode}: {result.stderr}{result.stdout}")
        totals = self.instructions().values()
        return sum(total for total in totals if total >= max(totals) / 10)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def counts(arguments):
    """Each mode's counts, by its name."""
    found = {}
    chosen = [load for load in LOADS if (arguments.only or "") in load.name]
    with tempfile.TemporaryDirectory(prefix="crema-counts-") as folder:
        # Without its symbols: Debian's valgrind gives up on the debug information that Swift writes.
        program = pathlib.Path(folder) / "crema"
        subprocess.run(["strip", "-o", str(program), arguments.crema], check=True)
        generator = str(pathlib.Path(arguments.generator or arguments.crema).resolve())
        broker = CountedBroker(program, generator, pathlib.Path(folder))
        try:
            for load in chosen:
                # The first run of a mode fills what later ones find filled.
                broker.count(load, load.short)
                count = found[load.name] = Count(load)
                while len(count.long) < arguments.runs or (
                        arguments.check and count.value > limit(load.name, arguments.percent) and len(count.long) < RUNS_MAX):
                    count.add(broker)
                print(f"{load.name:<50} {count.value:>12,.0f}   + {count.spread_percent:.1f} %", flush=True)
        finally:
            broker.end()
    return found


def committed():
    return json.loads(COMMITTED.read_text())


def limit(name, percent):
    """The most that a mode may take; without end when it has no committed count."""
    return committed()["instructions"].get(name, float("inf")) * (1 + percent / 100)


def toolchain():
    output = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"Swift version (\S+)", output).group(1)


def check(found, percent):
    before = committed()
    machine = {"toolchain": toolchain(), "processor": platform.machine()}
    different = [f"{key} {machine[key]} and not {before[key]}" for key in machine if machine[key] != before[key]]
    if different:
        print(f"Not compared: the committed counts are of another machine ({', '.join(different)}).")
        return True
    higher, lower = [], []
    for name, counted in found.items():
        value, count = counted.value, before["instructions"].get(name)
        if count is None:
            higher.append(f"{name}: {value:,.0f}, and {COMMITTED.name} has no count for it")
        elif value > limit(name, percent):
            higher.append(f"{name}: {value:,.0f}, which is {100 * (value / count - 1):.1f} % more than {count:,}")
        elif value < count * (1 - percent / 100):
            lower.append(f"{name}: {value:,.0f}, which is {100 * (1 - value / count):.1f} % less than {count:,}")
    for text in lower:
        print(f"cheaper: {text}")
    if lower:
        print("Keep what was won: Benchmarks/broker-instructions.py --renew, in the commit that won it.")
    for text in higher:
        print(f"dearer: {text}", file=sys.stderr)
    if higher:
        print(
            f"A message costs the broker more than {percent:g} % more instructions than the committed count. Find what it is: "
            "`git stash` and count again, then callgrind_annotate the two. If the change is worth it, renew the counts with "
            "Benchmarks/broker-instructions.py --renew .build/release/crema, and say in the commit what they buy.", file=sys.stderr)
    return not higher


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ", 1)[1], add_help=False)
    parser.add_argument("crema")
    for name in ("--check", "--renew"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--percent", type=float, default=PERCENT)
    parser.add_argument("--only")
    parser.add_argument("--generator")
    parser.add_argument("-h", "--help", action="help")
    arguments = parser.parse_args()
    for tool in ("valgrind", "callgrind_control", "clang", "strip"):
        if not shutil.which(tool):
            parser.error(f"{tool} is missing (apt install valgrind binutils)")
    if arguments.renew and arguments.only:
        parser.error("--renew writes all counts: not with --only")
    # Whoever ends this ends its broker, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    found = counts(arguments)
    if arguments.renew:
        document = {
            "toolchain": toolchain(), "processor": platform.machine(),
            "instructions": {name: round(count.value) for name, count in found.items()},
        }
        COMMITTED.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if not arguments.check or check(found, arguments.percent) else 1


if __name__ == "__main__":
    sys.exit(main())
