"""Who may do what, with mosquitto's clients: everybody sees their own, and whoever is nosy is told that they may not."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from broker import CREMA, Broker, Screen, run

POLICIES = pathlib.Path(__file__).with_name("policies.yaml")
ATTACHED = [{"principal": "customer*", "attach": ["Customer"]}, {"principal": "device-*", "attach": ["Device"]}]


class PolicyTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="crema-")
        self.addCleanup(folder.cleanup)
        self.template = pathlib.Path(folder.name) / "policies.yaml"
        self.template.write_text(POLICIES.read_text())
        self.broker = Broker(self.template, more={"policies": ATTACHED})
        self.addCleanup(self.broker.end)

    def subscribe(self, name, topic, client=None):
        return subprocess.run(
            ["mosquitto_sub", *self.broker.mutual_tls(name), "-i", client or f"screen-{name}", "-q", "1", "-t", topic, "-W", "2", "-V", "5"],
            capture_output=True, text=True, timeout=20)

    def explain(self, *arguments):
        return run(CREMA, "acl", "explain", "--config", str(self.broker.configuration), *arguments, check=False)

    def test_everybody_sees_their_own_and_a_nosy_neighbour_is_refused(self):
        screen = Screen(self.broker, "customer-1", "users/customer-1")
        self.addCleanup(screen.end)
        for topic in ("users/customer-1", "users/+", "users/#", "#", "+/customer-1", "$share/g/users/customer-1"):
            result = self.subscribe("customer-2", topic)
            self.assertIn("denied", (result.stdout + result.stderr).lower(), topic)
        self.broker.wait_for_log(
            "subscription denied", "customer-2", "iot:Subscribe on topicfilter/users/customer-1 is allowed by no policy")
        self.broker.publish("device-1", "users/customer-1", '"ready"')
        self.assertEqual(screen.next(), ("users/customer-1", "ready"))

    def test_operators_see_what_a_client_was_refused_and_why(self):
        reason = "iot:Subscribe on topicfilter/users/customer-2 is allowed by no policy"
        client = subprocess.Popen(
            ["mosquitto_sub", *self.broker.mutual_tls("customer-1"), "-i", "screen-customer-1", "-q", "1", "-V", "5",
             "-t", "users/customer-1", "-t", "users/customer-2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait, 10)
        self.addCleanup(client.terminate)
        self.broker.wait_for_log("subscription denied", "screen-customer-1", reason)
        rows = json.loads(self.broker.asks("/api/v1/clients"))["rows"]
        self.assertEqual(
            [row["refusals"] for row in rows if row["clientID"] == "screen-customer-1"],
            [[{"kind": "subscribe", "resource": "users/customer-2", "reason": reason, "count": 1}]])
        listing = run(CREMA, "clients", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout
        self.assertIn(f"screen-customer-1 was refused to subscribe: {reason}", listing)

    def test_a_name_that_is_not_ones_own_is_refused(self):
        result = self.subscribe("customer-2", "users/customer-2", client="screen-customer-1")
        self.assertNotEqual(result.returncode, 0)
        self.broker.wait_for_log("client refused", "screen-customer-1", "iot:Connect on client/screen-customer-1 is allowed by no policy")

    def test_who_has_no_policy_may_nothing(self):
        result = run("mosquitto_pub", *self.broker.mutual_tls("stranger"), "-i", "stranger", "-t", "users/x", "-m", "x", check=False)
        self.assertNotEqual(result.returncode, 0)
        self.broker.wait_for_log("client refused", "stranger", "allowed by no policy")

    def test_a_denial_wins_and_names_its_statement(self):
        self.broker.publish("device-1", "users/vip-1", "x", "-V", "5")
        self.broker.wait_for_log("publish denied", "topic=users/vip-1", "denied by statement NoVips of the policy Device")
        for arguments, code, text in (
                (("device-1", "iot:Publish", "users/vip-1"), 4, f"statement NoVips of the policy Device, {self.template}:"),
                (("device-1", "iot:publish", "users/customer-1"), 0, "allowed: iot:Publish on topic/users/customer-1"),
                (("customer-1", "iot:Subscribe", "users/customer-1"), 0, "of the policy Customer"),
                (("customer-1", "iot:Subscribe", "users/#"), 4, "no statement allows it, of Customer"),
                (("-", "iot:Connect", "x"), 4, "no policy stands for the client"),
                (("device-1", "iot:Fly", "x"), 2, "there is no action"),
                (("device-1", "iot:Publsh", "x"), 2, "there is no action 'iot:Publsh'; did you mean `iot:Publish`?"),
                # What nobody can ask for is not said to be allowed by a pattern that looks like it.
                (("device-1", "iot:Publish", "users/#"), 2, "'users/#' is no topic name"),
                (("device-1", "iot:RetainPublish", "users/+"), 2, "'users/+' is no topic name")):
            result = self.explain(*arguments)
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertIn(text, result.stdout + result.stderr)
        document = json.loads(self.explain("--json", "device-1", "iot:Publish", "users/vip-1").stdout)
        self.assertEqual((document["allowed"], document["policy"], document["statement"]), (False, "Device", "NoVips"))

    def test_a_right_that_is_taken_back_ends_who_had_it_and_nobody_else(self):
        first = Screen(self.broker, "customer-1", "users/customer-1")
        self.addCleanup(first.end)
        second = Screen(self.broker, "customer-2", "users/customer-2")
        self.addCleanup(second.end)
        text = self.template.read_text()
        self.template.write_text(text + """
  Banned:
    Type: AWS::IoT::Policy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: { Effect: Deny, Action: "*", Resource: "*" }
  Ban:
    Type: AWS::IoT::PolicyPrincipalAttachment
    Properties: { PolicyName: Banned, Principal: customer-2 }
""")
        self.broker.reload()
        self.broker.wait_for_log("connection closed", "client_id=screen-customer-2", "reason=not_permitted", "statement 1 of the policy Banned")
        self.broker.publish("device-1", "users/customer-2", '"secret"')
        self.broker.publish("device-1", "users/customer-1", '"ready"')
        self.assertEqual(first.next(), ("users/customer-1", "ready"))
        # A policy that cannot be read changes nothing.
        self.template.write_text(text.replace("iot:Publish", "iot:Publsh"))
        self.broker.process.send_signal(1)
        self.broker.wait_for_log("reload: ", "there is no action `iot:Publsh`; did you mean `iot:Publish`?")
        self.broker.publish("device-1", "users/customer-1", '"taken"')
        self.assertEqual(first.next(), ("users/customer-1", "taken"))


class LastPolicyTests(unittest.TestCase):
    OWN = """
Resources:
  Own:
    Type: AWS::IoT::Policy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: iot:Connect, Resource: "arn:aws:iot:eu-west-1:000000000000:client/*" }
          - { Effect: Allow, Action: iot:Subscribe, Resource: "arn:aws:iot:eu-west-1:000000000000:topicfilter/open" }
  ToAll:
    Type: AWS::IoT::PolicyPrincipalAttachment
    Properties: { PolicyName: Own, Principal: "*" }
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="crema-")
        self.addCleanup(folder.cleanup)
        self.template = pathlib.Path(folder.name) / "policies.yaml"
        self.template.write_text(self.OWN)
        self.broker = Broker(self.template)
        self.addCleanup(self.broker.end)

    def subscribes(self, topic):
        result = subprocess.run(
            ["mosquitto_sub", *self.broker.mutual_tls("ann"), "-i", "ann", "-t", topic, "-E", "-V", "5"], capture_output=True, text=True,
            timeout=20)
        return result.returncode == 0 and "denied" not in (result.stdout + result.stderr).lower()

    def test_a_reload_that_would_switch_rights_off_changes_nothing(self):
        self.template.write_text("Resources: {}\n")
        self.broker.process.send_signal(1)
        self.broker.wait_for_log("reload: ", "no template declares a policy any more", "restart to serve without rights")
        self.broker.wait_for_log("reload failed: nothing has changed")
        self.assertFalse(self.subscribes("#"))
        self.assertTrue(self.subscribes("open"))
        # To allow nothing has to be said.
        self.broker.configure(policies=[])
        self.broker.reload()
        self.broker.wait_for_log("rights: 0 policies")
        self.assertFalse(self.subscribes("open"))

    def test_a_reload_may_switch_rights_on(self):
        self.template.write_text("Resources: {}\n")
        broker = Broker(self.template)
        self.addCleanup(broker.end)
        self.broker, first = broker, self.broker
        self.assertTrue(self.subscribes("#"))
        self.template.write_text(self.OWN)
        broker.reload()
        self.assertFalse(self.subscribes("#"))
        self.broker = first


if __name__ == "__main__":
    unittest.main()
