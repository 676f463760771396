"""mosquitto's ACL file, as it is, with mosquitto's clients."""

import json
import subprocess
import unittest

import wire
from broker import CREMA, Broker, Screen, run
from links import Link

ACL = """
# The shop's.
topic read menu/#

user barista
topic readwrite orders/#
topic deny orders/secret/#

user customer-1
topic write orders/new
pattern read status/%u
pattern read menu/#
"""


class ACLFileTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.end)
        self.file = self.broker.folder / "acl"
        self.write(ACL)
        self.broker.configure(acl="acl")
        self.broker.reload()

    def write(self, text):
        self.file.write_text(text)

    def subscribe(self, options, topic):
        result = subprocess.run(["mosquitto_sub", *options, "-q", "1", "-t", topic, "-W", "2", "-V", "5"],
                                capture_output=True, text=True, timeout=20)
        return "denied" not in (result.stdout + result.stderr).lower()

    def explain(self, *arguments):
        return run(CREMA, "acl", "explain", "--config", str(self.broker.configuration), *arguments, check=False)

    def test_lines_grant_and_deny(self):
        barista, customer = self.broker.mutual_tls("barista"), self.broker.mutual_tls("customer-1")
        plain = ["-h", "127.0.0.1", "-p", str(self.broker.mqtt)]
        for options, topic, expected in (
                (barista, "orders/#", True), (barista, "orders/+/status", True), (barista, "#", False), (barista, "orders/secret/x", False),
                (customer, "status/customer-1", True), (customer, "status/+", False), (customer, "status/customer-2", False),
                (customer, "orders/new", False), (plain, "menu/today", True), (plain, "orders/1", False), (plain, "$SYS/#", False)):
            with self.subTest(topic=topic, options=options[:4]):
                self.assertEqual(self.subscribe(options, topic), expected)
        screen = Screen(self.broker, "barista", "orders/#")
        self.addCleanup(screen.end)
        self.broker.publish("barista", "orders/secret/1", "no", "-V", "5")
        self.broker.publish("customer-1", "orders/1", "no", "-V", "5")
        self.broker.publish("customer-1", "orders/new", '"latte"')
        self.assertEqual(screen.next(), ("orders/new", "latte"))
        self.broker.wait_for_log("publish denied", "topic=orders/secret/1", f"denied by the ACL file, {self.file}:7:1")

    def test_explain_names_the_line(self):
        for arguments, code, text in (
                (("barista", "iot:Publish", "orders/secret/x"), 4, f"denied: iot:Publish on topic/orders/secret/x by `deny orders/secret/#`, {self.file}:7:1"),
                (("barista", "iot:Subscribe", "orders/+"), 0, f"by `readwrite orders/#`, {self.file}:6:1"),
                (("customer-1", "iot:Receive", "status/customer-1"), 0, f"by `read status/%u`, {self.file}:11:1"),
                (("customer-1", "iot:Subscribe", "status/#"), 4, "no line of the ACL file grants it"),
                (("customer-1", "iot:Connect", "any"), 0, "says nothing of connecting")):
            result = self.explain(*arguments)
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertIn(text, result.stdout)
        self.assertEqual(json.loads(self.explain("--json", "barista", "iot:Subscribe", "orders/+").stdout)["statement"], "readwrite orders/#")

    def test_a_reload_takes_a_right_back_and_a_mistake_changes_nothing(self):
        screen = Screen(self.broker, "customer-1", "status/customer-1")
        self.addCleanup(screen.end)
        self.write(ACL + "topik x\n")
        result = run(CREMA, "reload", "--admin", f"http://127.0.0.1:{self.broker.admin}", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{self.file}:13:1: `topik` begins no line of an ACL file; did you mean `topic`?", result.stderr)
        self.write("")
        self.broker.reload()
        self.broker.wait_for_log("connection closed", "client_id=screen-customer-1", "reason=not_permitted")
        self.assertFalse(self.subscribe(self.broker.mutual_tls("customer-1"), "menu/today"), "an empty file grants nothing")
        settings = json.loads(self.broker.configuration.read_text())
        del settings["acl"]
        self.broker.configuration.write_text(json.dumps(settings))
        result = run(CREMA, "reload", "--admin", f"http://127.0.0.1:{self.broker.admin}", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("whoever is let in could publish and subscribe everywhere", result.stderr)

    def test_what_is_denied_reaches_no_rule_and_no_list(self):
        self.write("topic readwrite #\ntopic readwrite $aws/rules/#\n")
        self.broker.reload()
        for topic in ("priv/x", "open/x"):
            run("mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.broker.mqtt), "-q", "1", "-r", "-t", topic, "-m", "kept")
        self.write("topic readwrite #\ntopic readwrite $aws/rules/#\ntopic deny priv/#\n")
        template = self.broker.folder / "policies.yaml"
        template.write_text(json.dumps({"Resources": {"P": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "P", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}}}}}))
        self.broker.configure(resources=[str(template)], policies=[{"anonymous": True, "attach": ["P"]}])
        self.broker.reload()
        link = Link(self.broker.mqtt)
        self.addCleanup(link.close)
        link.send(wire.connect("device", version=5))
        self.assertEqual(link.read()[3], 0)
        for number, (topic, code) in enumerate((("$aws/rules/r/priv/x", 0x87), ("$aws/rules/r/open/x", 0), ("priv/x", 0x87)), start=1):
            link.send(wire.publish(topic, "x", qos=1, packet_id=number, version=5))
            puback = link.read()
            self.assertEqual(puback[4] if len(puback) > 4 else 0, code, topic)

        def status(path, *options):
            return run("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", *options, self.broker.url + path).stdout

        self.assertEqual(status("/topics/$aws%2Frules%2Fr%2Fpriv%2Fx", "--data", "x"), "403")
        self.assertEqual(status("/topics/$aws%2Frules%2Fr%2Fopen%2Fx", "--data", "x"), "200")
        self.assertEqual(status("/topics/%CC%81%2Fsecret", "--data", "x"), "200")
        listed = run("curl", "--silent", self.broker.url + "/retainedMessage").stdout
        self.assertIn("open/x", listed)
        self.assertNotIn("priv", listed)

    def test_a_name_with_a_dollar_sign_has_no_topic_of_the_brokers(self):
        self.write("pattern readwrite %c/#\n")
        self.broker.reload()
        # A name, and whether its own topics are granted by the pattern.
        for name, filters, topics, expected in (
                ("till", ["till/#"], ["till/x"], (1, 0)),
                ("$aws", ["$aws/events/#", "$aws/#"], ["$aws/rules/r/x"], (0x87, 0x87)),
                ("$SYS", ["$SYS/#", "$SYS/broker/uptime"], ["$SYS/broker/uptime"], (0x87, 0x87))):
            with self.subTest(name=name):
                link = Link(self.broker.mqtt)
                self.addCleanup(link.close)
                link.send(wire.connect(name, version=5))
                self.assertEqual(link.read()[:4][3], 0)
                link.send(wire.subscribe(1, [(topic, 1) for topic in filters], version=5))
                self.assertEqual(link.read()[-len(filters):], bytes([expected[0]] * len(filters)))
                for number, topic in enumerate(topics, start=2):
                    link.send(wire.publish(topic, "x", qos=1, packet_id=number, version=5))
                    puback = link.read()
                    while puback[0] >> 4 == wire.PUBLISH:
                        puback = link.read()
                    self.assertEqual(puback[4] if len(puback) > 4 else 0, expected[1])


if __name__ == "__main__":
    unittest.main()
