"""The durable store as an operator meets it: what a restart keeps, what is said of it, and a disk that takes nothing for a while."""

import json
import pathlib
import socket
import stat
import subprocess
import time
import unittest

import wire
from broker import CREMA, WAIT_SECONDS, Broker, run

FOR_EVER = {"session_expiry": 0xFFFFFFFF}


class Client:
    """One connection, packet by packet."""

    def __init__(self, port, name, clean=True, version=5, props=None):
        self.version, self.buffer = version, bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
        self.socket.settimeout(WAIT_SECONDS)
        self.socket.sendall(wire.connect(name, version, clean=clean, props=props if version == 5 else None))
        self.connack = self.next()

    def next(self):
        while (end := wire.frame_end(self.buffer)) is None:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError("closed")
            self.buffer += data
        frame = bytes(self.buffer[:end])
        del self.buffer[:end]
        return wire.decode(frame, self.version)

    def has_nothing_for(self, seconds):
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(65_536)
        except socket.timeout:
            return not self.buffer
        finally:
            self.socket.settimeout(WAIT_SECONDS)
        return False

    def subscribe(self, topic, qos=1):
        self.socket.sendall(wire.subscribe(1, [(topic, qos)], self.version))
        return self.next()["codes"]

    def publish(self, topic, payload, qos=1, packet_id=1, retain=False):
        self.socket.sendall(wire.publish(topic, payload, qos, packet_id, retain, version=self.version))

    def close(self):
        self.socket.close()


class StoreTestCase(unittest.TestCase):
    more = {"data": "data"}

    def setUp(self):
        self.broker = Broker(more=self.more)
        self.addCleanup(self.broker.end)

    def let_syncs_fail(self):
        """Every sync from here on fails, until what is answered is ended."""
        return self.let_fail("fdatasync,fsync", "EIO")

    def let_fail(self, calls, error):
        """These system calls on the store's files fail from here on, until what is answered is ended."""
        file = str((self.broker.folder / "data" / "crema.db").resolve())
        failing = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}", "-P", file,
             "-P", f"{file}-wal", "-p", str(self.broker.process.pid)], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: failing.poll() is None and (failing.kill(), failing.wait()))
        self.wait_until_traced(failing)
        return failing

    def wait_until_traced(self, tracer):
        deadline = time.monotonic() + WAIT_SECONDS
        tasks = pathlib.Path(f"/proc/{self.broker.process.pid}/task")
        while time.monotonic() < deadline:
            if tracer.poll() is not None:
                self.skipTest("this machine lets nobody trace a process")
            try:
                if all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks.iterdir()):
                    return
            except FileNotFoundError:
                pass  # a thread that ended meanwhile
            time.sleep(0.02)
        self.fail("strace does not trace the broker")

    def client(self, *arguments, **options):
        client = Client(self.broker.mqtt, *arguments, **options)
        self.addCleanup(client.close)
        return client

    def restart(self, gently):
        if gently:
            self.broker.process.terminate()
            self.assertEqual(self.broker.process.wait(WAIT_SECONDS), 0)
        else:
            self.broker.kill()
        self.broker.start()
        self.broker.wait_until_ready()


class StoreTests(StoreTestCase):
    def test_a_queue_and_a_retained_message_outlive_the_process(self):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.subscribe("a/#", 2), [2])
        subscriber.close()
        expected = []
        for gently in (False, True, False):
            publisher = self.client("p")
            for number in range(1, 31):
                payload = f"{len(expected)}"
                publisher.publish("a/b", payload, qos=1, packet_id=number, retain=number == 30)
                self.assertEqual((found := publisher.next())["kind"], wire.PUBACK, found)
                expected.append(payload)
            self.restart(gently)
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.connack["present"], 1)
        got = []
        while len(got) < len(expected):
            found = subscriber.next()
            got.append(found["payload"].decode())
            subscriber.socket.sendall(wire.acknowledgement(wire.PUBACK, found["packet_id"]))
        self.assertEqual(got, expected)
        reader = self.client("reader")
        reader.subscribe("a/+")
        self.assertEqual(reader.next()["payload"].decode(), expected[-1])

    def test_any_number_of_event_loops_serves_what_was_kept(self):
        names, sent = [f"s{number}" for number in range(12)], 0
        for name in names:
            subscriber = self.client(name, clean=False, props=FOR_EVER)
            self.assertEqual(subscriber.subscribe("a", 2), [2])
            subscriber.close()
        for loops in (2, 3, 1, 3, 2):
            configuration = json.loads(self.broker.configuration.read_text())
            configuration["limits"]["eventLoopsMax"] = loops
            self.broker.configuration.write_text(json.dumps(configuration))
            self.restart(gently=False)
            publisher = self.client("p")
            for qos in (1, 2):
                publisher.publish("a", f"{sent}", qos=qos, packet_id=qos, retain=True)
                self.assertIn(publisher.next()["kind"], (wire.PUBACK, wire.PUBREC))
                sent += 1
            publisher.close()
        for name in names:
            subscriber = self.client(name, clean=False, props=FOR_EVER)
            self.assertEqual(subscriber.connack["present"], 1)
            got = [int(subscriber.next()["payload"]) for _ in range(sent)]
            for qos in (1, 2):  # the order is that of each
                self.assertEqual([number for number in got if number % 2 == qos - 1], list(range(qos - 1, sent, 2)))
            self.assertTrue(subscriber.has_nothing_for(0.05))

    def test_the_mode_is_named_wherever_it_is_asked(self):
        self.broker.wait_for_log("durability: strict", "kept: persistent sessions", "in memory: statistics")
        self.assertIn('crema_store_info{durability="strict"} 1', self.broker.asks("/metrics"))
        self.client("s", clean=False, props=FOR_EVER)
        store = json.loads(self.broker.asks("/api/v1/statistics"))["store"]
        self.assertEqual((store["durability"], store["failing"]), ("strict", False))
        self.assertGreater(store["commits"], 0)
        before = sorted(path.name for path in (self.broker.folder / "data").iterdir())
        report = json.loads(run(CREMA, "check", "--json", "--config", str(self.broker.configuration)).stdout)["store"]
        self.assertEqual((report["durability"], report["data"]), ("strict", str(self.broker.folder / "data")))
        self.assertIn("SQS queues", report["kept"])
        self.assertIn("archives", report["kept"])
        self.assertEqual(sorted(path.name for path in (self.broker.folder / "data").iterdir()), before)
        for path in (self.broker.folder / "data").iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_a_directory_has_one_broker(self):
        second = self.broker.folder / "second.yaml"
        second.write_text(json.dumps({"data": "data", "listeners": [{"protocol": "mqtt", "bind": "127.0.0.1:0"}]}))
        result = run(CREMA, "serve", "--config", str(second), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is in use by another process", result.stderr)

    def test_a_damaged_store_is_set_aside(self):
        subscriber = self.client("to-be-found-again", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.subscribe("a"), [1])
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        file = self.broker.folder / "data" / "crema.db"
        data = bytearray(file.read_bytes())
        data[data.index(b"to-be-found-again")] ^= 1
        file.write_bytes(data)
        self.broker.start()
        self.broker.wait_until_ready()
        self.broker.wait_for_log("the store is damaged", "set aside")
        self.assertIn("crema_store_set_aside_total 1", self.broker.asks("/metrics"))
        self.assertTrue(list(pathlib.Path(self.broker.folder / "data").glob("crema.db.damaged-*")))
        self.assertEqual(self.client("to-be-found-again", clean=False, props=FOR_EVER).connack["present"], 0)

    def test_nothing_is_acknowledged_while_the_disk_fails(self):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        subscriber.subscribe("a")
        subscriber.close()
        watcher = self.client("w")
        watcher.subscribe("live", 0)
        publisher = self.client("p")
        old = self.client("old", version=4)
        failing = self.let_syncs_fail()
        publisher.publish("a", "held", packet_id=1)
        self.broker.wait_for_log("the store cannot write")
        self.assertTrue(publisher.has_nothing_for(0.3))
        # On this connection a refusal would have to wait for the answer before it [MQTT5-4.6.0-2].
        other = self.client("other")
        other.publish("a", "refused", packet_id=2)
        found = other.next()
        self.assertEqual((found["kind"], found["packet_id"], found["code"]), (wire.PUBACK, 2, 0x83))
        old.publish("a", "refused")
        with self.assertRaises((EOFError, ConnectionError)):
            old.next()
        self.assertEqual(self.client("new", clean=False, props=FOR_EVER).connack["code"], 0x88)
        publisher.publish("live", "goes on", qos=0)
        self.assertEqual(watcher.next()["payload"], b"goes on")
        self.assertIn("crema_store_failing 1", self.broker.asks("/metrics"))
        failing.terminate()
        failing.wait()
        begun = time.monotonic()
        found = publisher.next()
        self.assertEqual((found["kind"], found["packet_id"], found["code"]), (wire.PUBACK, 1, 0))
        self.assertLess(time.monotonic() - begun, WAIT_SECONDS)
        publisher.publish("a", "taken again", packet_id=3)
        self.assertEqual(publisher.next()["code"], 0)
        self.restart(gently=False)
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual([subscriber.next()["payload"] for _ in range(2)], [b"held", b"taken again"])


if __name__ == "__main__":
    unittest.main()
