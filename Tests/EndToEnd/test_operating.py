"""What people meet who run a broker: signals at any time, what speaks the wrong protocol, and mistakes on the command line."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import wire
from broker import CREMA, SHOP, WAIT_SECONDS, Broker, BrokerTestCase, free_port, run, unconfigured


class SignalTests(unittest.TestCase):
    def serve(self, **settings):
        folder = tempfile.TemporaryDirectory(prefix="crema-")
        self.addCleanup(folder.cleanup)
        file = pathlib.Path(folder.name) / "crema.json"
        file.write_text(json.dumps({"listeners": [{"protocol": "admin", "bind": "127.0.0.1:0"}], **settings}))
        process = subprocess.Popen([CREMA, "serve", "--config", str(file)], env=unconfigured(), stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def test_a_signal_at_any_moment_of_the_start_is_taken_as_later_ones(self):
        for milliseconds in range(0, 600, 10):
            process = self.serve()
            time.sleep(milliseconds / 1000)
            for number in (signal.SIGHUP, signal.SIGTERM):
                process.send_signal(number)
            _, log = process.communicate(timeout=WAIT_SECONDS)
            # Before the program has begun to run at all the system ends it.
            self.assertIn(process.returncode, (0,) if log else (0, -signal.SIGHUP, -signal.SIGTERM), f"after {milliseconds} ms: {log}")

    def test_a_signal_as_soon_as_it_is_caught_is_not_lost(self):
        """In the moment between a signal's handler and whoever reads what it wrote: the program would not end any more."""
        for _ in range(10):
            process = self.serve()
            caught = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)
            status = pathlib.Path(f"/proc/{process.pid}/status")
            deadline = time.monotonic() + WAIT_SECONDS
            while not int(caught.search(status.read_text())[1], 16) >> (signal.SIGTERM - 1) & 1:
                self.assertLess(time.monotonic(), deadline)
            process.terminate()
            _, log = process.communicate(timeout=WAIT_SECONDS)
            self.assertEqual(process.returncode, 0, log)

    def test_an_unfinished_request_does_not_hold_up_a_stop(self):
        broker = Broker()
        self.addCleanup(broker.end)
        with socket.create_connection(("127.0.0.1", broker.http)) as half, \
                socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as client:
            half.sendall(b"POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            client.sendall(wire.connect("waits"))
            self.assertEqual(client.recv(4), b"\x20\x02\x00\x00")
            begun = time.monotonic()
            broker.process.terminate()
            self.assertEqual(client.recv(1), b"")
            self.assertEqual(broker.process.wait(WAIT_SECONDS), 0)
            # Half of what it took before, and of what container engines grant.
            self.assertLess(time.monotonic() - begun, 9)


    def test_what_is_stuck_does_not_keep_the_process(self):
        """Its event loops stand still, as if each waited for what never comes: a debugger stops them."""
        broker = Broker()
        self.addCleanup(broker.end)
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        seize, interrupt, any_thread = 0x4206, 0x4207, 0x4000_0000
        tasks = pathlib.Path(f"/proc/{broker.process.pid}/task")
        loops = [int(task.name) for task in tasks.iterdir() if (task / "comm").read_text().startswith("NIO-ELT")]
        self.assertTrue(loops)
        for loop in loops:
            if ptrace(seize, loop, None, None) != 0:
                self.skipTest(f"nobody may debug here: {os.strerror(ctypes.get_errno())}")
            ptrace(interrupt, loop, None, None)
            os.waitpid(loop, any_thread)
        broker.process.terminate()
        deadline = time.monotonic() + 20 + 3 + 2 * WAIT_SECONDS
        for loop in loops:
            while os.waitpid(loop, os.WNOHANG | any_thread) == (0, 0):
                if time.monotonic() > deadline:
                    broker.process.kill()
                time.sleep(0.1)
        self.assertEqual(broker.process.wait(WAIT_SECONDS), 1)
        self.assertIn("the shutdown has not come to its end", broker.log())


class SilentConnectionTests(unittest.TestCase):
    """Threat 11: who asks for nothing keeps nobody from asking."""

    def test_who_sends_no_request_makes_room(self):
        broker = Broker(limits={"adminConnectionsMax": 4, "httpConnectionsMax": 4, "adminHeadSecondsMax": 2, "httpHeadSecondsMax": 2})
        self.addCleanup(broker.end)
        for port, path in ((broker.admin, "/livez"), (broker.http, "/nothing")):
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
            # Silent; a head that does not end; a second one that does not.
            beginnings = (b"", request, request + b"\r\n") * 3
            with contextlib.ExitStack() as stack:
                silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)) for _ in beginnings]
                for connection, beginning in zip(silent, beginnings):
                    connection.sendall(beginning)
                with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as asks:
                    asks.sendall(request + b"\r\n")
                    self.assertIn(b"HTTP/1.1", asks.recv(1_024))
                for connection in silent[2::3]:
                    self.assertIn(b"HTTP/1.1", connection.recv(1_024))
                    connection.sendall(request)
                for connection in silent:
                    while connection.recv(1_024):
                        pass
        broker.wait_for_log("the listener has as many connections as it may", f":{broker.admin}")
        metrics = broker.asks("/metrics")
        for port in (broker.admin, broker.http):
            self.assertRegex(metrics, rf'crema_listener_full_total\{{[^}}]*:{port}"\}} [1-9]')


class StartTests(unittest.TestCase):
    def test_a_start_that_fails_has_served_nobody(self):
        for protocol in ("mqtt", "http", "admin"):
            with self.subTest(protocol), socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as folder:
                mqtt, http, busy = free_port(), free_port(), taken.getsockname()[1]
                configuration = pathlib.Path(folder) / "crema.json"
                configuration.write_text(json.dumps({"listeners": [
                    {"protocol": name, "bind": f"127.0.0.1:{port}", "anonymous": True}
                    for name, port in (("mqtt", mqtt), ("http", http), (protocol, busy))]}))
                starting = subprocess.Popen(
                    [CREMA, "serve", "--config", str(configuration)], env=unconfigured(), stderr=subprocess.PIPE, text=True)
                answers = []
                while starting.poll() is None:
                    for port, request in ((mqtt, wire.connect("early")), (http, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")):
                        try:
                            with socket.create_connection(("127.0.0.1", port), 1) as client:
                                client.sendall(request)
                                answers.append(client.recv(12))
                        except OSError:
                            pass
                self.assertEqual([answer for answer in answers if answer], [])
                self.assertEqual(starting.returncode, 1)
                self.assertIn(str(busy), starting.communicate()[1])


class WrongProtocolTests(BrokerTestCase):
    def test_who_speaks_something_else_is_told_by_name(self):
        context = ssl.create_default_context()
        for port in (self.broker.http, self.broker.admin):
            with socket.create_connection(("127.0.0.1", port)) as plain, self.assertRaises(OSError):
                context.wrap_socket(plain, server_hostname="localhost")
        # Of one address and status there is one line a second.
        time.sleep(1.1)
        for port in (self.broker.http, self.broker.admin):
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(wire.connect("lost"))
                self.assertIn(b"400", plain.recv(1_000))
        for logger in ("crema.gateway", "crema.admin"):
            self.broker.wait_for_log(logger, "the peer speaks TLS on a listener of plain HTTP")
            self.broker.wait_for_log(logger, "the peer speaks MQTT on a listener of HTTP")

    def test_a_client_that_does_not_trust_the_broker(self):
        for version, words in ((ssl.TLSVersion.TLSv1_2, "the client does not trust"), (ssl.TLSVersion.TLSv1_3, "the client gave up")):
            context = ssl.create_default_context()
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", self.broker.mqtts)) as plain, self.assertRaises(ssl.SSLError):
                context.wrap_socket(plain, server_hostname="localhost")
            self.broker.wait_for_log("TLS handshake failed", words)
        self.assertNotIn(".cc:", self.broker.log())

    def test_what_is_no_character_reaches_nobody(self):
        """libmosquitto closes the connection that brings it one, and would meet it again at each reconnect."""
        with socket.create_connection(("127.0.0.1", self.broker.mqtt), WAIT_SECONDS) as client:
            client.sendall(wire.connect("poison") + wire.publish("x/\x01", "p", qos=1, packet_id=1))
            self.assertEqual(client.recv(4), b"\x20\x02\x00\x00")
            self.assertEqual(client.recv(4), b"")
        self.broker.wait_for_log("a control character", "poison")


class CommandLineTests(unittest.TestCase):
    def refuses(self, code, words, *command, **options):
        result = run(CREMA, *command, check=False, **options)
        self.assertEqual((result.returncode, words in result.stderr), (code, True), result)
        return result.stderr

    def test_a_port_that_is_none(self):
        for port in (0, 65_536, 99_999):
            self.refuses(2, "is no URL like", "topics", "--admin", f"http://127.0.0.1:{port}")

    def test_no_reason_shows_a_place_in_a_library(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            asking = subprocess.Popen(
                [CREMA, "topics", "--admin", f"https://127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            with server.accept()[0] as connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                connection.recv(10_000)
            _, errors = asking.communicate(timeout=WAIT_SECONDS)
        self.assertEqual((asking.returncode, "does not speak TLS" in errors, ".cc" in errors), (5, True, False), errors)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            for command in (["version"], ["check", "--json"]):
                result = subprocess.run([CREMA, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((result.returncode, "cannot be written" in result.stderr), (1, True), result)

    def check(self, settings, *files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("crema.json", json.dumps(settings)), *files):
                (pathlib.Path(folder) / name).write_text(text)
            return run(CREMA, "check", "--config", f"{folder}/crema.json", check=False)

    def test_what_is_given_for_nothing_is_named(self):
        template = json.dumps({"Parameters": {"Bus": {"Type": "String", "Default": "b"}}, "Resources": {
            "B": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Ref": "Bus"}}}}})
        found = self.check({"resources": ["t.json"], "parameters": {"Buss": "x"}}, ("t.json", template))
        self.assertEqual(found.returncode, 2)
        self.assertIn("the parameter `Buss` is in none of the resources; did you mean `Bus`?", found.stderr)
        self.assertEqual(self.check({"resources": ["t.json"], "parameters": {"Bus": "x"}}, ("t.json", template)).returncode, 0)

    def test_a_route_to_a_bus_that_nobody_declares_is_warned_of(self):
        integration = {
            "type": "aws_proxy", "integrationSubtype": "EventBridge-PutEvents",
            "requestParameters": {"Detail": "$request.body", "DetailType": "t", "Source": "s", "EventBusName": "nope"}}
        api = {"openapi": "3.0.1", "paths": {"/typo": {"post": {"x-amazon-apigateway-integration": integration}}}}
        found = self.check({"resources": ["api.json"]}, ("api.json", json.dumps(api)))
        self.assertEqual(found.returncode, 0, found)
        self.assertIn("POST /typo puts its events on the bus nope, which no template declares", found.stdout)

    def test_a_shop_without_its_files_says_what_makes_them(self):
        with tempfile.TemporaryDirectory() as folder:
            shop = pathlib.Path(folder) / "Sources/crema/Shop"
            shutil.copytree(SHOP, shop)
            configuration = str(shop / "crema.yaml")
            errors = self.refuses(2, "certs/passwords: there is no such file", "serve", "--config", configuration)
            self.assertIn(f"crema.yaml:11:5: {shop}/../../../certs/passwords: ", errors)
            self.assertIn("`crema users add NAME --passwords ", errors)
            self.assertIn(f"`crema demo --links --config {configuration}`", errors)
            certificates = pathlib.Path(folder) / "certs"
            certificates.mkdir()
            run(CREMA, "users", "add", "ana", "--passwords", str(certificates / "passwords"), input="espresso\n")
            errors = self.refuses(2, "certs/server.crt: there is no such file; `crema certs init --directory ", "serve", "--config", configuration)
            self.assertEqual(errors.count("certs init"), 1)

    def test_all_mistakes_of_what_a_configuration_names_are_told_at_once(self):
        api = {"openapi": "3.0.1", "paths": {"/x": {"post": {"x-amazon-apigateway-integration": {"type": "nothing"}}}}}
        (folder, users), secure = (("data", "x"), ("users", "ann\n")), {"certificate": "no.crt", "key": "no.key"}
        found = self.check(
            {"data": "data", "acl": "no.acl", "resources": ["api.json", "no.json"], "http": {"allow": ["a b"]},
             "listeners": [
                 {"protocol": "mqtts", "bind": "127.0.0.1:8883", "passwords": "users", **secure},
                 {"protocol": "ws", "bind": "127.0.0.1:8884", "scramUsers": "no.scram"},
                 {"protocol": "http", "bind": "127.0.0.1:8080", "pages": "no.pages", "tokens": ["t"]},
                 {"protocol": "admin", "bind": "127.0.0.1:9090", "adminToken": "no.token"}],
             "tokens": {"t": {"algorithms": ["RS257", "HS256"], "keys": "no.jwks"}},
             "accessKeys": [{"id": "AKIA", "principal": "x", "secretFile": "no.secret"}]},
            folder, users, ("api.json", json.dumps(api)))
        self.assertEqual(found.returncode, 2)
        for words in ("no.crt: there is no such file; `crema certs init", "no.key", "no.acl", "no.json", "no.scram", "no.pages", "no.token",
                      "no.secret", "RS257", "HS256 needs a `secretFile`", "is a file and no directory", "api.json:", "users",
                      "`a b`"):
            self.assertEqual(any(words in line for line in found.stderr.splitlines()), True, f"{words}: {found.stderr}")
        for line in found.stderr.splitlines():
            self.assertRegex(line, r"^\S+\.json:\d+:\d+: ")

    def test_what_cannot_be_served_does_not_pass_the_check(self):
        found = self.check({"data": "file"}, ("file", "x"))
        self.assertEqual((found.returncode, "is a file and no directory" in found.stderr), (2, True), found)
        port = free_port()
        both = [{"protocol": "mqtt", "bind": f"{host}:{port}", "anonymous": True} for host in ("127.0.0.1", "0.0.0.0")]
        self.assertEqual(self.check({"listeners": both}).returncode, 2)


class DemoTests(unittest.TestCase):
    def start(self, output, **environment):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        folder = folder.name
        run(CREMA, "certs", "init", "--directory", f"{folder}/certs")
        for name in ("barista", "customer", "neighbour", "device-1"):
            run(CREMA, "certs", "issue", name, "--directory", f"{folder}/certs")
        files = {"certificate": "certs/server.crt", "key": "certs/server.key", "clientCA": "certs/ca.crt"}
        open_to_all = [{"protocol": name, "bind": f"127.0.0.1:{free_port()}", "anonymous": True} for name in ("http", "admin")]
        configuration = pathlib.Path(folder) / "crema.json"
        configuration.write_text(json.dumps({
            "listeners": [
                {"protocol": "mqtts", "bind": f"127.0.0.1:{free_port()}", "requireClientCertificate": True, **files}, *open_to_all],
            "resources": [str(SHOP / "shop.yaml"), str(SHOP / "api.yaml")],
            "parameters": {"CoreEventBusName": "Serverlesspresso"}}))
        return subprocess.Popen(
            [CREMA, "demo", "--config", str(configuration), "--certificates", f"{folder}/certs"], stdout=output, stderr=output,
            env=unconfigured() | environment, start_new_session=True)

    def leaves_nobody(self, demo):
        deadline = time.monotonic() + WAIT_SECONDS
        while any(pathlib.Path(f"/proc/{pid}/cmdline").exists() for pid in self.group(demo.pid)):
            self.assertLess(time.monotonic(), deadline, self.group(demo.pid))
            time.sleep(0.05)

    def test_a_demo_whose_reader_has_gone_leaves_nobody_behind(self):
        reading, writing = os.pipe()
        demo = self.start(writing)
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        # 2 would say that it had not begun.
        self.assertEqual(demo.wait(60), 1)
        self.leaves_nobody(demo)

    def deaf_programs(self):
        """A PATH on which mosquitto_sub is a program that does not end when it is asked to, and the file where it says that it runs."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        deaf, runs = pathlib.Path(folder.name) / "mosquitto_sub", pathlib.Path(folder.name) / "runs"
        deaf.write_text(f"#!/bin/bash\ntrap '' TERM INT HUP\ntouch {runs}\nwhile :; do sleep 0.1; done\n")
        deaf.chmod(0o755)
        return f"{folder.name}:{os.environ['PATH']}", runs

    def interrupt(self, demo, *pauses):
        for pause in pauses:
            time.sleep(pause)
            demo.send_signal(signal.SIGINT)

    def test_a_second_interruption_ends_the_demo_at_once_with_its_programs(self):
        path, runs = self.deaf_programs()
        demo = self.start(subprocess.DEVNULL, PATH=path)
        self.addCleanup(demo.kill)
        deadline = time.monotonic() + 4 * WAIT_SECONDS
        while not runs.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        # The second one of these is the first one's echo; the last one comes long before deaf programs are killed.
        self.interrupt(demo, 0, 0.05)
        with self.assertRaises(subprocess.TimeoutExpired):
            demo.wait(1)
        self.interrupt(demo, 0)
        self.assertEqual(demo.wait(6), 130)
        self.leaves_nobody(demo)

    def test_an_interrupted_demo_ends_with_the_signals_code_and_no_failure(self):
        demo = self.start(subprocess.PIPE)
        self.addCleanup(demo.kill)
        demo.stdout.readline()
        self.interrupt(demo, 0)
        output = demo.communicate(timeout=60)[0].decode()
        self.assertEqual((demo.returncode, "ended early" in output), (130, False), output)
        self.leaves_nobody(demo)

    @staticmethod
    def group(leader):
        """The processes of a session that are still there."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
        return found


if __name__ == "__main__":
    unittest.main()
