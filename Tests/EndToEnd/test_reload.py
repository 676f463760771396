"""Changes without a restart: what a reload takes, what it refuses, and that nobody who may stay notices."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import threading
import time
import unittest
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt

import wire
from broker import CREMA, REPOSITORY, WAIT_SECONDS, Broker, run

RELOADS = 10
CLIENTS = 40


class Client:
    """A paho client with a certificate, which notes every connection and every end of one."""

    def __init__(self, broker, name, version=mqtt.MQTTv5):
        broker.mutual_tls(name)
        pair = broker.certificates / "clients" / name
        self.connected, self.ended, self.received = threading.Event(), threading.Event(), []
        self.reason, self.connects = None, 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=version, reconnect_on_failure=False)
        self.client.tls_set(str(broker.certificates / "ca.crt"), f"{pair}.crt", f"{pair}.key")
        self.client.on_connect, self.client.on_disconnect = self._connected, self._ended
        self.client.on_message = lambda client, data, message: self.received.append(message.payload)
        self.client.connect("localhost", broker.mqtts)
        self.client.loop_start()
        assert self.connected.wait(WAIT_SECONDS), f"{name} was not let in:\n{broker.log()}"

    def _connected(self, client, data, flags, reason, properties):
        self.connects += 1
        if not reason.is_failure:
            self.connected.set()

    def _ended(self, client, data, flags, reason, properties):
        self.reason = reason
        self.ended.set()

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


class ReloadTestCase(unittest.TestCase):
    MORE = {}

    def setUp(self):
        self.broker = Broker(more=self.MORE)
        self.addCleanup(self.broker.end)
        self.certs("crl")
        self.configure_crl()

    def certs(self, *arguments):
        return run(CREMA, "certs", *arguments, "--directory", str(self.broker.certificates))

    def configure_crl(self):
        listeners = json.loads(self.broker.configuration.read_text())["listeners"]
        for listener in listeners:
            if "clientCA" in listener:
                listener["crl"] = "certs/ca.crl"
        self.broker.configure(listeners=listeners)
        self.broker.reload()

    def client(self, name, **options):
        client = Client(self.broker, name, **options)
        self.addCleanup(client.end)
        return client

    def reload(self, *options):
        return run(CREMA, "reload", "--admin", f"http://127.0.0.1:{self.broker.admin}", *options, check=False)

    def failed_reload(self, *texts):
        result = self.reload()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)
        self.broker.wait_for_log("reload failed: nothing has changed")

    def is_let_in(self, name):
        pair = self.broker.certificates / "clients" / name
        result = run("mosquitto_pub", *self.broker.server(), "--cert", f"{pair}.crt", "--key", f"{pair}.key", "-i", f"probe-{name}",
                     "-t", "x", "-m", "x", "-q", "1", check=False)
        return result.returncode == 0


class RevocationTests(ReloadTestCase):
    def test_a_revoked_client_is_closed_with_the_reason_and_everyone_else_stays(self):
        mallory, alice, old = self.client("mallory"), self.client("alice"), self.client("mallory-3", version=mqtt.MQTTv311)
        for name in ("mallory", "mallory-3"):
            self.assertIn("revoked", self.certs("revoke", name).stdout)
        result = self.reload("--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual((document["reloaded"], document["connectionsClosed"]), (True, 2))
        self.assertIn(str(self.broker.certificates / "ca.crl"), document["changed"])
        self.assertTrue(any("2 revoked" in change for change in document["changed"]), document)
        for client in (mallory, old):
            self.assertTrue(client.ended.wait(WAIT_SECONDS))
        self.assertEqual(mallory.reason.value, 0x87)
        self.assertFalse(alice.ended.is_set())
        self.broker.wait_for_log("connection closed", "client_id=mallory", "it is revoked", "CN=mallory", "peer=127.0.0.1:")
        self.assertFalse(self.is_let_in("mallory"))
        self.broker.wait_for_log("TLS handshake failed", "it is revoked", 'subject="CN=mallory,')
        self.assertTrue(self.is_let_in("alice"))

    def test_a_handshake_that_began_before_a_reload_is_judged_by_it(self):
        """Threat 12: the connection has the context of before, and what it proves is looked at as it is now."""
        self.broker.mutual_tls("mallory")
        context = ssl.create_default_context(cafile=str(self.broker.certificates / "ca.crt"))
        context.load_cert_chain(*[str(self.broker.certificates / "clients" / f"mallory.{kind}") for kind in ("crt", "key")])
        with socket.create_connection(("localhost", self.broker.mqtts), WAIT_SECONDS) as accepted:
            self.client("alice")  # so the other was accepted before
            self.certs("revoke", "mallory")
            self.assertEqual(self.reload().returncode, 0)
            with self.assertRaises(OSError):
                with context.wrap_socket(accepted, server_hostname="localhost") as stream:
                    stream.sendall(wire.connect("m"))
                    answer = stream.recv(4)
                    self.assertNotEqual(answer, b"\x20\x02\x00\x00", "it was let in")
                    if not answer:
                        raise ConnectionResetError
        self.broker.wait_for_log("TLS handshake failed", "it is revoked", 'subject="CN=mallory,')

    def test_check_looks_at_the_list(self):
        self.assertEqual(run(CREMA, "check", "--config", str(self.broker.configuration)).returncode, 0)
        other = self.broker.folder / "other"
        run(CREMA, "certs", "init", "--directory", str(other))
        run(CREMA, "certs", "crl", "--directory", str(other))
        shutil.copy(other / "ca.crl", self.broker.certificates / "ca.crl")
        result = run(CREMA, "check", "--config", str(self.broker.configuration), check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("has no revocation list of CN=Crema development CA", result.stdout + result.stderr)
        self.failed_reload("has no revocation list of CN=Crema development CA")
        self.assertEqual(run(CREMA, "certs", "check", "--directory", str(self.broker.certificates), check=False).returncode, 1)


class FailedReloadTests(ReloadTestCase):
    """Whatever is wrong, what was in force stays in force."""

    def test_each_file_that_cannot_be_used_changes_nothing(self):
        alice = self.client("alice")
        for name, text in (("ca.crt", "no certificate in it"), ("ca.crl", "no revocation list in it"),
                           ("server.crt", "no certificate in it"), ("server.key", "no private key in it")):
            file = self.broker.certificates / name
            kept = file.read_bytes()
            file.write_bytes(b"half a fi")
            self.failed_reload(str(file), text)
            file.write_bytes(kept)
        self.certs("revoke", "alice")
        self.broker.configure(policies=[{"principal": "x", "attach": ["Missing"]}])
        self.failed_reload("there is no policy `Missing`")
        time.sleep(0.2)
        self.assertFalse(alice.ended.is_set(), "a right list beside a wrong policy was taken")
        self.assertTrue(self.is_let_in("alice"))

    def test_a_key_that_others_may_read_is_refused_by_a_reload_and_at_the_start(self):
        """Threat 59: keys, and files of users, are their owner's alone."""
        for name, at in (("server.key", self.broker.certificates / "server.key"), ("users", self.broker.users)):
            at.chmod(0o640)
            self.failed_reload(f"{at}: mode 0640 lets others read", "chmod 600")
            result = run(CREMA, "serve", "--config", str(self.broker.configuration), check=False)
            self.assertEqual(result.returncode, 2, name)
            self.assertIn("mode 0640 lets others read", result.stderr)
            at.chmod(0o600)
        self.assertEqual(self.reload().returncode, 0)

    def test_files_that_are_suddenly_empty_change_nothing(self):
        """Most likely they are half written."""
        self.broker.users.write_text("")
        self.failed_reload(f"{self.broker.users}", "no users any more")
        kept = self.broker.configuration.read_text()
        for text in ("", "# nothing\n", "{}\n"):
            self.broker.configuration.write_text(text)
            self.failed_reload("there is nothing in the file")
            result = run(CREMA, "check", "--config", str(self.broker.configuration), check=False)
            self.assertEqual((result.returncode, "there is nothing in the file" in result.stderr), (2, True))
        self.broker.configuration.write_text(kept)
        self.failed_reload("no users any more")
        self.broker.add_user("ann", "espresso")
        self.assertEqual(self.reload().returncode, 0)

    def test_a_pipe_is_no_file_and_holds_nobody_up(self):
        pipe = self.broker.folder / "pipe.yaml"
        os.mkfifo(pipe)
        kept = self.broker.configuration.read_text()
        self.broker.configure(resources=[str(pipe)])
        self.failed_reload(f"{pipe}: the file cannot be read: it is not a regular file")
        check = run(CREMA, "check", "--config", str(self.broker.configuration), check=False)
        self.assertEqual((check.returncode, "it is not a regular file" in check.stderr), (2, True))
        self.broker.configuration.unlink()
        os.mkfifo(self.broker.configuration)
        self.failed_reload("it is not a regular file")
        self.broker.configuration.unlink()
        self.broker.configuration.write_text(kept)
        self.assertEqual(self.reload().returncode, 0)

    def test_what_needs_a_restart_is_named(self):
        listeners = json.loads(self.broker.configuration.read_text())["listeners"]
        listeners[1]["anonymous"] = False
        listeners[3]["bind"] = "127.0.0.1:1"
        self.broker.configure(listeners=listeners, limits={"httpHeadersMax": 7}, serverReference="other:1883")
        document = json.loads(self.reload("--json").stdout)
        text = "\n".join(document["needsRestart"])
        for part in ("`anonymous` of the listener mqtt", "which is not there any more", "the listener ws 127.0.0.1:1, which is new",
                     "the limits httpHeadersMax", "`serverReference`"):
            self.assertIn(part, text)
        self.broker.wait_for_log("a change needs a restart: the limits httpHeadersMax")

    def test_no_page_elsewhere_can_ask_for_a_reload(self):
        def status(method="POST", **headers):
            request = urllib.request.Request(f"http://127.0.0.1:{self.broker.admin}/api/v1/reload", method=method,
                                             data=b"{}" if method == "POST" else None, headers=headers)
            try:
                return urllib.request.urlopen(request, timeout=WAIT_SECONDS).status
            except urllib.error.HTTPError as error:
                return error.code

        json_type = {"Content-Type": "application/json"}
        self.assertEqual(status(**json_type), 200)
        self.assertEqual(status(**json_type, Origin=f"http://127.0.0.1:{self.broker.admin}"), 200)
        self.assertEqual(status(**json_type, Origin="https://evil.example"), 403)
        self.assertEqual(status(**{"Content-Type": "text/plain"}), 415)
        self.assertEqual(status(**{"Content-Type": "application/x-www-form-urlencoded"}), 415)
        self.assertEqual(status(**json_type, Host="evil.example"), 403)
        self.assertEqual(status(method="GET"), 405)


class LimitReloadTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.end)

    def reload(self, limits):
        self.broker.configure(limits=limits)
        result = run(CREMA, "reload", "--admin", f"http://127.0.0.1:{self.broker.admin}", "--json", check=False)
        return json.loads(result.stdout)

    def connect(self, name, **options):
        connection = socket.create_connection(("127.0.0.1", self.broker.mqtt), timeout=WAIT_SECONDS)
        self.addCleanup(connection.close)
        connection.sendall(wire.connect(name, version=5, **options))
        connack = connection.recv(4096)
        self.assertEqual((connack[0], connack[3]), (0x20, 0), connack)
        return connection, connack

    def is_acknowledged(self, connection, topic, payload):
        connection.sendall(wire.publish(topic, payload, qos=1, packet_id=1, version=5))
        answer = connection.recv(4096)
        return answer[:1] == b"\x40"

    def test_new_limits_hold_for_what_is_new_and_nobody_is_closed(self):
        first, connack = self.connect("first")
        self.assertIn(b"\x27" + (1 << 20).to_bytes(4, "big"), connack)
        document = self.reload({"packetBytesMax": 2000, "sessionsMax": 2, "retainedMessagesMax": 1})
        self.assertEqual(document["needsRestart"], [])
        self.assertIn("the limits packetBytesMax, retainedMessagesMax, sessionsMax", document["changed"])
        self.assertTrue(self.is_acknowledged(first, "t", "x" * 5000), "it was told 1 MiB")
        second, connack = self.connect("second")
        self.assertIn(b"\x27" + (2000).to_bytes(4, "big"), connack)
        self.assertFalse(self.is_acknowledged(second, "t", "x" * 5000))
        second.close()
        self.connect("third")
        fourth = socket.create_connection(("127.0.0.1", self.broker.mqtt), timeout=WAIT_SECONDS)
        self.addCleanup(fourth.close)
        fourth.sendall(wire.connect("fourth", version=5))
        self.assertEqual(fourth.recv(4096)[3], 0x97, "there are two sessions")
        self.assertEqual(self.reload({"packetBytesMax": 2000, "sessionsMax": 2, "retainedMessagesMax": 1})["changed"], [])
        self.assertIn("the limits packetBytesMax, retainedMessagesMax, sessionsMax", self.reload({})["changed"])
        self.assertTrue(self.is_acknowledged(first, "t", "still here"))

    def test_a_limit_that_is_none_changes_nothing(self):
        document = self.reload({"packetBytesMax": 2000, "sessionsMax": 0})
        self.assertFalse(document["reloaded"])
        self.assertIn("sessionsMax", document["problems"][0])
        _, connack = self.connect("a")
        self.assertIn(b"\x27" + (1 << 20).to_bytes(4, "big"), connack)

    def test_every_limit_is_taken_or_named(self):
        """As the page says it."""
        page = (REPOSITORY / "Sources/BrokerCore/Documentation.docc/Limits.md").read_text()
        taken = page[page.index("SIGHUP and"):page.index("A test takes")]
        kept = set(re.findall(r"`(\w+Max)`", taken))
        rows = {}
        for section in page.split("\n### ")[1:]:
            title = section.split("\n")[0]
            for name, value in re.findall(r"^\| `(\w+)` \| ([\d,]+|[a-z ]+) \| [^|]* \| [^|]* \|$", section, re.M):
                rows[name] = (title, int(value.replace(",", "")) + 1 if value[0].isdigit() else 1000)
        self.assertGreater(len(rows), 100)
        rows["connectionsMax"] = (rows["connectionsMax"][0], 1_000)  # more than files may be open is no more
        document = self.reload({name: value for name, (_, value) in rows.items()})
        self.assertTrue(document["reloaded"], document)
        named = document["needsRestart"][0].removeprefix("the limits ").split(", ")
        changed = next(text for text in document["changed"] if text.startswith("the limits ")).removeprefix("the limits ").split(", ")
        ofMQTT = ("Before anyone is known", "How often clients connect", "Passwords", "Packets", "Sessions", "What waits")
        reloaded = {name for name, (title, _) in rows.items() if title in ofMQTT or name.startswith("page")} - kept
        self.assertEqual(sorted(set(rows) - reloaded), sorted(named))
        self.assertLessEqual(set(changed), reloaded)
        self.assertEqual(reloaded - set(changed),
                         {"pageFilesMax", "pageBytesInAllMax", "passwordsRememberedMax", "passwordsRememberedSecondsMax"})


class OpenFileTests(unittest.TestCase):
    def test_no_open_files_are_left(self):
        """Threat 12: what cannot be read changes nothing: lists, authorities and users stay in force."""
        broker = Broker(limits={"connectSecondsMax": 120}, open_files=150)
        self.addCleanup(broker.end)
        listeners = json.loads(broker.configuration.read_text())["listeners"]
        for listener in listeners:
            if "clientCA" in listener:
                listener["crl"] = "certs/ca.crl"
        run(CREMA, "certs", "crl", "--directory", str(broker.certificates))
        broker.configure(listeners=listeners)
        broker.reload()
        alice = Client(broker, "alice")
        self.addCleanup(alice.end)
        mallory = broker.mutual_tls("mallory")
        run(CREMA, "certs", "revoke", "mallory", "--directory", str(broker.certificates))
        broker.reload()
        # What would be taken now, if it could be read: nothing revoked, and no certificate demanded.
        (broker.certificates / "ca.crl").unlink()
        run(CREMA, "certs", "crl", "--directory", str(broker.certificates))
        for listener in listeners:
            listener.pop("requireClientCertificate", None)
        broker.configure(listeners=listeners)
        hostile = [socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) for _ in range(200)]
        broker.wait_for_log("cannot accept", str(broker.mqtt))
        broker.process.send_signal(signal.SIGHUP)
        broker.wait_for_log("reload failed: nothing has changed")
        for connection in hostile:
            connection.close()
        for options in (mallory, broker.server()):
            deadline = time.monotonic() + WAIT_SECONDS
            known = broker.log().count("TLS handshake failed")
            while broker.log().count("TLS handshake failed") == known and time.monotonic() < deadline:
                result = run("mosquitto_pub", *options, "-i", "m", "-t", "x", "-m", "x", "-q", "1", check=False)
                self.assertNotEqual(result.returncode, 0)
                time.sleep(0.2)
            self.assertGreater(broker.log().count("TLS handshake failed"), known)
        self.assertFalse(alice.ended.is_set())


class WatchedFileTests(ReloadTestCase):
    MORE = {"watchFiles": True}

    def wait_until_revoked(self, count):
        self.broker.wait_for_log("reloaded:", f"{count} revoked")

    def test_a_file_that_changes_is_taken_and_half_a_file_is_not(self):
        mallory, alice = self.client("mallory"), self.client("alice")
        crl = self.broker.certificates / "ca.crl"
        self.certs("revoke", "mallory")
        self.assertTrue(mallory.ended.wait(WAIT_SECONDS))
        self.broker.wait_for_log("reloaded:", "ca.crl", "1 revoked")
        # A writer that takes its time: what it has written so far is never read.
        self.certs("revoke", "alice")
        text, failures = crl.read_bytes(), self.broker.log().count("reload failed")
        self.assertTrue(alice.ended.wait(WAIT_SECONDS))
        with crl.open("wb") as file:
            for byte in text:
                file.write(bytes([byte]))
                file.flush()
                time.sleep(3 / len(text))
        # What is wrong when it has come to rest is said once.
        crl.write_bytes(text[:100])
        deadline = time.monotonic() + WAIT_SECONDS
        while self.broker.log().count("reload failed") == failures and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(3)
        self.assertEqual(self.broker.log().count("reload failed"), failures + 1, self.broker.log())
        self.assertFalse(self.is_let_in("mallory"))


class LoadedReloadTests(ReloadTestCase):
    def test_no_connection_is_lost_by_reloads_under_load(self):
        """Threat 12: certificates and lists come and go under load, and whoever may stay stays."""
        steady = [self.client(f"steady-{number}") for number in range(CLIENTS)]
        for client in steady:
            client.client.subscribe(f"to/{client.client._client_id.decode()}", 1)
        spare = self.broker.folder / "spare"
        shutil.copytree(self.broker.certificates, spare)
        run(CREMA, "certs", "init", "--directory", str(spare), "--force")
        pairs = [(path / "server.crt", path / "server.key") for path in (spare, self.broker.folder / "first")]
        (self.broker.folder / "first").mkdir()
        for name in ("server.crt", "server.key"):
            shutil.copy(self.broker.certificates / name, self.broker.folder / "first" / name)
        over, lost, handshakes, serials = threading.Event(), [], [0], set()

        def connect():
            context = ssl.create_default_context(cafile=str(self.broker.certificates / "ca.crt"))
            context.load_cert_chain(*[str(self.broker.certificates / "clients" / f"steady-0.{kind}") for kind in ("crt", "key")])
            while not over.is_set():
                try:
                    with socket.create_connection(("localhost", self.broker.mqtts)) as raw:
                        with context.wrap_socket(raw, server_hostname="localhost") as stream:
                            serials.add(stream.getpeercert()["serialNumber"])
                            stream.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04new" + str(handshakes[0] % 10).encode())
                            if stream.recv(4) != b"\x20\x02\x00\x00":
                                lost.append("no CONNACK")
                    handshakes[0] += 1
                except OSError as error:
                    lost.append(repr(error))

        def publish():
            number = 0
            while not over.is_set():
                for client in steady:
                    client.client.publish(f"to/{client.client._client_id.decode()}", str(number), 1)
                number += 1
                time.sleep(0.02)

        threads = [threading.Thread(target=work) for work in (connect, publish)]
        for thread in threads:
            thread.start()
        for number in range(RELOADS):
            mallory = self.client(f"mallory-{number}")
            certificate, key = pairs[number % 2]
            for source, name in ((key, "server.key"), (certificate, "server.crt")):
                run("cp", "-p", str(source), str(self.broker.certificates / (name + ".new")))
                os.rename(self.broker.certificates / (name + ".new"), self.broker.certificates / name)
            self.certs("revoke", f"mallory-{number}")
            self.broker.reload()
            self.assertTrue(mallory.ended.wait(WAIT_SECONDS), f"mallory-{number} stayed")
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(lost, [])
        self.assertEqual([client.client._client_id for client in steady if client.ended.is_set() or client.connects != 1], [])
        self.assertEqual(len(serials), 2, "both of the server's certificates were seen")
        self.assertGreater(handshakes[0], RELOADS)
        for client in steady:
            deadline = time.monotonic() + WAIT_SECONDS
            while not client.received and time.monotonic() < deadline:
                time.sleep(0.05)
            numbers = [int(payload) for payload in client.received]
            self.assertEqual(numbers, sorted(set(numbers)), "each message once, in order")


if __name__ == "__main__":
    unittest.main()
