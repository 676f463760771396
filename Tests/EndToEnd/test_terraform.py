"""Terraform's AWS provider by its `endpoints`: what it makes is in force, no plan finds a difference, and an end leaves nothing."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import boto3

from broker import BrokerTestCase

CONFIGURATION = pathlib.Path(__file__).resolve().parent / "shop.tf"
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
CHANGES = {"description": "the other shop", "drink": "mocha", "seconds": "30", "state": "ENABLED"}
# The provider looks at a queue for half a minute before it says that it is made or changed.
COMMAND_SECONDS_MAX = 480


def provider_mirror():
    """A folder with Terraform's AWS provider in it, as `terraform providers mirror` makes them; none is fetched for a test."""
    folders = [os.environ.get("TERRAFORM_MIRROR", ""), pathlib.Path.home() / ".terraform.d/plugins", "/usr/share/terraform/plugins",
               "/usr/local/share/terraform/plugins", *pathlib.Path("/opt").glob("*")]
    for folder in filter(None, folders):
        if any(pathlib.Path(folder).glob("*/hashicorp/aws/*")):
            return str(folder)
    return None


@unittest.skipUnless(shutil.which("terraform"), "terraform is not installed")
@unittest.skipUnless(provider_mirror(), "no folder has Terraform's AWS provider (TERRAFORM_MIRROR names one)")
class TerraformTests(BrokerTestCase):
    resources = ()
    parameters = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-terraform-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(CONFIGURATION, self.folder)
        settings = self.folder / "terraform.rc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{provider_mirror()}" }}\n}}\n')
        self.environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}

    def terraform(self, *arguments, expecting=0):
        result = subprocess.run(
            ["terraform", *arguments], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=COMMAND_SECONDS_MAX)
        self.assertEqual(result.returncode, expecting, result.stdout)
        return result.stdout

    def run_with(self, command, *options, changes=None, expecting=0):
        variables = {"endpoint": self.broker.url, **(changes or {})}
        return self.terraform(
            command, "-no-color", "-input=false", *options, *(f"-var={name}={value}" for name, value in variables.items()),
            expecting=expecting)

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.broker.url, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")

    def test_from_the_first_apply_to_the_end(self):
        self.terraform("init", "-no-color", "-input=false")
        self.run_with("apply", "-auto-approve")
        # 0: no difference; 2 would be some.
        self.run_with("plan", "-detailed-exitcode")
        outputs = {name: output["value"] for name, output in json.loads(self.terraform("output", "-json")).items()}
        self.assertEqual(outputs, {
            "default": ARN.format("events", "event-bus/default"), "buses": ["terraform-audit", "terraform-shop"],
            "connection": "API_KEY", "queue": ARN.format("sqs", "terraform-orders")})
        self.event_and_message("latte")

        changed = self.run_with("apply", "-auto-approve", changes=CHANGES)
        # Changed in place, all of them.
        self.assertIn("Apply complete! Resources: 0 added, 10 changed, 0 destroyed.", changed)
        self.run_with("plan", "-detailed-exitcode", changes=CHANGES)
        self.event_and_message("mocha")

        self.run_with("destroy", "-auto-approve", changes=CHANGES)
        self.nothing_is_left()

    def event_and_message(self, drink):
        """An event and a device's message reach the targets of the rules."""
        events, queues = self.client("events"), self.client("sqs")
        url = queues.get_queue_url(QueueName="terraform-orders")["QueueUrl"]
        screen = self.screen("customer", "users/ann", "places/+")
        entry = {"Source": "terraform.shop", "DetailType": "Ordered", "Detail": '{"user": "ann"}', "EventBusName": "terraform-shop"}
        self.assertEqual(events.put_events(Entries=[entry])["FailedEntryCount"], 0)
        self.assertEqual(screen.next(), ("users/ann", {"user": "ann", "drink": drink}))
        self.broker.publish("sensor", "terraform/kitchen", '{"temperature": 21}')
        self.assertEqual(screen.next(), ("places/kitchen", {"t": 21, "place": "kitchen"}))
        bodies = []
        while len(bodies) < 2:
            for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10).get("Messages", []):
                bodies.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(sorted(bodies, key=json.dumps), [{"t": 21, "place": "kitchen"}, {"user": "ann"}])
        screen.end()

    def nothing_is_left(self):
        events, iot, queues = (self.client(service) for service in ("events", "iot", "sqs"))
        self.assertEqual([bus["Name"] for bus in events.list_event_buses()["EventBuses"]], ["default"])
        self.assertEqual(events.list_rules()["Rules"], [])
        self.assertEqual(events.list_archives()["Archives"], [])
        self.assertEqual(events.list_connections()["Connections"], [])
        self.assertEqual(events.list_api_destinations()["ApiDestinations"], [])
        self.assertEqual(iot.list_topic_rules()["rules"], [])
        self.assertNotIn("QueueUrls", queues.list_queues())


if __name__ == "__main__":
    unittest.main()
