"""Threats 1, 2, 11, 12, 13: sockets that never become clients do not delay those that do, take little memory, and are closed.

A thousand sockets unless CREMA_SOCKETS says otherwise; `.ci/sockets.sh` opens fifteen thousand. Prints its figures.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import unittest

import wire
from broker import WAIT_SECONDS, Broker

SOCKETS = int(os.environ.get("CREMA_SOCKETS", "1000"))
HOSTILE = pathlib.Path(__file__).with_name("hostile_sockets.py")
GROWTH_MAX = 64 * 1024 * 1024
# Long enough for all of them to be open at once.
DEADLINE_SECONDS = max(5, SOCKETS // 750)


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise AssertionError(f"closed after {data!r}")
        data += more
    return data


def good_client(port, number):
    """Connects, subscribes, publishes, gets the message; answers the seconds until CONNACK."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection:
        connection.sendall(wire.connect(f"good-{number}"))
        assert receive(connection, 4) == b"\x20\x02\x00\x00"
        seconds = time.monotonic() - begun
        connection.sendall(wire.subscribe(1, [("status", 1)]) + wire.publish("status", "ready", qos=1, packet_id=7))
        answers = receive(connection, 5 + 17 + 4)
        assert answers.startswith(b"\x90\x03\x00\x01\x01") and b"ready" in answers and b"\x40\x02\x00\x07" in answers, answers
        connection.sendall(b"\xe0\x00")
    return seconds


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class SlowSocketTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(limits={"connectSecondsMax": DEADLINE_SECONDS})
        self.addCleanup(self.broker.end)

    def hostile(self, kind, count):
        process = subprocess.Popen(
            [sys.executable, "-B", str(HOSTILE), str(self.broker.mqtt), str(count), kind], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_sockets_that_never_become_clients(self):
        counts = {"silent": SOCKETS * 2 // 5, "drip": SOCKETS * 2 // 5, "almost": SOCKETS // 10, "huge": SOCKETS // 10}
        for number in range(50):
            good_client(self.broker.mqtt, number)
        pid = self.broker.process.pid
        before = resident_bytes(pid)
        begun = processor_seconds(pid), time.monotonic()
        processes = [self.hostile(kind, count) for kind, count in counts.items()]
        most, latencies, waiting = before, [], set(processes)
        while waiting:
            latencies.append(good_client(self.broker.mqtt, len(latencies)))
            most = max(most, resident_bytes(pid))
            waiting = {process for process in waiting if process.poll() is None}
            time.sleep(0.005)
        used = processor_seconds(pid) - begun[0], time.monotonic() - begun[1]
        ended = {}
        for process in processes:
            figures = json.loads(process.stdout.read().splitlines()[-1])
            ended[figures.pop("kind")] = figures
        latencies.sort()
        print(
            f"\n{sum(counts.values())} hostile sockets: {len(latencies)} good clients connected, "
            f"p50 {latencies[len(latencies) // 2] * 1000:.1f} ms, p99 {latencies[int(len(latencies) * 0.99)] * 1000:.1f} ms, "
            f"longest {latencies[-1] * 1000:.1f} ms; resident memory {before / 2**20:.1f} MiB, at most "
            f"{(most - before) / 2**20:.1f} MiB more; processor share {used[0] / used[1] * 100:.0f} % of one core; {ended}")
        for kind, count in counts.items():
            self.assertEqual(ended[kind]["closed"], count, kind)
        for kind in ("silent", "drip"):
            self.assertGreaterEqual(ended[kind]["shortest"], DEADLINE_SECONDS - 0.1, kind)
        closed = json.loads(self.broker.asks("/api/v1/statistics"))["broker"]["connectionsClosed"]
        self.assertEqual(closed["malformed_packet"], counts["huge"])
        # Those with almost all of a CONNECT share connectBytesInAllMax; beyond it they are closed at once.
        timed_out, full = closed["connect_timeout"], closed.get("limit_exceeded", 0)
        self.assertEqual(timed_out + full, counts["silent"] + counts["drip"] + counts["almost"])
        self.assertGreaterEqual(timed_out, counts["silent"] + counts["drip"])
        self.assertLessEqual(most - before, GROWTH_MAX)


class OpenFilesTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(limits={"connectSecondsMax": 120}, open_files=150)
        self.addCleanup(self.broker.end)

    def test_no_open_files_left(self):
        for port in (self.broker.mqtt, self.broker.ws, self.broker.http, self.broker.admin):
            with self.subTest(port=port):
                self.fill(port)
        good_client(self.broker.mqtt, 1)
        self.assertEqual(self.broker.asks("/readyz").strip(), "ready")
        with socket.create_connection(("127.0.0.1", self.broker.scram), WAIT_SECONDS) as connection:
            connection.sendall(wire.connect("stranger"))
            self.assertEqual(receive(connection, 4), b"\x20\x02\x00\x05")

    def tries(self, port):
        return sum("cannot accept" in line and str(port) in line for line in self.broker.log().splitlines())

    def fill(self, port):
        """Opens more than the broker has room for, and closes them again."""
        pid = self.broker.process.pid
        reloads = self.broker.log().count("reload failed")
        hostile = [socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) for _ in range(200)]
        try:
            self.broker.wait_for_log("cannot accept", str(port))
            tries, begun = self.tries(port), (processor_seconds(pid), time.monotonic())
            time.sleep(3)
            share = (processor_seconds(pid) - begun[0]) / (time.monotonic() - begun[1])
            tries = self.tries(port) - tries
            print(f"\nno open files left ({port}): {tries} tries to accept in 3 s, processor share {share * 100:.1f} % of one core")
            self.assertLessEqual(tries, 10)  # a loop around accept makes thousands
            self.assertLess(share, 0.5)
            # Nothing can be read, so a reload changes nothing.
            self.broker.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + WAIT_SECONDS
            while self.broker.log().count("reload failed") == reloads and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual(self.broker.log().count("reload failed"), reloads + 1)
        finally:
            for connection in hostile:
                connection.close()
        deadline = time.monotonic() + WAIT_SECONDS
        while len(os.listdir(f"/proc/{pid}/fd")) > 100 and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertLessEqual(len(os.listdir(f"/proc/{pid}/fd")), 100)


if __name__ == "__main__":
    unittest.main()
