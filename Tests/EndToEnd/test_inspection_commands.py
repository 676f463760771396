"""What operators see and do by the command line: clients, subscriptions, topics, retained messages, a message by hand, a trace."""

import fcntl
import json
import os
import pty
import select
import socket
import ssl
import struct
import subprocess
import termios
import time
import unittest

import wire
from broker import CREMA, WAIT_SECONDS, BrokerTestCase, run


class InspectionTestCase(BrokerTestCase):
    def admin_url(self):
        return f"http://127.0.0.1:{self.broker.admin}"

    def crema(self, *arguments, check=True, **options):
        return run(CREMA, *arguments, "--admin", self.admin_url(), check=check, **options)

    def json(self, *arguments):
        return json.loads(self.crema(*arguments, "--json").stdout)

    def connect(self, name, version=4, **options):
        client = socket.create_connection(("127.0.0.1", self.broker.mqtt), WAIT_SECONDS)
        self.addCleanup(client.close)
        client.sendall(wire.connect(name, version=version, **options))
        self.assertEqual(client.recv(1_000)[0], 0x20)
        return client

    def subscribe(self, client, filter, qos=0, version=4):
        client.sendall(wire.subscribe(1, [(filter, qos)], version=version))
        self.assertEqual(client.recv(1_000)[0], 0x90)


class ClientTests(InspectionTestCase):
    def test_a_client_with_tls_is_told_with_version_cipher_and_certificate(self):
        pair = self.broker.certificates / "clients" / "barista"
        self.broker.mutual_tls("barista")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=self.broker.certificates / "ca.crt")
            context.load_cert_chain(f"{pair}.crt", f"{pair}.key")
            context.minimum_version = context.maximum_version = version
            plain = socket.create_connection(("127.0.0.1", self.broker.mqtts), WAIT_SECONDS)
            with context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(wire.connect(version.name))
                self.assertEqual(client.recv(4), b"\x20\x02\x00\x00")
                row = self.json("clients", "--search", version.name)["rows"][0]
                self.assertEqual(row["tls"]["version"], version.name.replace("_", "."))
                suite = client.cipher()[0]
                self.assertEqual(row["tls"]["cipher"].replace("_WITH", "").replace("_", "-").removeprefix("TLS-").replace("AES-", "AES"),
                                 suite.replace("_", "-").removeprefix("TLS-").replace("AES-", "AES"))
                self.assertEqual((row["tls"]["certificate"], row["principal"]), ("barista", "barista"))
                self.assertIn("certificate of barista", self.crema("clients", "show", version.name).stdout)

    def test_clients_are_searched_shown_and_kicked(self):
        client = self.connect("kicked/by name", version=5, clean=True)
        self.subscribe(client, "kicked/#", qos=1, version=5)
        rows = self.json("clients", "--search", "KICKED", "--state", "connected", "--sort", "id", "--limit", "5")["rows"]
        self.assertEqual([row["clientID"] for row in rows], ["kicked/by name"])
        self.assertNotIn("tls", rows[0])
        self.assertRegex(rows[0]["connectedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        one = self.json("clients", "show", "kicked/by name")
        self.assertEqual([(row["filter"], row["qos"]) for row in one["subscriptionList"]], [("kicked/#", 1)])
        self.assertIn("kicked/#", self.crema("clients", "show", "kicked/by name").stdout)
        self.assertIn("kicked/by name", self.crema("clients").stdout)
        self.assertEqual(self.json("clients", "kick", "kicked/by name"), {"closed": True, "sessionRemoved": True})
        goodbye = client.recv(100)
        self.assertEqual((goodbye[0], goodbye[2]), (0xE0, 0x98))
        self.broker.wait_for_log("client kicked", 'client_id="kicked/by name"', "by=127.0.0.1:")
        missing = self.crema("clients", "kick", "kicked/by name", check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("kicked/by name", missing.stderr)
        self.assertEqual(self.crema("clients", "show", "nobody", check=False).returncode, 1)

    def test_a_session_that_waits_can_be_ended(self):
        self.connect("waits", clean=False).close()
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.json("clients", "--search", "waits", "--state", "offline")["rows"]:
            self.assertLess(time.monotonic(), deadline)
        self.assertIn("the session waits", self.crema("clients", "kick", "waits").stdout)
        self.assertIn("the session has ended", self.crema("clients", "kick", "waits", "--session").stdout)
        self.assertEqual(self.json("clients", "--search", "waits")["rows"], [])

    def test_what_a_client_calls_itself_does_not_reach_the_terminal(self):
        self.connect("evil\u202ered")
        shown = self.crema("clients", "--search", "evil").stdout
        self.assertNotIn("\u202e", shown)
        self.assertIn(r"evil\u{202E}red", shown)

    def test_a_table_is_cut_to_the_terminal(self):
        self.connect("long-" + "x" * 200)
        shown = on_terminal(self, 80, CREMA, "clients", "--search", "long-", "--admin", self.admin_url())
        self.assertIn("long-", shown)
        self.assertIn("…", shown)
        self.assertIn("x" * 200, self.crema("clients", "--search", "long-").stdout)


def on_terminal(test, columns, *command, answer=None):
    """Runs a program on a terminal of its own; answers what it wrote."""
    master, slave = pty.openpty()
    test.addCleanup(os.close, master)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
    os.close(slave)
    text = b""
    while True:
        ready, _, _ = select.select([master], [], [], WAIT_SECONDS)
        if not ready:
            process.kill()
            raise AssertionError(f"{command} writes nothing: {text}")
        try:
            piece = os.read(master, 65_536)
        except OSError:
            break
        if not piece:
            break
        text += piece
        if answer and b"[y/N]" in text:
            os.write(master, answer.encode())
            answer = None
    process.wait(WAIT_SECONDS)
    return text.decode()


class SubscriptionTests(InspectionTestCase):
    def test_who_gets_a_topic_is_answered_with_all_members_of_a_group(self):
        self.subscribe(self.connect("sub-a"), "who/gets/+", qos=1)
        self.subscribe(self.connect("sub-b"), "$share/group/who/#")
        self.subscribe(self.connect("sub-c"), "who/else")
        rows = self.json("subscriptions", "--topic", "who/gets/it")["rows"]
        self.assertEqual([(row["clientID"], row["filter"]) for row in rows], [("sub-a", "who/gets/+"), ("sub-b", "$share/group/who/#")])
        self.assertEqual(rows[1]["share"], "group")
        self.assertEqual([row["filter"] for row in self.json("subscriptions", "--client", "sub-c")["rows"]], ["who/else"])
        self.assertEqual([row["clientID"] for row in self.json("subscriptions", "--filter", "who/gets/+")["rows"]], ["sub-a"])
        self.assertIn("sub-b", self.crema("subscriptions").stdout)
        wrong = self.crema("subscriptions", "--topic", "who/#", check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertEqual(self.crema("subscriptions", "--topic", "a", "--client", "b", check=False).returncode, 2)


class TopicTests(InspectionTestCase):
    def test_the_tree_shows_a_level_with_rates_and_last_payloads(self):
        for topic, payload in (("tree/a", "one"), ("tree/a", "two"), ("tree/a/x", "deep"), ("tree/b", "{\"n\": 1}")):
            self.crema("publish", topic, payload)
        rows = {row["name"]: row for row in self.json("topics", "--tree", "tree")["rows"]}
        self.assertEqual(sorted(rows), ["a", "b"])
        self.assertEqual((rows["a"]["lastPayload"], rows["a"]["messages"], rows["a"]["topics"], rows["a"]["children"]), ("two", 3, 2, 1))
        self.assertEqual((rows["b"]["lastPayload"], rows["b"]["children"], rows["b"]["isTopic"]), ('{"n": 1}', 0, True))
        self.assertGreater(rows["a"]["messagesPerSecond"], 0)
        root = {row["name"]: row for row in self.json("topics", "--tree")["rows"]}
        self.assertFalse(root["tree"]["isTopic"])
        self.assertEqual(root["tree"]["messages"], 4)
        self.assertIn("a/", self.crema("topics", "--tree", "tree/").stdout)
        found = [row["topic"] for row in self.json("topics", "--search", "TREE/A")["rows"]]
        self.assertEqual(found, ["tree/a", "tree/a/x"])
        self.assertEqual(self.json("topics", "tree/#", "--sort", "messages", "--limit", "1")["rows"][0]["topic"], "tree/a")


class RetainedTests(InspectionTestCase):
    def retain(self, *topics):
        for topic in topics:
            self.crema("publish", topic, "on", "--retain", "--qos", "1")

    def topics(self, filter):
        return [row["topic"] for row in self.json("retained", filter)["rows"]]

    def test_retained_messages_are_listed_with_publisher_and_age(self):
        client = self.connect("retainer")
        client.sendall(wire.publish("kept/1", b"\xff\x00", retain=True, qos=1, packet_id=1))
        self.assertEqual(client.recv(100)[0], 0x40)
        row = self.json("retained", "kept/+")["rows"][0]
        self.assertEqual((row["publisher"], row["payload"], row["encoding"], row["bytes"]), ("retainer", "/wA=", "base64", 2))
        self.assertIn("base64:/wA=", self.crema("retained", "kept/#").stdout)

    def test_removal_asks_on_a_terminal_and_refuses_in_a_pipe(self):
        self.retain("gone/1", "gone/2", "stays/1")
        watcher = self.connect("watcher")
        self.subscribe(watcher, "gone/+")
        watcher.settimeout(WAIT_SECONDS)
        refused = self.crema("retained", "remove", "gone/#", check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("2 retained messages match, and nothing was removed", refused.stderr)
        preview = self.crema("retained", "remove", "gone/#", "--preview")
        self.assertEqual(preview.stdout, "gone/1\ngone/2\n")
        command = (CREMA, "retained", "remove", "gone/1", "--admin", self.admin_url())
        self.assertIn("nothing was removed", on_terminal(self, 80, *command, answer="n\n"))
        self.assertEqual(self.topics("gone/#"), ["gone/1", "gone/2"])
        self.assertIn("removed 1", on_terminal(self, 80, *command, answer="y\n"))
        self.assertEqual(self.topics("gone/#"), ["gone/2"])
        old = self.json("retained", "remove", "gone/#", "--older-than", "1h", "--yes")
        self.assertEqual((old["matched"], old["removed"]), (0, 0))
        removed = self.json("retained", "remove", "#", "--yes", "--older-than", "0s")
        self.assertIn("gone/2", removed["topics"])
        self.assertEqual(self.topics("#"), [])
        received = b""
        while not all(wire.publish(f"gone/{number}", "") in received for number in (1, 2)):
            received += watcher.recv(1_000)
        self.broker.wait_for_log("retained messages removed", "filter=gone/1", "removed=1", "by=127.0.0.1:")
        self.assertEqual(self.crema("retained", "remove", "a#", "--yes", check=False).returncode, 2)
        self.assertEqual(self.crema("retained", "remove", "a", "--older-than", "1x", check=False).returncode, 2)


class PublishTests(InspectionTestCase):
    def test_a_message_by_hand_reaches_clients(self):
        client = self.connect("hand")
        self.subscribe(client, "hand/#", qos=1)
        self.crema("publish", "hand/1", "hällo", "--qos", "1")
        self.assertIn("hand/1".encode(), client.recv(1_000))
        run(CREMA, "publish", "hand/2", "-", "--admin", self.admin_url(), input="from a pipe")
        self.assertIn(b"from a pipe", client.recv(1_000))
        for topic in ("$SYS/x", "a/#", "a/+"):
            refused = self.crema("publish", topic, "x", check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn("topic", refused.stderr)
        self.broker.wait_for_log("message published by an operator", "topic=hand/1", "by=127.0.0.1:")
        self.assertNotIn("hällo", self.broker.log())


class LiveTests(InspectionTestCase):
    def start(self, *arguments):
        process = subprocess.Popen(
            [CREMA, *arguments, "--admin", self.admin_url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_a_trace_begins_before_its_client_and_ends_by_itself(self):
        trace = self.start("trace", "traced", "--seconds", "4", "--json")
        time.sleep(1.5)
        client = self.connect("traced", user="ann", password=b"s3cret-password")
        self.subscribe(client, "traced/#", qos=1)
        client.sendall(wire.publish("traced/1", b"s3cret-payload", qos=1, packet_id=7))
        client.recv(1_000)
        self.connect("another")
        client.sendall(wire.disconnect())
        output, errors = trace.communicate(timeout=WAIT_SECONDS)
        self.assertEqual(trace.returncode, 0, errors)
        lines = [json.loads(line) for line in output.splitlines()]
        steps = [f"{line['direction']} {line['packet']}" for line in lines]
        for step in ("in CONNECT", "out CONNACK", "in SUBSCRIBE", "out SUBACK", "in PUBLISH", "out PUBLISH", "out PUBACK", "in DISCONNECT",
                     "decision connection closed"):
            self.assertIn(step, steps)
        self.assertNotIn("s3cret", output)
        publish = lines[steps.index("in PUBLISH")]
        self.assertEqual((publish["detail"]["topic"], publish["detail"]["packetID"], publish["detail"]["payloadBytes"]), ("traced/1", 7, 14))
        self.assertEqual(self.crema("trace", "x", "--seconds", "99999", check=False).returncode, 2)

    def test_a_trace_for_people_ends_after_so_many_lines(self):
        trace = self.start("trace", "lines", "-C", "2", "--seconds", "30")
        time.sleep(1.5)
        self.connect("lines\u202e")
        self.connect("lines")
        output, _ = trace.communicate(timeout=WAIT_SECONDS)
        self.assertEqual(trace.returncode, 0)
        first = output.splitlines()[0]
        self.assertRegex(first, r"^\d\d:\d\d:\d\d\.\d{3}Z → CONNECT .*keepAlive=60")
        self.assertEqual(len(output.splitlines()), 2)

    def test_a_tail_ends_after_its_time_with_a_code_of_its_own(self):
        ended = self.start("tail", "nothing/here", "-W", "1")
        self.assertEqual(ended.wait(WAIT_SECONDS), 27)
        sampled = self.start("tail", "sampled", "--every", "5", "-C", "2", "--json")
        time.sleep(1.5)
        client = self.connect("sampler")
        client.sendall(b"".join(wire.publish("sampled", str(number).encode()) for number in range(12)))
        output, _ = sampled.communicate(timeout=WAIT_SECONDS)
        self.assertEqual([json.loads(line)["payload"] for line in output.splitlines()], ["0", "5"])

    def happen(self):
        """What a tail, the log and a trace tell of."""
        self.connect("prolific").sendall(wire.publish("enough", b"x"))

    def test_a_reader_that_has_enough_is_no_failure_and_a_full_disk_is(self):
        for live in (["tail", "enough"], ["log"], ["trace", "prolific", "--seconds", "60"], ["top"]):
            with self.subTest(live):
                reader = self.start(*live)
                deadline = time.monotonic() + 2 * WAIT_SECONDS
                while not select.select([reader.stdout], [], [], 0.5)[0]:
                    self.assertLess(time.monotonic(), deadline)
                    self.happen()
                os.read(reader.stdout.fileno(), 1)
                reader.stdout.close()
                while reader.poll() is None:
                    self.assertLess(time.monotonic(), deadline)
                    self.happen()
                    time.sleep(0.5)
                self.assertEqual((reader.returncode, reader.stderr.read()), (0, ""))
        reading, writing = os.pipe()
        os.close(reading)
        listing = subprocess.run([CREMA, "clients", "--admin", self.admin_url()], stdout=writing, stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        self.assertEqual((listing.returncode, listing.stderr), (0, b""))
        with open("/dev/full", "w") as full:
            for command in (["top"], ["clients"]):
                result = subprocess.run([CREMA, *command, "--admin", self.admin_url()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((result.returncode, "cannot be written" in result.stderr), (1, True), result)

    def test_top_writes_a_line_a_second_into_a_pipe_and_draws_on_a_terminal(self):
        client = self.connect("top-client")
        client.sendall(wire.publish("top", b"x"))
        lines = self.crema("top", "-C", "2").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT\S+Z  clients \d+  in [\d.]+/s  out [\d.]+/s  drops 0/s  latency .*  queued \d+$")
        document = json.loads(self.crema("top", "-C", "1", "--json").stdout)
        self.assertIn("messagesInPerSecond", document["rates"])
        self.assertEqual(self.crema("top", "-W", "1", "-C", "9", check=False).returncode, 27)
        screen = on_terminal(self, 70, CREMA, "top", "-C", "4", "--admin", self.admin_url())
        self.assertTrue(screen.startswith("\x1b[?1049h"), screen)
        self.assertTrue(screen.rstrip().endswith("\x1b[?1049l"), screen)
        self.assertIn("SLOWEST", screen)
        self.assertIn("top-client", screen)
        self.assertIn("connected", screen)

    def test_the_log_is_followed_and_its_level_set_for_a_while(self):
        follower = self.start("log", "--level", "notice", "--json", "-C", "1")
        self.crema("publish", "log/1", "x")
        output, errors = follower.communicate(timeout=WAIT_SECONDS)
        self.assertEqual(follower.returncode, 0, errors)
        self.assertIn("message", json.loads(output))
        shown = self.crema("log", "-C", "3", "--level", "info").stdout
        self.assertEqual(len(shown.splitlines()), 3)
        self.assertEqual(self.crema("log", "level").stdout, "info\n")
        self.assertRegex(self.crema("log", "level", "debug", "--for", "90s").stdout, r"^debug for 1m\d\ds, then info\n$")
        self.assertEqual(self.json("log", "level")["level"], "debug")
        self.crema("log", "level", "info", "--for", "1s")
        self.assertEqual(self.crema("log", "level", "loud", check=False).returncode, 2)
        self.assertEqual(self.crema("log", "--level", "loud", check=False).returncode, 2)
        self.assertEqual(self.crema("log", "-W", "1", "-C", "100000", check=False).returncode, 27)


if __name__ == "__main__":
    unittest.main()
