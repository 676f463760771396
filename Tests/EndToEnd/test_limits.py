"""Threat 34: every number that a limit may be set to is served, or refused when it is read, by file, line and name."""

import json
import pathlib
import re
import signal
import socket
import tempfile
import unittest

import wire
from broker import CREMA, REPOSITORY, WAIT_SECONDS, Broker, run
from test_slow_sockets import good_client, receive

MAXIMUM = 2**40
SECONDS_MAXIMUM = 2**31 - 1


def names():
    """Every name under `limits:`, as the sources list them."""
    found = set()
    for path in (REPOSITORY / "Sources").rglob("*.swift"):
        found |= set(re.findall(r'\("(\w+)", \\\.', path.read_text()))
    return sorted(found)


def ends(name):
    """The least and the greatest value of a limit, by what the documentation says of it."""
    page = (REPOSITORY / "Sources/BrokerCore/Documentation.docc/Limits.md").read_text()
    row = re.search(rf"^\| `{name}` \|.*\(([\d,]+) to ([\d,]+)( TiB)?\) \|", page, re.MULTILINE)
    if row is None:
        return 1, SECONDS_MAXIMUM if "Seconds" in name else MAXIMUM
    least, greatest = (int(row.group(number).replace(",", "")) for number in (1, 2))
    return least, greatest << 40 if row.group(3) else greatest


class BrokerOfFewFiles(Broker):
    command = ["prlimit", "--nofile=120:120", CREMA]


class ConnectionTests(unittest.TestCase):
    """As many clients as there may be leave room for whoever looks what is wrong."""

    def clients(self, broker, count):
        """Connects as many; answers those that were let in."""
        served = []
        for number in range(count):
            connection = socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS)
            self.addCleanup(connection.close)
            try:
                connection.sendall(wire.connect(f"c{number}"))
                if connection.recv(4) == b"\x20\x02\x00\x00":
                    served.append(connection)
            except ConnectionError:
                pass
        return served

    def turned_away(self, broker):
        return json.loads(broker.asks("/api/v1/statistics"))["broker"]["connectionsTurnedAway"]

    def test_one_more_is_closed_and_one_that_leaves_makes_room(self):
        broker = Broker(limits={"connectionsMax": 5})
        self.addCleanup(broker.end)
        served = self.clients(broker, 8)
        self.assertEqual(len(served), 5)
        self.assertEqual(self.turned_away(broker), {"connections": 3})
        broker.wait_for_log("connection turned away")
        served[0].sendall(b"\xe0\x00")
        self.assertEqual(served[0].recv(1), b"")
        for _ in range(100):
            if self.clients(broker, 1):
                return
        self.fail("the room is not free again")

    def test_files_are_left_for_the_rest(self):
        """Threat 34: clients cannot take the last open files from the store, from requests and from probes."""
        broker = BrokerOfFewFiles()
        self.addCleanup(broker.end)
        served = self.clients(broker, 140)
        self.assertTrue(40 <= len(served) <= 60, len(served))
        self.assertEqual(broker.asks("/readyz"), "ready\n")
        broker.wait_for_log("few files may be open")
        self.assertEqual(self.turned_away(broker), {"connections": 140 - len(served)})


class LimitTests(unittest.TestCase):
    def test_no_name_stands_for_two_limits(self):
        found = []
        for path in (REPOSITORY / "Sources").rglob("*.swift"):
            text = path.read_text()
            if "static let names" in text:
                found += re.findall(r'\("(\w+)", \\\.', text[text.index("static let names"):])
        self.assertEqual(sorted(found), sorted(set(found)))
        self.assertGreater(len(found), 100)

    def check(self, text):
        with tempfile.TemporaryDirectory(prefix="crema-") as folder:
            path = pathlib.Path(folder) / "crema.yaml"
            path.write_text(text)
            return run(CREMA, "check", "--config", str(path), check=False)

    def test_all_names_are_known_at_their_ends(self):
        self.assertGreater(len(names()), 50)
        for end in (0, 1):
            lines = "".join(f"  {name}: {ends(name)[end]}\n" for name in names())
            result = self.check(f"limits:\n{lines}")
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_no_limit_takes_zero_or_less_or_more_than_there_is(self):
        for value in ("0", "-1", str(MAXIMUM + 1), "1.5", "many"):
            lines = "".join(f"  {name}: {value}\n" for name in names())
            result = self.check(f"limits:\n{lines}")
            self.assertEqual(result.returncode, 2)
            problems = result.stderr.splitlines()
            self.assertEqual(len(problems), len(names()))
            for line, (name, problem) in enumerate(zip(names(), problems), start=2):
                self.assertRegex(problem, rf"crema\.yaml:{line}:\d+: the limit {name} is `{re.escape(value)}`, but must be")

    def test_each_limit_at_its_greatest_is_served_and_stopped(self):
        broker = Broker(limits={name: ends(name)[1] for name in names() if name != "eventLoopsMax"})
        self.addCleanup(broker.end)
        good_client(broker.mqtt, 1)
        for port in (broker.ws, broker.http):
            self.web_client(port)
        broker.publish("device", "orders/1", "ready")
        self.stop(broker)

    def test_each_limit_of_the_broker_at_one_is_served_and_stopped(self):
        source = (REPOSITORY / "Sources/BrokerCore/Limits/BrokerLimits.swift").read_text()
        broker = Broker(limits={name: 1 for name in re.findall(r'\("(\w+)", \\\.', source)})
        self.addCleanup(broker.end)
        with socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as connection:
            connection.sendall(wire.connect("a"))
            self.assertEqual(connection.recv(64), b"")  # a CONNECT has more than one byte
        closed = json.loads(broker.asks("/api/v1/statistics"))["broker"]["connectionsClosed"]
        self.assertEqual(closed, {"malformed_packet": 1})
        self.stop(broker)

    def web_client(self, port):
        """Opens a WebSocket connection and an MQTT connection on it."""
        fields = "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        fields += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n"
        connect = wire.connect("page")
        with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection:
            connection.sendall(f"GET /mqtt HTTP/1.1\r\n{fields}\r\n".encode())
            received = b""
            while b"\r\n\r\n" not in received:
                received += receive(connection, 1)
            self.assertTrue(received.startswith(b"HTTP/1.1 101 "), received)
            connection.sendall(bytes([0x82, 0x80 | len(connect), 0, 0, 0, 0]) + connect)
            self.assertEqual(receive(connection, 6), b"\x82\x04\x20\x02\x00\x00")

    def stop(self, broker):
        broker.process.send_signal(signal.SIGTERM)
        self.assertEqual(broker.process.wait(WAIT_SECONDS), 0)

    def test_passwords_in_the_open_are_refused(self):
        with tempfile.TemporaryDirectory(prefix="crema-") as folder:
            path = pathlib.Path(folder) / "crema.yaml"
            run(CREMA, "users", "add", "ann", "--file", str(path.with_name("users")), input="espresso\n")
            path.write_text("listeners:\n- { protocol: mqtt, bind: '0.0.0.0:0', scramUsers: users }\n")
            result = run(CREMA, "serve", "--config", str(path), check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn("crema.yaml:2:27: 0.0.0.0:0 asks for passwords", result.stderr)


class ServerReferenceTests(unittest.TestCase):
    def test_clients_are_told_of_another_server_when_this_one_stops(self):
        broker = Broker(more={"serverReference": "other.example:8883"})
        self.addCleanup(broker.end)
        with socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as connection:
            connection.sendall(wire.connect("a", version=5))
            self.assertEqual(connection.recv(1)[0], 0x20)
            broker.process.send_signal(signal.SIGTERM)
            received = b""
            while more := connection.recv(4_096):
                received += more
        name = b"other.example:8883"
        self.assertEqual(received[-len(name) - 7:], b"\xe0\x17\x9c\x15\x1c\x00\x12" + name)
        self.assertEqual(broker.process.wait(WAIT_SECONDS), 0)


if __name__ == "__main__":
    unittest.main()
