"""`crema bench` against Crema itself: each mode and transport shortly, with every message verified; and what it refuses."""

import json
import resource
import subprocess
import tempfile
import unittest

from broker import CREMA, Broker, BrokerTestCase, run

USERS = 7


def bench(*arguments):
    """Runs to the end, whatever that is."""
    return subprocess.run([CREMA, "bench", *arguments], capture_output=True, text=True, timeout=120)


def template():
    return bench("rules", "--print-resources", str(USERS)).stdout


class BenchTestCase(BrokerTestCase):
    def bench(self, mode, *arguments, port=None):
        """One run of a few hundred messages; its figures."""
        result = bench(
            mode, "--broker", f"127.0.0.1:{port or self.broker.mqtt}", "--pid", str(self.broker.process.pid), "--json", "--timeout", "20",
            *arguments)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        return json.loads(result.stdout)["rounds"][0]

    def mutual_tls(self):
        files = self.broker.certificates / "clients" / "bench"
        if not files.with_suffix(".crt").exists():
            run(CREMA, "certs", "issue", "bench", "--directory", str(self.broker.certificates))
        return ("--ca", str(self.broker.certificates / "ca.crt"), "--cert", f"{files}.crt", "--key", f"{files}.key")


class MessageTests(BenchTestCase):
    few = ("--messages", "300", "--warmup", "0")

    def test_every_shape_quality_and_version(self):
        for mode, shape in (("p2p", ("--publishers", "3")), ("fanin", ("--publishers", "3")), ("fanout", ("--subscribers", "3"))):
            for version in ("3.1.1", "5"):
                for qos in ("0", "1", "2"):
                    with self.subTest(mode=mode, version=version, qos=qos):
                        figures = self.bench(mode, *self.few, *shape, "--qos", qos, "--mqtt", version, "--inflight", "10")
                        self.assertEqual(figures["completed"], 900 if mode == "fanout" else 300)
                        self.assertTrue(figures["isClean"])

    def test_an_open_loop_keeps_its_schedule(self):
        figures = self.bench("p2p", "--seconds", "0.5", "--warmup", "0", "--publishers", "5", "--rate", "400", "--qos", "1", "--mqtt", "5")
        self.assertEqual(figures["completed"], 200)
        self.assertEqual(figures["latencyMicroseconds"]["samples"], 200)

    def test_web_socket_plain_and_over_mutual_tls(self):
        for size in ("24", "200", "70000"):
            self.bench("p2p", *self.few, "--publishers", "2", "--inflight", "5", "--websocket", "--size", size, port=self.broker.ws)
        self.bench("p2p", *self.few, "--websocket", "--path", "/broker", *self.mutual_tls(), port=self.broker.wss)

    def test_a_path_that_is_not_there_is_refused_with_its_status(self):
        result = bench("p2p", "--broker", f"127.0.0.1:{self.broker.ws}", "--websocket", "--path", "/elsewhere", *self.few)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("404", result.stderr)

    def test_both_versions_of_tls_with_certificates(self):
        for version in ("1.2", "1.3"):
            self.bench("p2p", *self.few, *self.mutual_tls(), "--tls-version", version, port=self.broker.mqtts)

    def test_more_unfinished_messages_than_an_mqtt_5_broker_takes_are_refused_by_name(self):
        result = bench(
            "p2p", "--broker", f"127.0.0.1:{self.broker.mqtt}", "--qos", "1", "--mqtt", "5", "--inflight", "1000", *self.few)
        self.assertEqual(result.returncode, 4)
        self.assertIn("Receive Maximum", result.stderr)

    def test_two_brokers_in_turns_have_a_ratio(self):
        address = f"127.0.0.1:{self.broker.mqtt}"
        result = bench("p2p", "--broker", address, "--against", address, "--rounds", "2", "--json", *self.few)
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual([entry["broker"] for entry in document["rounds"]], [address] * 4)
        rate = next(entry for entry in document["comparison"] if entry["figure"] == "perSecond")
        self.assertEqual((len(rate["brokers"]), len(rate["ratios"])), (2, 1))
        row = bench("p2p", "--broker", address, "--against", address, "--rounds", "1", "--markdown-row", "name",
                    "--row-figure", "perSecond", "--row-figure", "latencyP50Microseconds", *self.few).stdout
        self.assertRegex(row, r"^\| name \| [\d,]+ / .+ \| [\d,]+ / .+ \| .+ × \(.+\) / .+ × \(.+\) \|$")


class ConnectionTests(BenchTestCase):
    def test_connections_come_and_go_and_are_resumed(self):
        figures = self.bench("connect", "--messages", "60", "--warmup", "0", "--concurrency", "5")
        self.assertEqual(figures["completed"], 60)
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                figures = self.bench(
                    "connect", "--messages", "60", "--warmup", "0", "--concurrency", "5", "--resume", "--tls-version", version,
                    *self.mutual_tls(), port=self.broker.mqtts)
                # The first connection of each of the five has nothing to resume.
                self.assertEqual((figures["completed"], figures["resumed"]), (60, 55))

    def test_idle_connections_are_weighed(self):
        idle = self.bench("idle", "--connections", "100", "--seconds", "0.2")["idle"]
        self.assertEqual((idle["connections"], idle["failed"], idle["lost"]), (100, 0, 0))
        self.assertIn("residentBytesPerConnection", idle)

    def test_lost_connections_come_back_and_bystanders_miss_nothing(self):
        plain = self.bench("idle", "--connections", "100", "--seconds", "0.3", "--drop", "--bystanders", "3")["idle"]
        self.assertEqual((plain["backFailed"], plain["lost"]), (0, 0))
        self.assertGreater(plain["bystandersBeforeMicroseconds"]["samples"], 0)
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                resumed = self.bench(
                    "idle", "--connections", "30", "--seconds", "0.2", "--drop", "--resume", "--tls-version", version, *self.mutual_tls(),
                    port=self.broker.mqtts)["idle"]
                self.assertEqual((resumed["backFailed"], resumed["backResumed"]), (0, 30))

    def test_too_low_a_limit_of_open_files_is_told_before_anything_is_opened(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        result = subprocess.run(
            [CREMA, "bench", "idle", "--broker", f"127.0.0.1:{self.broker.mqtt}", "--connections", "1000"],
            capture_output=True, text=True, timeout=60, preexec_fn=lower)
        self.assertEqual(result.returncode, 2)
        self.assertIn("may have 256 (ulimit -n)", result.stderr)


class DurableTests(BenchTestCase):
    def test_what_was_acknowledged_for_subscribers_that_were_away_arrives(self):
        for version in ("3.1.1", "5"):
            for qos in ("1", "2"):
                with self.subTest(version=version, qos=qos):
                    figures = self.bench(
                        "durable", "--messages", "200", "--warmup", "0", "--publishers", "4", "--inflight", "10", "--offline", "25",
                        "--qos", qos, "--mqtt", version)
                    self.assertEqual((figures["completed"], figures["absence"]["acknowledged"]), (200, 100))
                    self.assertEqual(figures["absence"]["sessionsMissing"], 0)
                    self.assertGreater(figures["acknowledgementMicroseconds"]["samples"], 0)

    def test_a_queue_that_drops_what_it_acknowledged_is_found(self):
        result = bench("durable", "--broker", f"127.0.0.1:{self.broker.mqtt}", "--messages", "20", "--warmup", "0", "--publishers", "1",
                       "--offline", "12000", "--timeout", "2")
        self.assertEqual(result.returncode, 1)
        # queueMessagesMax is 10,000 for each session.
        self.assertIn("2000 lost", result.stderr)


class RulesTests(BenchTestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        cls.file.write(template())
        cls.file.flush()
        cls.broker = Broker(cls.file.name)

    @classmethod
    def tearDownClass(cls):
        cls.broker.end()
        cls.file.close()

    def test_orders_of_devices_become_statuses(self):
        for qos in ("0", "1"):
            figures = self.bench("rules", "--users", str(USERS), "--messages", "210", "--warmup", "0", "--inflight", "5", "--qos", qos)
            self.assertEqual(figures["completed"], 210)

    def test_events_that_are_put_become_statuses(self):
        figures = self.bench(
            "rules", "--users", str(USERS), "--messages", "210", "--warmup", "0", "--inflight", "15",
            "--events", f"127.0.0.1:{self.broker.http}")
        self.assertEqual(figures["completed"], 210)

    def test_a_user_without_a_rule_is_missed(self):
        result = bench("rules", "--broker", f"127.0.0.1:{self.broker.mqtt}", "--users", str(USERS + 1), "--messages", "8", "--warmup", "0",
                       "--timeout", "1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("1 of 8 deliveries missing", result.stderr)


class RefusalTests(unittest.TestCase):
    def test_what_does_not_belong_together_is_refused_by_name(self):
        for mode, arguments, word in (
            ("connect", ("--qos", "1"), "--qos does not apply to connect"),
            ("connect", ("--connections", "5"), "--connections does not apply to connect, but to idle"),
            ("idle", ("--messages", "5"), "--messages does not apply to idle"),
            ("idle", ("--bystanders", "5"), "--bystanders needs --drop"),
            ("idle", ("--resume", "--insecure"), "--resume in idle needs --drop"),
            ("p2p", ("--resume", "--insecure"), "--resume applies to connect and idle"),
            ("connect", ("--resume",), "--resume is about TLS"),
            ("p2p", ("--users", "5"), "--users does not apply to p2p, but to rules"),
            ("p2p", ("--path", "/mqtt"), "--path needs --websocket"),
            ("p2p", ("--rate", "5", "--inflight", "5"), "--rate and --inflight exclude each other"),
            ("p2p", ("--events", "127.0.0.1:1"), "--events applies to rules alone"),
            ("p2p", ("--print-resources", "3"), "--print-resources applies to rules alone"),
            ("durable", ("--qos", "0"), "durable is about acknowledgements"),
            ("durable", ("--persistent",), "--persistent does not apply to durable"),
            ("rules", ("--size", "50"), "--size must be 108"),
            ("p2p", ("--mqtt", "4"), "--mqtt"),
            ("p2p", ("--row-figure", "x"), "--row-figure needs --markdown-row"),
        ):
            with self.subTest(mode=mode, arguments=arguments):
                result = bench(mode, "--broker", "127.0.0.1:1", *arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(word, result.stderr)

    def test_a_run_needs_a_broker(self):
        self.assertIn("--broker is missing", bench("p2p").stderr)


if __name__ == "__main__":
    unittest.main()
