"""What is shipped for Prometheus and Grafana, tried against a real Prometheus that scrapes a broker at work."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import wire
from broker import SHOP, WAIT_SECONDS, Broker, Screen, free_port, run

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "docker" / "monitoring"
ALERTS = pathlib.Path(__file__).with_name("alerts_test.yaml")
# Expressions of the dashboard that have nothing to show on a broker that is well: nothing was dropped for these reasons, nobody was turned
# away, and so on. By what they ask for.
EMPTY_WHEN_WELL = {"crema_connections_turned_away_total", "crema_messages_dropped_total"}
# Alerts that a machine with too much to do may well cause.
OF_SPEED = {"CremaDeliversLate", "CremaEventLoopsLate", "CremaStoreSlow", "CremaSlowClients"}


def metrics_in(expression):
    return set(re.findall(r"\b((?:crema|process)_[a-z_]+?)(?:_bucket|_sum|_count)?\b", expression)) - {"crema"}


class MonitoringTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="crema-data-")
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.broker = Broker(
            SHOP / "shop.yaml", SHOP / "api.yaml", parameters={"CoreEventBusName": "Serverlesspresso"}, more={"data": cls.data})
        cls.addClassCleanup(cls.broker.end)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="prometheus-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.copy(MONITORING / "alerts.yml", cls.folder)
        text = (MONITORING / "prometheus.yml").read_text()
        assert text.count("15s") == 2 and text.count("127.0.0.1:9090") == 1
        text = text.replace("15s", "500ms").replace("127.0.0.1:9090", f"127.0.0.1:{cls.broker.admin}")
        (cls.folder / "prometheus.yml").write_text(text)
        cls.port = free_port()
        cls.log = (cls.folder / "log").open("w")
        cls.prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={cls.folder}/prometheus.yml", f"--storage.tsdb.path={cls.folder}/data",
             f"--web.listen-address=127.0.0.1:{cls.port}"], stdout=cls.log, stderr=cls.log)
        cls.addClassCleanup(cls.log.close)
        cls.addClassCleanup(cls.prometheus.wait)
        cls.addClassCleanup(cls.prometheus.terminate)
        cls.work()

    @classmethod
    def work(cls):
        """Something of everything, for as long as a rate needs."""
        screen = Screen(cls.broker, "screen", "work/#", "$share/group/work/#")
        cls.addClassCleanup(screen.end)
        device = socket.create_connection(("127.0.0.1", cls.broker.mqtt), WAIT_SECONDS)
        device.sendall(wire.connect("device"))
        device.recv(4)
        entry = {"Source": "awsserverlessda.serverlesspresso", "DetailType": "OrderManager.WaitingCompletion",
                 "Detail": json.dumps({"userId": "1", "orderId": "2", "message": "m"})}
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            for qos in (0, 1):
                device.sendall(wire.packet(0x30 | qos << 1, wire.text("work/a") + (b"\x00\x01" if qos else b"") + b"x"))
            request = urllib.request.Request(
                cls.broker.url, json.dumps({"Entries": [entry]}).encode(),
                {"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"})
            urllib.request.urlopen(request, timeout=WAIT_SECONDS).close()
            cls.broker.publish("device-tls", "work/tls", "{}")
            run("mosquitto_pub", "-p", str(cls.broker.mqtt), "-r", "-q", "1", "-t", "work/kept", "-m", "1")
            time.sleep(0.2)
        device.close()

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as error:
            self.fail(f"{query}: {error.read().decode()}")
        self.assertEqual(document["status"], "success", document)
        return document["data"]

    def test_prometheus_takes_what_is_shipped(self):
        run("promtool", "check", "rules", str(MONITORING / "alerts.yml"))
        run("promtool", "check", "config", str(self.folder / "prometheus.yml"))
        metrics = self.broker.asks("/metrics")
        result = run("promtool", "check", "metrics", input=metrics, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        shutil.copy(ALERTS, self.folder)
        run("promtool", "test", "rules", str(self.folder / ALERTS.name))

    def test_scrapes_succeed_in_the_form_that_prometheus_asks_for(self):
        target = self.ask("targets")["activeTargets"][0]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        kinds = {name: entries[0]["type"] for name, entries in self.ask("metadata").items()}
        self.assertEqual(kinds["crema_publish_to_deliver_seconds"], "histogram")
        self.assertEqual(kinds["crema_rule_delivery_seconds"], "summary")
        count = float(self.ask("query", query="sum(crema_publish_to_deliver_seconds_count)")["result"][0]["value"][1])
        self.assertGreater(count, 10)

    def test_every_expression_of_the_dashboard_has_something_to_show(self):
        dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        expressions += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
        self.assertGreater(len(expressions), 50)
        known = set(self.ask("metadata"))
        self.assertEqual({name for expr in expressions for name in metrics_in(expr)} - known - {f"{name}_total" for name in known}, set())
        for expression in expressions:
            text = expression.replace("$__rate_interval", "10s").replace("$instance", ".*")
            self.assertNotIn("$", text)
            result = self.ask("query", query=text)["result"]
            if not metrics_in(text) & EMPTY_WHEN_WELL and "changes(" not in text:
                self.assertTrue(result, text)

    def test_alerts_are_evaluated_and_silent_while_all_is_well(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
            if all(rule["health"] == "ok" for rule in rules) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        self.assertEqual([rule["name"] for rule in rules if rule["health"] != "ok"], [])
        self.assertEqual([rule["name"] for rule in rules if rule["state"] == "firing" and rule["name"] not in OF_SPEED], [])
        known = set(self.ask("metadata"))
        for rule in rules:
            self.assertEqual(metrics_in(rule["query"]) - known - {f"{name}_total" for name in known}, set(), rule["name"])
            # Healthy, each of them has nothing to tell.
            result = self.ask("query", query=rule["query"])["result"]
            if rule["name"] not in OF_SPEED:
                self.assertEqual(result, [], rule["name"])


if __name__ == "__main__":
    unittest.main()
