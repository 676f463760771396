"""Clients that give a user name and a password, against a file that mosquitto's own program made."""

import json
import os
import pathlib
import pty
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import paho.mqtt.client as paho

from broker import CREMA, WAIT_SECONDS, Broker, Screen, free_port, run
from test_clients import Client

VERSIONS = ("311", "5")
REFUSED = {"311": "bad user name or password", "5": "bad user name or password"}


class PasswordFile:
    """A password file that mosquitto_passwd makes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-passwords-"))
        self.path = self.folder / "passwords"
        self.path.touch(mode=0o600)

    def set(self, user, password, *options):
        run("mosquitto_passwd", *options, "-b", str(self.path), user, password)
        self.path.chmod(0o600)  # mosquitto_passwd 2.0 lets everybody read it

    def remove(self, user):
        run("mosquitto_passwd", "-D", str(self.path), user)
        self.path.chmod(0o600)

    def end(self):
        shutil.rmtree(self.folder)


class PasswordTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.users = PasswordFile()
        cls.addClassCleanup(cls.users.end)
        cls.users.set("ann", "espresso")
        cls.users.set("old", "mocha", "-H", "sha512")
        run(CREMA, "users", "add", "zoe", "--passwords", str(cls.users.path), input="flat white\n")
        cls.tcp, cls.open, cls.tls, cls.ws = (free_port() for _ in range(4))
        users = {"passwords": str(cls.users.path)}
        cls.broker = Broker(listeners=[
            {"protocol": "mqtt", "bind": f"127.0.0.1:{cls.tcp}", **users},
            {"protocol": "mqtt", "bind": f"127.0.0.1:{cls.open}", "anonymous": True, **users},
            {"protocol": "mqtts", "bind": f"127.0.0.1:{cls.tls}", "certificate": "certs/server.crt", "key": "certs/server.key", **users},
            {"protocol": "ws", "bind": f"127.0.0.1:{cls.ws}", **users},
        ])
        cls.addClassCleanup(cls.broker.end)

    def listener(self, name):
        port = {"tcp": self.tcp, "open": self.open, "tls": self.tls}[name]
        more = ["--cafile", str(self.broker.certificates / "ca.crt")] if name == "tls" else []
        return ["-h", "localhost" if name == "tls" else "127.0.0.1", "-p", str(port), *more]

    def publish(self, listener, version, *options):
        return run("mosquitto_pub", *self.listener(listener), "-V", version, "-q", "1", "-t", "orders/1", "-m", "ready", *options, check=False)

    def principals(self):
        return {row["clientID"]: row["principal"] for row in json.loads(self.broker.asks("/api/v1/clients"))["rows"]}

    def test_right_wrong_unknown_and_no_password_over_tcp_and_tls(self):
        for listener in ("tcp", "tls"):
            for version in VERSIONS:
                for user, password in (("ann", "espresso"), ("old", "mocha"), ("zoe", "flat white")):
                    result = self.publish(listener, version, "-u", user, "-P", password)
                    self.assertEqual((result.returncode, result.stderr), (0, ""), (listener, version, user))
                for options in (("-u", "ann", "-P", "mocha"), ("-u", "carl", "-P", "espresso"), ("-u", "ann"), ("-u", "zoe", "-P", "")):
                    result = self.publish(listener, version, *options)
                    self.assertNotEqual(result.returncode, 0, (listener, version, options))
                    self.assertIn(REFUSED[version], (result.stdout + result.stderr).lower())
                result = self.publish(listener, version)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("not authori", (result.stdout + result.stderr).lower())

    def test_the_user_is_the_principal_and_gets_its_messages(self):
        for version in VERSIONS:
            name = f"screen-{version}"
            screen = subprocess.Popen(
                ["mosquitto_sub", *self.listener("tls"), "-u", "ann", "-P", "espresso", "-V", version, "-i", name, "-q", "1", "-t", "orders/#",
                 "-C", "1", "-W", "20"], stdout=subprocess.PIPE, text=True)
            self.wait_until(lambda: self.principals().get(name) == "ann")
            self.assertEqual(self.publish("tcp", version, "-u", "old", "-P", "mocha").returncode, 0)
            self.assertEqual(screen.communicate(timeout=WAIT_SECONDS)[0], "ready\n")

    def test_a_wrong_password_is_not_taken_for_an_anonymous_client(self):
        for version in VERSIONS:
            self.assertEqual(self.publish("open", version).returncode, 0)
            self.assertEqual(self.publish("open", version, "-u", "ann", "-P", "espresso").returncode, 0)
            for options in (("-u", "ann", "-P", "x"), ("-u", "carl", "-P", "x"), ("-u", "carl")):
                self.assertNotEqual(self.publish("open", version, *options).returncode, 0, options)

    def test_pages_over_websocket(self):
        for version in (paho.MQTTv311, paho.MQTTv5):
            def client(password):
                return Client(
                    self.broker, f"page-{version}", transport="websockets", port=self.ws, version=version,
                    prepare=lambda client: client.username_pw_set("ann", password))
            page = client("espresso")
            self.addCleanup(page.end)
            self.assertEqual(self.principals()[f"page-{version}"], "ann")
            refused = []
            other = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="wrong", protocol=version, transport="websockets")
            other.username_pw_set("ann", "mocha")
            other.on_connect = lambda _client, _data, _flags, code, _properties: refused.append(str(code))
            other.connect("127.0.0.1", self.ws)
            deadline = time.monotonic() + WAIT_SECONDS
            while not refused and time.monotonic() < deadline:
                other.loop(0.1)
            self.assertEqual(refused, ["Bad user name or password"])

    def test_no_password_and_no_hash_is_in_the_log(self):
        self.publish("tcp", "5", "-u", "ann", "-P", "planted-secret")
        self.broker.wait_for_log("client refused", "wrong user name or password")
        log = self.broker.log()
        for secret in ("planted-secret", "espresso", *(line.rsplit("$", 1)[1].strip() for line in self.users.path.read_text().splitlines())):
            self.assertNotIn(secret, log)

    def test_metrics_count_the_checks(self):
        self.publish("tcp", "5", "-u", "carl", "-P", "x")
        metrics = self.broker.asks("/metrics")
        self.assertIn('crema_password_checks_total{outcome="answered"}', metrics)
        self.assertIn("crema_password_checks_waiting 0", metrics)

    def wait_until(self, condition):
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.05)


class PasswordReloadTests(unittest.TestCase):
    def setUp(self):
        self.users = PasswordFile()
        self.addCleanup(self.users.end)
        for name in ("gone", "changed", "stays"):
            self.users.set(name, "mocha")
        self.port = free_port()
        self.broker = Broker(listeners=[{"protocol": "mqtt", "bind": f"127.0.0.1:{self.port}", "passwords": str(self.users.path)}])
        self.addCleanup(self.broker.end)

    def publish(self, user, password):
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-u", user, "-P", password, "-t", "t", "-m", "x"]
        return run("mosquitto_pub", *options, check=False).returncode

    def client(self, name):
        client = Client(
            self.broker, f"client-{name}", port=self.port, host="127.0.0.1", prepare=lambda client: client.username_pw_set(name, "mocha"))
        self.addCleanup(client.end)
        return client

    def connected(self):
        rows = json.loads(self.broker.asks("/api/v1/clients"))["rows"]
        return {row["clientID"] for row in rows if row["connected"]}

    def test_a_listener_that_leaves_the_configuration_keeps_its_users_for_the_reload_is_refused(self):
        self.client("stays")
        listeners = json.loads(self.broker.configuration.read_text())["listeners"]
        for listener in listeners:
            if listener["bind"].endswith(f":{self.port}"):
                listener.update(bind=f"127.0.0.1:{free_port()}", anonymous=True)
        self.broker.configure(listeners=listeners)
        self.broker.process.send_signal(signal.SIGHUP)
        self.broker.wait_for_log("reload: ", "stays open until a restart, and its users would be gone")
        self.broker.wait_for_log("reload failed: nothing has changed")
        self.assertEqual(self.connected(), {"client-stays"})
        self.assertEqual(self.publish("stays", "mocha"), 0)
        self.assertNotEqual(self.publish("stays", "wrong"), 0)

    def test_users_come_and_go_with_a_reload_and_whose_password_is_gone_is_closed(self):
        for name in ("gone", "changed", "stays"):
            self.client(name)
        self.assertEqual(self.connected(), {"client-gone", "client-changed", "client-stays"})
        self.users.remove("gone")
        self.users.set("changed", "latte")
        self.users.set("new", "espresso")
        self.assertNotEqual(self.publish("new", "espresso"), 0)
        self.broker.reload()
        self.broker.wait_for_log("connection closed", "client_id=client-gone", "reason=not_permitted", "not in the listener's file any more")
        self.broker.wait_for_log("connection closed", "client_id=client-changed", "reason=not_permitted")
        self.assertIn("client-stays", self.connected())
        self.assertEqual([self.publish("new", "espresso"), self.publish("changed", "latte"), self.publish("stays", "mocha")], [0, 0, 0])
        self.assertNotEqual(self.publish("changed", "mocha"), 0)
        self.assertNotEqual(self.publish("gone", "mocha"), 0)

    def test_a_file_with_a_mistake_changes_nothing(self):
        good = self.users.path.read_text()
        for text, message in (
            (good + "carl\n", f"{self.users.path}:4: expected name:hash"), (good + "carl:\n", f"{self.users.path}:4: the user has no password"),
        ):
            self.users.path.write_text(text)
            self.refuse_reload(message)
            self.assertNotEqual(self.publish("carl", ""), 0)
            self.assertEqual(self.publish("stays", "mocha"), 0)
        self.users.path.write_text(good)
        self.users.path.chmod(0o644)
        self.refuse_reload("lets others read the credentials")
        self.users.path.unlink()
        self.refuse_reload("there is no such file")
        self.assertEqual(self.publish("stays", "mocha"), 0)

    def refuse_reload(self, message):
        seen = self.broker.log().count("reload failed: nothing has changed")
        self.broker.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.broker.log().count("reload failed: nothing has changed") == seen:
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.02)
        self.broker.wait_for_log("reload:", message)


class PasswordCommandTests(unittest.TestCase):
    """`crema users`, `crema check`, and what refuses to start."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="crema-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "passwords"

    def users(self, command, *arguments, **options):
        return run(CREMA, "users", command, *arguments, "--passwords", str(self.file), **options)

    def check(self, listener, **more):
        configuration = self.folder / "crema.yaml"
        configuration.write_text(json.dumps({"listeners": [{"protocol": "mqtt", "bind": "127.0.0.1:0", **listener}], **more}))
        return run(CREMA, "check", "--config", str(configuration), check=False)

    def test_users_are_added_listed_and_removed(self):
        for name in ("ann", "bob"):
            self.users("add", name, input="espresso\n")
        self.users("add", "--hash", "pbkdf2", "carl", input="mocha\n")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        lines = self.users("list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["USER", "ann", "bob", "carl"])
        self.assertIn("Argon2id with 47104 KiB", lines[1])
        self.assertIn("210000 iterations", lines[3])
        self.assertNotIn("$", "".join(lines))
        self.users("remove", "bob")
        self.assertEqual([line.split(":")[0] for line in self.file.read_text().splitlines()], ["ann", "carl"])
        result = self.users("remove", "bob", check=False)
        self.assertEqual((result.returncode, result.stderr), (1, f"crema: {self.file}: there is no user 'bob'\n"))
        self.assertEqual(self.check({"passwords": "passwords"}).returncode, 0)

    def test_a_password_is_asked_for_on_a_terminal_and_not_shown(self):
        leader, follower = pty.openpty()
        with subprocess.Popen(
            [CREMA, "users", "add", "ann", "--passwords", str(self.file)], stdin=follower, stdout=follower, stderr=follower,
        ) as process:
            os.close(follower)
            seen = b""
            while b"Password: " not in seen:
                seen += os.read(leader, 1_024)
            os.write(leader, b"planted-secret\n")
            self.assertEqual(process.wait(WAIT_SECONDS), 0)
            while True:
                try:
                    more = os.read(leader, 1_024)
                except OSError:
                    break
                seen += more
        os.close(leader)
        self.assertNotIn(b"planted-secret", seen)
        self.assertIn(b"the user 'ann' is there", seen)

    def test_what_cannot_be_is_refused(self):
        for arguments, code in (
            (["add", "ann"], 2), (["add", "ann", "--passwords", "a", "--file", "b"], 2), (["add", "a:b", "--passwords", str(self.file)], 2),
            (["add", "ann", "--hash", "pbkdf2", "--file", str(self.file)], 2), (["list", "--passwords", str(self.file)], 1),
        ):
            self.assertEqual(run(CREMA, "users", *arguments, input="x\n", check=False).returncode, code, arguments)
        self.assertFalse(self.file.exists())

    def test_mosquittos_own_broker_takes_what_was_written_for_it(self):
        self.users("add", "--hash", "pbkdf2", "ann", input="espresso\n")
        port = free_port()
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(f"listener {port} 127.0.0.1\npassword_file {self.file}\nuser root\n")
        with subprocess.Popen(["mosquitto", "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
            try:
                def publish(password):
                    options = ["-h", "127.0.0.1", "-p", str(port), "-u", "ann", "-P", password, "-t", "t", "-m", "x"]
                    return run("mosquitto_pub", *options, check=False)
                deadline = time.monotonic() + WAIT_SECONDS
                while (result := publish("espresso")).returncode and time.monotonic() < deadline:
                    time.sleep(0.1)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNotEqual(publish("mocha").returncode, 0)
            finally:
                process.terminate()

    def test_check_names_what_is_asked_for_and_warns_of_weak_hashes(self):
        self.file.touch(mode=0o600)
        for number in range(2):
            run("mosquitto_passwd", "-H", "sha512", "-b", str(self.file), f"user{number}", "x")
        self.file.chmod(0o600)
        result = self.check({"passwords": "passwords", "anonymous": True})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mqtt  password or anonymous", result.stdout)
        self.assertIn(f"{self.file}:1:1: a password is kept as salted SHA-512 ($6$), which can be guessed at very fast, and 1 more like it", result.stdout)
        self.file.write_text("# nobody\n")
        self.assertIn("the file has no users: nobody gets in by a password", self.check({"passwords": "passwords"}).stdout)

    def test_what_is_not_safe_does_not_start(self):
        self.users("add", "ann", input="espresso\n")
        exposed = {"passwords": "passwords", "bind": "0.0.0.0:0"}
        result = self.check(exposed)
        self.assertEqual(result.returncode, 2)
        self.assertIn("asks for passwords (`passwords`) without encryption", result.stderr)
        self.assertEqual(self.check({**exposed, "insecure": True}).returncode, 0)
        result = self.check({"passwords": "passwords", "protocol": "admin"})
        self.assertIn("`passwords` has no meaning for protocol admin", result.stderr)
        for mode in (0o640, 0o604):
            self.file.chmod(mode)
            result = self.check({"passwords": "passwords"})
            self.assertEqual(result.returncode, 2)
            self.assertIn("lets others read the credentials; chmod 600 it", result.stderr)


if __name__ == "__main__":
    unittest.main()
