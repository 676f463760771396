"""Threat 64: things, certificates and policies by boto3, and devices with mosquitto's clients that have them, and lose them."""

import json
import pathlib
import subprocess
import tempfile
import time
import unittest

import botocore.exceptions

from broker import WAIT_SECONDS, run
from test_signed_requests import VISITOR, SignedBroker

ARN = "arn:aws:iot:us-east-1:000000000000:"


def policy(*statements):
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": action, "Resource": ARN + resource} for effect, action, resource in statements]})


# A device is the thing that it connects as, and sees its own topic.
DEVICE = policy(
    ("Allow", "iot:Connect", "client/${iot:Connection.Thing.ThingName}"),
    ("Allow", "iot:Subscribe", "topicfilter/things/${iot:Connection.Thing.ThingName}"),
    ("Allow", "iot:Receive", "topic/things/${iot:Connection.Thing.ThingName}"))


class ThingTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.TemporaryDirectory(prefix="crema-")
        cls.addClassCleanup(cls.data.cleanup)
        cls.broker = SignedBroker(data=cls.data.name)
        cls.addClassCleanup(cls.broker.end)
        cls.iot = cls.broker.client("iot")

    def code(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        return caught.exception.response["Error"]["Code"]

    def device(self, holder, thing, status="ACTIVE"):
        """A certificate of somebody's, registered, and a thing that is theirs: mosquitto's options, and the certificate's ARN."""
        options = self.broker.mutual_tls(holder)
        pem = pathlib.Path(options[options.index("--cert") + 1]).read_text()
        arn = self.iot.register_certificate_without_ca(certificatePem=pem, status=status)["certificateArn"]
        self.iot.create_thing(thingName=thing, attributePayload={"attributes": {"floor": "1"}})
        self.iot.attach_thing_principal(thingName=thing, principal=arn)
        return [*options, "-i", thing, "-q", "1", "-V", "5"], arn

    def subscribe(self, options, topic):
        """`mosquitto_sub`, once the broker has its subscription."""
        client = subprocess.Popen(
            ["mosquitto_sub", *options, "-t", topic], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait, WAIT_SECONDS)
        self.addCleanup(client.kill)
        name = options[options.index("-i") + 1]
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            rows = json.loads(self.broker.asks("/api/v1/clients"))["rows"]
            if any(row["clientID"] == name and row["subscriptions"] == 1 for row in rows):
                return client
            time.sleep(0.02)
        raise AssertionError(f"{name} did not subscribe:\n{self.broker.log()}")

    def is_connected(self, name):
        rows = json.loads(self.broker.asks("/api/v1/clients"))["rows"]
        return any(row["clientID"] == name and row["connected"] for row in rows)

    def wait_until_closed(self, name):
        deadline = time.monotonic() + WAIT_SECONDS
        while self.is_connected(name):
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.02)

    def connects(self, options):
        return run("mosquitto_sub", *options, "-t", "things/" + options[options.index("-i") + 1], "-E", check=False).returncode == 0

    def test_a_device_is_let_in_by_its_policy_and_closed_without_it(self):
        options, arn = self.device("holder-1", "bar-1")
        self.assertFalse(self.connects(options))
        self.iot.create_policy(policyName="device", policyDocument=DEVICE)
        self.iot.attach_policy(policyName="device", target=arn)
        screen = self.subscribe(options, "things/bar-1")
        self.broker.client("iot-data").publish(topic="things/bar-1", qos=1, payload="ready")
        self.assertEqual(screen.stdout.readline(), "ready\n")
        self.assertEqual(self.iot.list_attached_policies(target=arn)["policies"][0]["policyName"], "device")
        self.assertEqual(self.iot.list_targets_for_policy(policyName="device")["targets"], [arn])
        # Whose name alone is the thing's is not the thing.
        self.assertFalse(self.connects([*self.broker.mutual_tls("holder-9"), "-i", "bar-1", "-q", "1", "-V", "5"]))
        self.iot.detach_policy(policyName="device", target=arn)
        # What is answered is done: nobody waits for it.
        self.assertFalse(self.is_connected("bar-1"))
        self.broker.wait_for_log("bar-1", "iot:Connect on client/bar-1 is allowed by no policy")
        self.assertFalse(self.connects(options))
        self.iot.attach_policy(policyName="device", target=arn)
        self.assertTrue(self.connects(options))
        self.iot.detach_thing_principal(thingName="bar-1", principal=arn)
        self.assertFalse(self.connects(options))

    def test_a_certificate_that_is_taken_back_is_closed_and_stays_out_over_a_restart(self):
        options, arn = self.device("holder-2", "bar-2")
        identifier = arn.split("/")[1]
        self.iot.create_policy(policyName="second", policyDocument=DEVICE)
        self.iot.attach_policy(policyName="second", target=arn)
        self.subscribe(options, "things/bar-2")
        self.iot.update_certificate(certificateId=identifier, newStatus="REVOKED")
        self.assertFalse(self.is_connected("bar-2"))
        self.broker.wait_for_log("bar-2", "the client's certificate is REVOKED")
        self.broker.kill()
        self.broker.start()
        self.broker.wait_until_ready()
        self.assertFalse(self.connects(options))
        self.assertEqual(self.iot.describe_certificate(certificateId=identifier)["certificateDescription"]["status"], "REVOKED")
        self.iot.update_certificate(certificateId=identifier, newStatus="ACTIVE")
        self.assertTrue(self.connects(options))
        self.assertEqual(self.iot.list_thing_principals(thingName="bar-2")["principals"], [arn])
        self.assertEqual(self.iot.list_principal_things(principal=arn)["things"], ["bar-2"])

    def test_another_version_of_a_policy_is_in_force_at_once(self):
        options, arn = self.device("holder-3", "bar-3")
        self.iot.create_policy(policyName="third", policyDocument=DEVICE)
        self.iot.attach_policy(policyName="third", target=arn)
        self.subscribe(options, "things/bar-3")
        nothing = policy(("Deny", "iot:Connect", "client/*"))
        version = self.iot.create_policy_version(policyName="third", policyDocument=nothing)["policyVersionId"]
        self.assertTrue(self.is_connected("bar-3"))
        self.iot.set_default_policy_version(policyName="third", policyVersionId=version)
        self.assertFalse(self.is_connected("bar-3"))
        self.assertEqual(json.loads(self.iot.get_policy(policyName="third")["policyDocument"]), json.loads(nothing))
        self.assertEqual(
            [(row["versionId"], row["isDefaultVersion"]) for row in self.iot.list_policy_versions(policyName="third")["policyVersions"]],
            [("1", False), ("2", True)])
        self.iot.set_default_policy_version(policyName="third", policyVersionId="1")
        self.iot.delete_policy_version(policyName="third", policyVersionId=version)
        self.assertTrue(self.connects(options))

    def test_a_reload_keeps_what_came_by_api(self):
        options, arn = self.device("holder-4", "bar-4")
        self.iot.create_policy(policyName="fourth", policyDocument=DEVICE)
        self.iot.attach_policy(policyName="fourth", target=arn)
        self.subscribe(options, "things/bar-4")
        self.broker.reload()
        self.assertTrue(self.is_connected("bar-4"))
        self.iot.update_certificate(certificateId=arn.split("/")[1], newStatus="INACTIVE")
        self.broker.reload()
        self.assertFalse(self.connects(options))

    def test_who_came_before_rights_were_asked_for_is_closed_too(self):
        broker = SignedBroker()
        self.addCleanup(broker.end)
        asked = json.loads(broker.configuration.read_text())
        without = {name: value for name, value in asked.items() if name not in ("policies", "resources")}
        broker.configuration.write_text(json.dumps({**without, "resources": []}))
        broker.process.terminate()
        broker.process.wait(WAIT_SECONDS)
        broker.start()
        broker.wait_until_ready()
        options = [*broker.mutual_tls("barista"), "-i", "bar-9", "-V", "5"]
        screen = subprocess.Popen(["mosquitto_sub", *options, "-t", "x"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(screen.stdout.close)
        self.addCleanup(screen.wait, WAIT_SECONDS)
        self.addCleanup(screen.kill)
        deadline = time.monotonic() + WAIT_SECONDS
        while '"bar-9"' not in broker.asks("/api/v1/clients").replace("\\", ""):
            self.assertLess(time.monotonic(), deadline, broker.log())
            time.sleep(0.02)
        broker.configuration.write_text(json.dumps(asked))
        broker.reload()
        self.assertIsNone(screen.poll(), "its policy lets it do everything")
        iot = broker.client("iot")
        pem = pathlib.Path(options[options.index("--cert") + 1]).read_text()
        iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
        self.assertIsNotNone(screen.wait(WAIT_SECONDS))

    def test_it_does_not_start_where_nobody_would_keep_to_what_came_by_api(self):
        with tempfile.TemporaryDirectory(prefix="crema-") as data:
            broker = SignedBroker(data=data)
            self.addCleanup(broker.end)
            broker.client("iot").create_policy(policyName="device", policyDocument=DEVICE)
            broker.kill()
            configuration = json.loads(broker.configuration.read_text())
            asked = {name: value for name, value in configuration.items() if name not in ("policies", "resources")}
            broker.configuration.write_text(json.dumps({**asked, "resources": []}))
            broker.start()
            self.assertEqual(broker.process.wait(WAIT_SECONDS), 1, broker.log())
            self.assertIn("write `policies: []`, or declare a policy", broker.log())
            broker.configuration.write_text(json.dumps({**asked, "resources": [], "policies": []}))
            broker.start()
            broker.wait_until_ready()

    def test_what_is_in_use_or_not_there_is_refused_in_the_services_words(self):
        _, arn = self.device("holder-5", "bar-5", status="INACTIVE")
        identifier = arn.split("/")[1]
        self.iot.create_policy(policyName="fifth", policyDocument=DEVICE)
        self.iot.attach_policy(policyName="fifth", target=arn)
        self.assertEqual(self.code(self.iot.create_policy, policyName="fifth", policyDocument=DEVICE), "ResourceAlreadyExistsException")
        self.assertEqual(self.code(self.iot.create_policy, policyName="x", policyDocument="{}"), "MalformedPolicyException")
        self.assertEqual(self.code(self.iot.delete_policy, policyName="fifth"), "DeleteConflictException")
        self.assertEqual(self.code(self.iot.delete_thing, thingName="bar-5"), "InvalidRequestException")
        self.assertEqual(self.code(self.iot.delete_certificate, certificateId=identifier), "DeleteConflictException")
        self.assertEqual(self.code(self.iot.describe_thing, thingName="nothing"), "ResourceNotFoundException")
        self.assertEqual(self.code(self.iot.create_thing, thingName="typed", thingTypeName="t"), "ResourceNotFoundException")
        self.assertEqual(self.code(self.iot.create_keys_and_certificate), "UnknownOperationException")
        self.assertEqual(self.code(self.iot.delete_policy, policyName="Everything"), "InvalidRequestException")
        self.assertIn("Everything", [row["policyName"] for row in self.iot.list_policies()["policies"]])
        self.iot.detach_thing_principal(thingName="bar-5", principal=arn)
        self.iot.delete_thing(thingName="bar-5")
        self.iot.delete_certificate(certificateId=identifier, forceDelete=True)
        self.iot.delete_policy(policyName="fifth")
        self.assertEqual(self.code(self.iot.get_policy, policyName="fifth"), "ResourceNotFoundException")

    def test_a_policy_of_a_group_is_its_things_and_goes_with_it(self):
        options, arn = self.device("holder-6", "bar-6")
        self.iot.create_policy(policyName="sixth", policyDocument=DEVICE)
        shop = self.iot.create_thing_group(thingGroupName="shop")["thingGroupArn"]
        self.iot.create_thing_group(
            thingGroupName="floor-1", parentGroupName="shop",
            thingGroupProperties={"thingGroupDescription": "downstairs", "attributePayload": {"attributes": {"floor": "1"}}})
        self.iot.attach_policy(policyName="sixth", target=shop)
        self.assertFalse(self.connects(options))
        self.iot.add_thing_to_thing_group(thingGroupName="floor-1", thingName="bar-6")
        self.subscribe(options, "things/bar-6")
        self.assertEqual(self.iot.list_targets_for_policy(policyName="sixth")["targets"], [shop])
        self.assertEqual(self.iot.list_things_in_thing_group(thingGroupName="shop")["things"], [])
        self.assertEqual(self.iot.list_things_in_thing_group(thingGroupName="shop", recursive=True)["things"], ["bar-6"])
        self.assertEqual(
            [row["groupName"] for row in self.iot.list_thing_groups_for_thing(thingName="bar-6")["thingGroups"]], ["floor-1"])
        floor = self.iot.describe_thing_group(thingGroupName="floor-1")
        self.assertEqual(floor["thingGroupMetadata"]["rootToParentThingGroups"], [{"groupName": "shop", "groupArn": shop}])
        self.assertEqual(
            self.iot.list_attached_policies(target=floor["thingGroupArn"], recursive=True)["policies"][0]["policyName"], "sixth")
        self.assertEqual(self.iot.list_attached_policies(target=floor["thingGroupArn"])["policies"], [])
        self.assertEqual(self.code(self.iot.delete_thing_group, thingGroupName="shop"), "InvalidRequestException")
        for take, give in (
                (lambda: self.iot.detach_policy(policyName="sixth", target=shop), lambda: self.iot.attach_policy(policyName="sixth", target=shop)),
                (lambda: self.iot.remove_thing_from_thing_group(thingGroupName="floor-1", thingName="bar-6"),
                 lambda: self.iot.add_thing_to_thing_group(thingGroupArn=floor["thingGroupArn"], thingName="bar-6"))):
            take()
            # What is answered is done.
            self.assertFalse(self.is_connected("bar-6"))
            self.assertFalse(self.connects(options))
            give()
            self.subscribe(options, "things/bar-6")
        self.broker.kill()
        self.broker.start()
        self.broker.wait_until_ready()
        self.assertTrue(self.connects(options))
        changed = self.iot.update_thing_group(
            thingGroupName="floor-1", thingGroupProperties={"thingGroupDescription": "x"}, expectedVersion=1)
        self.assertEqual(changed["version"], 2)
        self.iot.delete_thing_group(thingGroupName="floor-1")
        self.assertFalse(self.connects(options))
        self.assertEqual(self.iot.list_thing_groups_for_thing(thingName="bar-6")["thingGroups"], [])

    def test_a_type_and_attributes_fill_the_variables_of_a_policy(self):
        options, arn = self.device("holder-7", "till-1")
        self.iot.create_thing_type(thingTypeName="kiosk", thingTypeProperties={"searchableAttributes": ["floor"]})
        self.iot.create_policy(policyName="seventh", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": ARN + "client/till-${iot:Connection.Thing.Attributes[floor]}",
             "Condition": {"StringEquals": {"iot:Connection.Thing.ThingTypeName": "kiosk"}}},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": ARN + "topicfilter/things/*"}]}))
        self.iot.attach_policy(policyName="seventh", target=arn)
        self.assertFalse(self.connects(options))
        self.iot.update_thing(thingName="till-1", thingTypeName="kiosk")
        self.subscribe(options, "things/till-1")
        self.assertEqual(self.iot.describe_thing(thingName="till-1")["thingTypeName"], "kiosk")
        self.assertEqual([row["thingName"] for row in self.iot.list_things(thingTypeName="kiosk")["things"]], ["till-1"])
        self.iot.update_thing(thingName="till-1", attributePayload={"attributes": {"floor": "2"}})
        self.assertFalse(self.is_connected("till-1"), "what is answered is done")
        self.assertFalse(self.connects(options))
        self.iot.update_thing(thingName="till-1", attributePayload={"attributes": {"floor": "1"}})
        self.subscribe(options, "things/till-1")
        self.iot.deprecate_thing_type(thingTypeName="kiosk")
        self.assertEqual(self.code(self.iot.create_thing, thingName="late", thingTypeName="kiosk"), "InvalidRequestException")
        self.assertEqual(self.code(self.iot.delete_thing_type, thingTypeName="kiosk"), "InvalidRequestException")
        self.iot.update_thing(thingName="till-1", removeThingType=True)
        self.assertFalse(self.is_connected("till-1"))
        self.iot.delete_thing_type(thingTypeName="kiosk")
        self.assertEqual(self.iot.list_thing_types()["thingTypes"], [])

    def test_principals_are_listed_with_their_kind_of_relation(self):
        _, arn = self.device("holder-8", "shared-1")
        self.iot.create_thing(thingName="shared-2")
        self.iot.attach_thing_principal(thingName="shared-2", principal=arn, thingPrincipalType="NON_EXCLUSIVE_THING")
        both = {"principal": arn, "thingPrincipalType": "NON_EXCLUSIVE_THING"}
        for thing in ("shared-1", "shared-2"):
            self.assertEqual(self.iot.list_thing_principals_v2(thingName=thing)["thingPrincipalObjects"], [both])
        kinds = {
            kind: self.iot.list_thing_principals_v2(thingName="shared-1", thingPrincipalType=kind)["thingPrincipalObjects"]
            for kind in ("NON_EXCLUSIVE_THING", "EXCLUSIVE_THING")}
        self.assertEqual(kinds, {"NON_EXCLUSIVE_THING": [both], "EXCLUSIVE_THING": []})
        self.assertEqual(self.code(self.iot.list_thing_principals_v2, thingName="nobody"), "ResourceNotFoundException")
        with self.assertRaisesRegex(self.iot.exceptions.InvalidRequestException, "EXCLUSIVE_THING is not supported by Crema"):
            self.iot.attach_thing_principal(thingName="shared-2", principal=arn, thingPrincipalType="EXCLUSIVE_THING")

    def test_what_has_no_tags_says_so(self):
        self.iot.create_thing(thingName="plain")
        self.iot.create_thing_type(thingTypeName="plain")
        self.iot.create_thing_group(thingGroupName="plain")
        self.iot.create_policy(policyName="plain", policyDocument=DEVICE)
        for kind in ("thing", "thingtype", "thinggroup", "policy"):
            with self.subTest(kind=kind):
                self.assertEqual(self.iot.list_tags_for_resource(resourceArn=f"{ARN}{kind}/plain")["tags"], [])
                self.assertEqual(
                    self.code(self.iot.list_tags_for_resource, resourceArn=f"{ARN}{kind}/nothing"), "ResourceNotFoundException")
                with self.assertRaisesRegex(self.iot.exceptions.InvalidRequestException, "is not the ARN of a topic rule"):
                    self.iot.tag_resource(resourceArn=f"{ARN}{kind}/plain", tags=[{"Key": "a", "Value": "b"}])
        for arn in (f"{ARN}job/x", f"{ARN}cert/{'0' * 64}"):
            with self.assertRaisesRegex(self.iot.exceptions.InvalidRequestException, "is not the ARN of a topic rule"):
                self.iot.list_tags_for_resource(resourceArn=arn)

    def test_pages_of_things(self):
        for number in range(5):
            self.iot.create_thing(thingName=f"page-{number}", attributePayload={"attributes": {"page": "yes"}})
        found = []
        for page in self.iot.get_paginator("list_things").paginate(attributeName="page", PaginationConfig={"PageSize": 2}):
            found += [thing["thingName"] for thing in page["things"]]
        self.assertEqual(found, [f"page-{number}" for number in range(5)])
        self.iot.update_thing(thingName="page-0", attributePayload={"attributes": {"page": ""}, "merge": True}, expectedVersion=1)
        self.assertEqual(self.iot.describe_thing(thingName="page-0")["attributes"], {})
        self.assertEqual(self.code(self.iot.update_thing, thingName="page-0", expectedVersion=1), "VersionConflictException")

    def test_who_may_not_call_is_refused(self):
        visitor = self.broker.client("iot", VISITOR)
        self.assertEqual(self.code(visitor.create_thing, thingName="theirs"), "AccessDeniedException")
        self.assertEqual(self.code(visitor.create_policy, policyName="theirs", policyDocument=DEVICE), "AccessDeniedException")
        self.assertEqual(
            self.code(visitor.attach_policy, policyName="Everything", target=f"{ARN}cert/{'0' * 64}"), "AccessDeniedException")
        self.assertEqual(self.code(visitor.list_certificates), "AccessDeniedException")
        self.iot.create_thing_group(thingGroupName="closed")
        for group in ({"thingGroupName": "closed"}, {"thingGroupArn": f"{ARN}thinggroup/closed"}):
            self.assertEqual(self.code(visitor.add_thing_to_thing_group, thingName="theirs", **group), "AccessDeniedException")
        self.assertEqual(self.code(visitor.attach_policy, policyName="Everything", target=f"{ARN}thinggroup/closed"), "AccessDeniedException")
        self.assertEqual(self.code(visitor.create_thing_type, thingTypeName="theirs"), "AccessDeniedException")


if __name__ == "__main__":
    unittest.main()
