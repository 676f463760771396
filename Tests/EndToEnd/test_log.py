"""The broker goes on serving when nobody reads its log."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from broker import CREMA, WAIT_SECONDS, Broker, unconfigured

CONNECT = bytes.fromhex("101000044d51545404020000000464726f70")
CONNACK = bytes.fromhex("20020000")
DISCONNECT = bytes.fromhex("e000")


class UnreadLogTests(unittest.TestCase):
    def test_a_log_that_nobody_reads_stops_no_client(self):
        broker = Broker(log_is_read=False)
        self.addCleanup(broker.process.stderr.close)
        self.addCleanup(broker.end)
        # Two lines for each client: more than the pipe and what waits for it.
        for _ in range(6_000):
            with socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as client:
                client.sendall(CONNECT)
                self.assertEqual(client.recv(4), CONNACK)
                client.sendall(DISCONNECT)
        dropped = re.search(r"^crema_log_lines_dropped_total (\d+)$", broker.asks("/metrics"), re.MULTILINE)
        self.assertGreater(int(dropped.group(1)), 0)


class LogFormatTests(unittest.TestCase):
    # Control characters are in no name: the standard lets a server refuse them.
    HOSTILE = 'x" level=critical {"level":"critical"}'

    def connect(self, broker, name):
        data = name.encode()
        packet = bytes.fromhex("00044d5154540402003c") + len(data).to_bytes(2, "big") + data
        with socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as client:
            client.sendall(bytes([0x10, len(packet)]) + packet)
            self.assertEqual(client.recv(4), CONNACK)
            client.sendall(DISCONNECT)

    def test_json_where_nobody_sits_at_a_terminal(self):
        broker = Broker(environment={"CREMA_LOG__FORMAT": "auto"})
        self.addCleanup(broker.end)
        self.connect(broker, self.HOSTILE)
        broker.wait_for_log("client_connected")
        lines = [json.loads(line) for line in broker.log().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertRegex(line["event"], r"^[a-z0-9_]+$")
            self.assertIn(line["level"], ("info", "notice", "warning"))
        self.assertIn("listening", {line["event"] for line in lines})
        connected = [line for line in lines if line["event"] == "client_connected"]
        self.assertEqual(connected[0]["client_id"], self.HOSTILE)

    def test_pairs_on_a_terminal(self):
        broker = Broker()
        self.addCleanup(broker.end)
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        # The ports are taken, so this one ends by itself, having said so.
        process = subprocess.run(
            [CREMA, "serve", "--config", str(broker.configuration)], stderr=theirs, env=unconfigured(), timeout=WAIT_SECONDS)
        os.close(theirs)
        self.assertEqual(process.returncode, 1)
        text = os.read(ours, 65_536).decode()
        self.assertRegex(text, r"(?m)^time=\S+Z level=info event=durability msg=\"")
        self.assertRegex(text, r"(?m)^time=\S+Z level=critical event=failed msg=\"")

    def test_a_value_is_one_value_of_one_line(self):
        """Threat 53: whatever a client is called."""
        broker = Broker()
        self.addCleanup(broker.end)
        self.connect(broker, self.HOSTILE)
        broker.wait_for_log('event=client_connected msg="client connected"', r'client_id="x\" level=critical {\"level\"')
        self.assertFalse([line for line in broker.log().splitlines() if line.startswith("{") or " level=critical " in line[:60]])


class LogLevelTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.end)

    def put(self, **change):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.broker.admin}/api/v1/log/level", json.dumps(change).encode(), {"Content-Type": "application/json"},
            method="PUT")
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)

    def test_the_level_changes_for_a_while(self):
        self.assertEqual(json.loads(self.broker.asks("/api/v1/log/level")), {"configured": "info", "level": "info"})
        changed = self.put(level="debug", seconds=2)
        self.assertEqual((changed["level"], changed["configured"]), ("debug", "info"))
        self.assertIn(changed["revertsInSeconds"], (1, 2))
        self.broker.asks("/api/v1/version")
        self.broker.wait_for_log("level=debug", "Request answered", "/api/v1/version")
        self.broker.wait_for_log("event=log_level_changed", "to=debug")
        deadline = time.monotonic() + WAIT_SECONDS
        while json.loads(self.broker.asks("/api/v1/log/level")) != {"configured": "info", "level": "info"}:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.put(level="loud", seconds=2)
        self.assertEqual(refused.exception.code, 400)

    def test_the_log_is_read_while_it_is_written(self):
        address = f"http://127.0.0.1:{self.broker.admin}/api/v1/log"
        with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as stream:
            events, last = [], None
            while last is None or last["event"] != "reloaded":
                line = stream.readline().strip()
                if not line:
                    continue
                last = json.loads(line)
                events.append(last["event"])
                if last["event"] == "ready":
                    self.broker.reload()
        self.assertEqual(events[0], "durability")
        self.assertEqual((last["level"], last["logger"], last["skipped"]), ("notice", "crema", 0))
        self.assertEqual(last["metadata"]["changed"], "nothing")

    def test_a_reload_takes_another_level(self):
        self.broker.configure(log={"level": "warning"})
        self.broker.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + WAIT_SECONDS
        while json.loads(self.broker.asks("/api/v1/log/level")) != {"configured": "warning", "level": "warning"}:
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
