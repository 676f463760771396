"""A broker of its own for each group of tests: certificates, configuration, free ports, and an end."""

import json
import os
import pathlib
import queue
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CREMA = os.environ.get("CREMA", str(REPOSITORY / ".build/release/crema"))
SHOP = REPOSITORY / "Sources/crema/Shop"
# How long what must happen may take; more where the machine does much else.
WAIT_SECONDS = int(os.environ.get("WAIT_SECONDS", "15"))
# What a broker of these tests may take at the most, whatever is done to it.
MEMORY_BYTES_MAX = 256 * 1024 * 1024


# Ports below those that the kernel gives to outgoing connections, which could take one before its broker does.
_ports = iter(random.sample(range(20_000, 32_000), 12_000))


def free_port():
    """A port that nobody has, and that this process gives to nobody else."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port of 20,000 to 32,000 is free")


def unconfigured():
    """This process's environment without what `crema` takes for its configuration: the tests' own settings are named CREMA_, too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CREMA")}


def run(*command, check=True, **options):
    """Runs a program to its end, with its output as text."""
    options.setdefault("env", unconfigured())
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result


class Broker:
    """`crema serve` with mutual TLS, plain MQTT, WebSocket, HTTP and administration on free ports of loopback."""

    # What begins to serve.
    command = [CREMA]

    def __init__(self, *resources, parameters=None, limits=None, open_files=None, more=None, log_is_read=True, listeners=(), files=None,
                 environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-"))
        self.certificates = self.folder / "certs"
        self.mqtts, self.mqtt, self.http, self.admin = (free_port() for _ in range(4))
        self.ws, self.wss = free_port(), free_port()
        self.scram, self.users = free_port(), self.folder / "users"
        run(CREMA, "certs", "init", "--directory", str(self.certificates))
        self.add_user("ann", "espresso")
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o600)
        self.configuration = self.folder / "crema.yaml"
        certificates = {"certificate": "certs/server.crt", "key": "certs/server.key", "clientCA": "certs/ca.crt"}
        self.configuration.write_text(json.dumps({
            "listeners": [
                {"protocol": "mqtts", "bind": f"127.0.0.1:{self.mqtts}", "requireClientCertificate": True, **certificates},
                {"protocol": "mqtt", "bind": f"127.0.0.1:{self.mqtt}", "anonymous": True},
                {"protocol": "mqtt", "bind": f"127.0.0.1:{self.scram}", "scramUsers": "users"},
                {"protocol": "ws", "bind": f"127.0.0.1:{self.ws}", "anonymous": True},
                {"protocol": "wss", "bind": f"127.0.0.1:{self.wss}", "requireClientCertificate": True, "path": "/broker",
                 "origins": ["https://shop.example"], **certificates},
                {"protocol": "http", "bind": f"127.0.0.1:{self.http}", "anonymous": True},
                {"protocol": "admin", "bind": f"127.0.0.1:{self.admin}", "anonymous": True},
                *listeners,
            ],
            "resources": [str(resource) for resource in resources],
            "parameters": parameters or {},
            "limits": limits or {},
            **(more or {}),
        }))
        # Tests read the log as people do.
        self._environment = {"CREMA_LOG__FORMAT": "logfmt", **(environment or {})}
        self._log = (self.folder / "crema.log").open("w")
        self._errors = self._log if log_is_read else subprocess.PIPE
        self.start()
        try:
            self.wait_until_ready()
            # Behind its back: it bounds its clients by what it finds at the start.
            if open_files:
                resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (open_files, open_files))
        except Exception:
            self.end()
            raise

    def start(self):
        """Begins to serve, on the same ports each time."""
        environment = unconfigured() | self._environment
        self.process = subprocess.Popen(
            [*self.command, "serve", "--config", str(self.configuration)], env=environment, stdout=self._log, stderr=self._errors)

    def kill(self):
        """The end without warning."""
        self.process.kill()
        self.process.wait()

    def wait_until_ready(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"crema is not ready:\n{self.log()}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    def log(self):
        self._log.flush()
        return (self.folder / "crema.log").read_text()

    def wait_for_log(self, *parts):
        """Waits for one line of the log that has all the parts."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if any(all(part in line for part in parts) for line in self.log().splitlines()):
                return
            time.sleep(0.02)
        raise AssertionError(f"no line with {parts} in the log:\n{self.log()}")

    def add_user(self, name, password):
        run(CREMA, "users", "add", name, "--file", str(self.users), input=password + "\n")

    def configure(self, **settings):
        """Writes the configuration with other settings, for the next reload or start."""
        self.configuration.write_text(json.dumps({**json.loads(self.configuration.read_text()), **settings}))

    def reload(self):
        seen = self.log().count("reloaded:")
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.log().count("reloaded:") == seen:
            if time.monotonic() > deadline:
                raise AssertionError(f"no reload:\n{self.log()}")
            time.sleep(0.02)

    def asks(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as answer:
            return answer.read().decode()

    def mutual_tls(self, name):
        """The options that make a mosquitto client speak mutual TLS as `name`."""
        run(CREMA, "certs", "issue", name, "--directory", str(self.certificates))
        client = self.certificates / "clients" / name
        return [*self.server(), "--cert", f"{client}.crt", "--key", f"{client}.key"]

    def server(self):
        return ["-h", "localhost", "-p", str(self.mqtts), "--cafile", str(self.certificates / "ca.crt")]

    def publish(self, name, topic, payload, *options):
        return run("mosquitto_pub", *self.mutual_tls(name), "-i", name, "-q", "1", "-t", topic, "-m", payload, *options)

    def peak_memory(self):
        """The most bytes of memory that the broker has had at once; 0 when it is gone."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        return sum(int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmHWM:"))

    def end(self):
        peak = self.peak_memory()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()
        shutil.rmtree(self.folder)
        if peak > MEMORY_BYTES_MAX:
            raise AssertionError(f"the broker took {peak} bytes of memory, and may take {MEMORY_BYTES_MAX}")


class Screen:
    """`mosquitto_sub` on some topics; what it shows, in order."""

    def __init__(self, broker, name, *topics, form="%t %p", version="311"):
        options = [option for topic in topics for option in ("-t", topic)]
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            ["mosquitto_sub", *broker.mutual_tls(name), "-i", f"screen-{name}", "-q", "1", *options, "-F", form,
             "-V", version],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self._wait_until_subscribed(broker, f"screen-{name}", len(topics))

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def _wait_until_subscribed(self, broker, client, count):
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            answer = json.loads(broker.asks("/api/v1/clients"))
            clients = answer["rows"]
            if any(found["clientID"] == client and found["subscriptions"] == count for found in clients):
                return
            time.sleep(0.02)
        raise AssertionError(f"{client} did not subscribe:\n{broker.log()}")

    def line(self):
        """The next line, as it is."""
        return self.lines.get(timeout=WAIT_SECONDS)

    def next(self):
        """The next message, as its topic and its payload read as JSON."""
        topic, payload = self.line().split(" ", 1)
        return topic, json.loads(payload)

    def end(self):
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        self.process.stdout.close()


class BrokerTestCase(unittest.TestCase):
    """Tests that share one broker with the shop's resources."""

    resources = (SHOP / "shop.yaml", SHOP / "api.yaml")
    parameters = {"CoreEventBusName": "Serverlesspresso"}
    limits = {}

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(*cls.resources, parameters=cls.parameters, limits=cls.limits)
        cls.addClassCleanup(cls.broker.end)

    def screen(self, name, *topics, **options):
        screen = Screen(self.broker, name, *topics, **options)
        self.addCleanup(screen.end)
        return screen
