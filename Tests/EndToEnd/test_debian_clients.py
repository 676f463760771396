"""Clients that Debian packages: node-mqtt, and libpaho with a small program in C, of both versions.

libpaho is not tried over WebSocket: version 1.3.12 does not look at a second packet in a frame until more bytes come, and a broker may send
several in one (section 6 of both standards).
"""

import json
import os
import pathlib
import tempfile
import unittest

from broker import BrokerTestCase, run

PROGRAMS = pathlib.Path(__file__).parent / "clients"
# Where Debian's packages for Node.js lie: one from elsewhere does not look there by itself.
NODE_PATH = ":".join(["/usr/share/nodejs", "/usr/lib/nodejs", *map(str, pathlib.Path("/usr/lib").glob("*-linux-gnu/nodejs"))])


class DebianClientTests(BrokerTestCase):
    resources, parameters = (), {}

    def certificates(self, name):
        run_as = self.broker.mutual_tls(name)
        return [run_as[run_as.index(option) + 1] for option in ("--cafile", "--cert", "--key")]

    def talk_with_node(self, url, version, *certificates):
        result = run("node", str(PROGRAMS / "talk.js"), url, version, *certificates, env={**os.environ, "NODE_PATH": NODE_PATH})
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(lines[:2], [{"connected": True, "sessionPresent": False}, {"granted": [2]}])
        messages = sorted(lines[2:5], key=lambda line: line["topic"])
        self.assertEqual(messages, [
            {"topic": str(qos), "payload": f"message {qos}", "qos": qos, "number": str(qos) if version == "5" else None}
            for qos in range(3)])
        self.assertEqual(lines[5:], [{"connected": True, "sessionPresent": True}] if version == "5" else [])

    def test_node_mqtt(self):
        for version in ("4", "5"):
            self.talk_with_node(f"mqtt://127.0.0.1:{self.broker.mqtt}", version)
            self.talk_with_node(f"ws://127.0.0.1:{self.broker.ws}/mqtt", version)
            self.talk_with_node(f"mqtts://localhost:{self.broker.mqtts}", version, *self.certificates("node"))

    def test_libpaho(self):
        with tempfile.TemporaryDirectory() as folder:
            program = f"{folder}/talk"
            run("gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", str(PROGRAMS / "talk.c"), "-o", program,
                "-lpaho-mqtt3cs")
            for version in ("4", "5"):
                received = [f"received message {qos} qos {qos} properties {1 if version == '5' else 0}" for qos in (0, 1, 2, 1)]
                granted = ["granted 2"] if version == "5" else []
                for url, certificates in [
                        (f"tcp://127.0.0.1:{self.broker.mqtt}", []),
                        (f"ssl://localhost:{self.broker.mqtts}", self.certificates("libpaho"))]:
                    with self.subTest(url=url, version=version):
                        lines = run(program, url, version, *certificates).stdout.splitlines()
                        self.assertEqual(lines, [*granted, *received])


if __name__ == "__main__":
    unittest.main()
