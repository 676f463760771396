"""Rights by the fields of a client's certificate, by where it comes from, and by what its CONNECT asks for."""

import json
import pathlib
import tempfile
import unittest

from broker import Broker, run

ARN = "arn:aws:iot:eu-west-1:000000000000:"


def allow(action, resource, **condition):
    return {"Effect": "Allow", "Action": action, "Resource": ARN + resource, **({"Condition": condition} if condition else {})}


class PolicyConditionTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="crema-")
        self.addCleanup(folder.cleanup)
        self.template = pathlib.Path(folder.name) / "policies.yaml"
        self.write(allow("iot:Connect", "client/*"))
        self.broker = Broker(self.template, more={"policies": [{"group": "all", "members": ["*"], "attach": ["P"]}]})
        self.addCleanup(self.broker.end)

    def write(self, *statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.template.write_text(json.dumps({"Resources": {"P": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument": document}}}}))

    def policies(self, *statements):
        self.write(*statements)
        self.broker.reload()

    def publishes(self, name, topic, client=None, *options):
        """Whether a publish is acknowledged as done, by MQTT 5."""
        result = run("mosquitto_pub", *self.broker.mutual_tls(name), "-i", client or name, "-q", "1", "-t", topic, "-m", "x", "-V", "5",
                     *options, check=False)
        return result.returncode == 0 and "not authorized" not in (result.stdout + result.stderr).lower()

    def test_fields_of_the_certificate_stand_in_resources(self):
        self.policies(
            allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/cn/${iot:Certificate.Subject.CommonName}"),
            allow("iot:Publish", "topic/o/${iot:Certificate.Subject.Organization.1}"))
        self.assertTrue(self.publishes("ann", "cn/ann"))
        self.assertFalse(self.publishes("ann", "cn/bob"))
        self.assertFalse(self.publishes("ann", "o/Crema thing"), "there is no second organization")

    def test_conditions_of_address_thing_and_certificate(self):
        self.policies(
            allow("iot:Connect", "client/*"),
            allow("iot:Publish", "topic/here", IpAddress={"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}),
            allow("iot:Publish", "topic/there", IpAddress={"aws:SourceIp": "203.0.113.0/24"}),
            allow("iot:Publish", "topic/thing", Bool={"iot:Connection.Thing.IsAttached": "true"}),
            allow("iot:Publish", "topic/issuer", StringLike={"iot:Certificate.Issuer.CommonName": "Crema development CA*"}))
        self.assertTrue(self.publishes("ann", "here"))
        self.assertFalse(self.publishes("ann", "there"))
        self.assertTrue(self.publishes("ann", "thing"))
        self.assertFalse(self.publishes("ann", "thing", "another"))
        self.assertTrue(self.publishes("ann", "issuer"))

    def test_what_connect_asks_for(self):
        only = {"ForAllValues:StringEquals": {"iot:ConnectAttributes": ["LastWill"]}}
        self.policies(allow("iot:Connect", "client/*", **only), allow("iot:Publish", "topic/*"))
        self.assertTrue(self.publishes("ann", "t"))
        self.assertTrue(self.publishes("ann", "t", None, "--will-topic", "w", "--will-payload", "x"))
        self.assertFalse(self.publishes("ann", "t", None, "-c", "-x", "60"), "a session that outlives the connection")


if __name__ == "__main__":
    unittest.main()
