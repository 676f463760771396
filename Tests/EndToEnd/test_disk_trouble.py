"""Disks as they are at their worst: calls that fail, no room left, and what a power cut would find of a new directory."""

import itertools
import os
import pathlib
import signal
import subprocess
import time
import unittest

import wire
from broker import CREMA, WAIT_SECONDS, Broker
from test_store import FOR_EVER, StoreTestCase

# The contract: room is there again, and so is the service.
RETURN_SECONDS_MAX = 2


class FailingCallTests(StoreTestCase):
    """The calls by which the real program reaches its disk fail, one kind after the other."""

    def trouble_and_after(self, calls, error):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        subscriber.subscribe("a")
        subscriber.close()
        publisher = self.client("p")
        publisher.publish("a", "before", packet_id=1)
        self.assertEqual(publisher.next()["code"], 0)
        failing = self.let_fail(calls, error)
        publisher.publish("a", "meanwhile", packet_id=2)
        self.broker.wait_for_log("the store cannot write")
        self.assertTrue(publisher.has_nothing_for(0.3))
        refused = self.client("other")
        refused.publish("a", "refused", packet_id=3)
        self.assertEqual(refused.next()["code"], 0x83)
        failing.terminate()
        failing.wait()
        self.assertEqual(publisher.next()["code"], 0)
        publisher.publish("a", "afterwards", packet_id=4)
        self.assertEqual(publisher.next()["code"], 0)
        self.restart(gently=False)
        self.assertIn("crema_store_set_aside_total 0", self.broker.asks("/metrics"))
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual([subscriber.next()["payload"] for _ in range(3)], [b"before", b"meanwhile", b"afterwards"])

    def test_writes_fail(self):
        self.trouble_and_after("pwrite64,write", "EIO")

    def test_writes_find_no_room(self):
        self.trouble_and_after("pwrite64,write", "ENOSPC")

    def test_syncs_fail(self):
        self.trouble_and_after("fdatasync,fsync", "EIO")

    def test_everything_fails(self):
        self.trouble_and_after("pwrite64,write,fdatasync,fsync,ftruncate,unlink", "EIO")

    def test_a_damaged_file_that_cannot_be_set_aside_is_not_served(self):
        self.client("to-be-found-again", clean=False, props=FOR_EVER)
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        file = self.broker.folder / "data" / "crema.db"
        data = bytearray(file.read_bytes())
        data[data.index(b"to-be-found-again")] ^= 1
        file.write_bytes(data)
        command = [CREMA, "serve", "--config", str(self.broker.configuration)]
        calls = "rename,renameat,renameat2"
        result = subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO", *command],
            capture_output=True, text=True, timeout=WAIT_SECONDS)
        if "PTRACE" in result.stderr:
            self.skipTest("this machine lets nobody trace a process")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("cannot be set aside", result.stderr)
        self.assertEqual(file.read_bytes(), bytes(data))
        self.broker.start()
        self.broker.wait_until_ready()
        self.assertIn("crema_store_set_aside_total 1", self.broker.asks("/metrics"))


class NewDirectoryTests(unittest.TestCase):
    def test_each_name_that_is_made_is_synced(self):
        """The directory above each one that is made, and the new one for its file, before anything is said to be kept."""
        broker = Broker(more={"data": "above/data"})
        self.addCleanup(broker.end)
        broker.process.terminate()
        broker.process.wait(WAIT_SECONDS)
        folder = broker.folder.resolve()
        subprocess.run(["rm", "-r", str(folder / "above")], check=True)
        trace = folder / "trace"
        traced = subprocess.Popen(
            ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", "trace=fsync,mkdir,mkdirat,openat", CREMA, "serve", "--config",
             str(broker.configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        broker.process = traced
        # Before strace, which would leave it behind.
        self.addCleanup(self.end_children, traced.pid)
        try:
            broker.wait_until_ready()
        except AssertionError:
            if traced.poll() is not None and b"PTRACE" in traced.stderr.read():
                self.skipTest("this machine lets nobody trace a process")
            raise
        lines = trace.read_text().splitlines()
        traced.stderr.close()
        for directory in (folder, folder / "above", folder / "above" / "data"):
            synced = [line for line in lines if "fsync(" in line and f"<{directory}>" in line]
            self.assertTrue(synced, f"{directory} is not synced")


    @staticmethod
    def end_children(parent):
        try:
            children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            return
        for child in children:
            os.kill(int(child), signal.SIGTERM)


class FullDiskTests(StoreTestCase):
    """A small disk of the broker's own, in a mount namespace that nobody else sees."""

    def setUp(self):
        probe = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
        self.unshare = ["unshare", "--mount"]
        if probe.returncode != 0:
            self.unshare = ["unshare", "--map-root-user", "--mount"]
            if subprocess.run([*self.unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode != 0:
                self.skipTest("nothing can be mounted here")
        super().setUp()
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        self.data = self.broker.folder / "data"
        self.broker.command = [
            *self.unshare, "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"', str(self.data), CREMA]
        self.broker.start()
        self.broker.wait_until_ready()
        # The same directory, as the broker sees it.
        self.small = pathlib.Path(f"/proc/{self.broker.process.pid}/root{self.data}")

    def fill(self):
        """Takes all the room that is left; answers what to remove for it to be back."""
        ballast = self.small / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (65_536, 4_096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
        return ballast

    def answer(self, publisher, payload, is_patient=False):
        """The code of the answer to a message; nothing when none comes for a moment."""
        self.packet += 1
        publisher.publish("a", payload, packet_id=self.packet)
        return None if not is_patient and publisher.has_nothing_for(0.3) else publisher.next()["code"]

    def test_service_returns_when_room_does(self):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        subscriber.subscribe("a")
        subscriber.close()
        publisher = self.client("p")
        self.packet, expected = 0, []
        payloads = (f"{number} ".encode() * 200 for number in itertools.count())
        for _ in range(5):
            ballast = self.fill()
            payload = next(payloads)
            deadline = time.monotonic() + WAIT_SECONDS
            # The log has the room that it had before; then there is none.
            while (code := self.answer(publisher, payload)) == 0:
                self.assertLess(time.monotonic(), deadline)
                expected.append(payload)
                payload = next(payloads)
            self.assertIn(code, (None, 0x83))
            begun = time.monotonic()
            ballast.unlink()
            if code is None:
                self.assertEqual(publisher.next()["code"], 0, self.broker.log())
                expected.append(payload)
            payload = next(payloads)
            while self.answer(publisher, payload, is_patient=True) != 0:
                self.assertLess(time.monotonic() - begun, RETURN_SECONDS_MAX, self.broker.log())
                payload = next(payloads)
            expected.append(payload)
            self.assertLess(time.monotonic() - begun, RETURN_SECONDS_MAX)
        self.broker.wait_for_log("the store writes again")
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        got = []
        while len(got) < len(expected):
            found = subscriber.next()
            got.append(found["payload"])
            subscriber.socket.sendall(wire.acknowledgement(wire.PUBACK, found["packet_id"]))
        self.assertEqual(got, expected)


if __name__ == "__main__":
    unittest.main()
