"""Messages that back ends publish by AWS IoT's data plane: boto3, the AWS CLI and curl, with `mosquitto_sub` at the other end; and threat 65."""

import os
import tempfile
import unittest

import boto3
import botocore.config
import botocore.exceptions

from broker import BrokerTestCase, run

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


class DataPlaneTests(BrokerTestCase):
    def client(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(
            service, endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def setUp(self):
        self.data = self.client("iot-data")

    def test_a_message_reaches_its_subscribers_with_its_properties(self):
        screen = self.screen("phone", "shop/#", form="%t|%q|%C|%R|%D|%P|%p", version="5")
        self.data.publish(
            topic="shop/orders/7 ü", qos=1, payload=b"ready", contentType="text/plain", responseTopic="answers/7",
            correlationData="aWQ3", userProperties=[{"by": "barista"}], payloadFormatIndicator="UTF8_DATA",
            messageExpiry=60)
        topic, _, kind, response, correlation, properties, payload = screen.line().split("|")
        self.assertEqual((topic, kind, response, correlation), ("shop/orders/7 ü", "text/plain", "answers/7", "id7"))
        self.assertEqual((properties, payload), ("by:barista", "ready"))

    def test_what_is_retained_is_read_and_listed(self):
        self.data.publish(topic="kept/a", qos=1, retain=True, payload=b"one")
        self.broker.publish("customer", "kept/b", "two", "-r", "-q", "1")
        found = self.data.get_retained_message(topic="kept/a")
        self.assertEqual((found["payload"], found["qos"]), (b"one", 1))
        pages = self.data.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 1})
        topics = [row["topic"] for page in pages for row in page["retainedTopics"]]
        self.assertEqual([topic for topic in topics if topic.startswith("kept/")], ["kept/a", "kept/b"])
        # However often it is asked for, and by either call: 50 times, for the clock's next millisecond comes at any of them.
        times = {self.data.get_retained_message(topic="kept/a")["lastModifiedTime"] for _ in range(50)}
        listed = self.data.list_retained_messages()["retainedTopics"]
        times |= {row["lastModifiedTime"] for row in listed if row["topic"] == "kept/a"}
        self.assertEqual(times, {found["lastModifiedTime"]})
        with self.assertRaises(self.data.exceptions.ResourceNotFoundException):
            self.data.get_retained_message(topic="kept/none")
        # A client that comes later gets both.
        screen = self.screen("late", "kept/#")
        self.assertEqual(sorted(screen.line() for _ in range(2)), ["kept/a one", "kept/b two"])
        self.data.publish(topic="kept/a", retain=True, payload=b"")
        with self.assertRaises(self.data.exceptions.ResourceNotFoundException):
            self.data.get_retained_message(topic="kept/a")

    def test_what_cannot_be_published_is_refused_by_name(self):
        with self.assertRaises(self.data.exceptions.InvalidRequestException) as caught:
            self.data.publish(topic="shop/+", payload=b"x")
        self.assertIn("wildcard", str(caught.exception))
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.data.publish(topic="$SYS/broker/uptime", payload=b"x")
        self.assertEqual(caught.exception.response["Error"]["Code"], "ForbiddenException")
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.data.get_thing_shadow(thingName="t")
        self.assertEqual(caught.exception.response["Error"]["Code"], "UnknownOperationException")

    def test_the_command_line_and_curl(self):
        screen = self.screen("cli", "cli/#")
        with tempfile.NamedTemporaryFile() as payload:
            payload.write(b'{"from": "cli"}')
            payload.flush()
            run("aws", "--endpoint-url", self.broker.url, "iot-data", "publish", "--topic", "cli/a", "--payload",
                "fileb://" + payload.name, env={**os.environ, **CREDENTIALS})
        self.assertEqual(screen.line(), 'cli/a {"from": "cli"}')
        run("curl", "--silent", "--show-error", "--fail", "--data", "from curl", self.broker.url + "/topics/cli/b?qos=1")
        self.assertEqual(screen.line(), "cli/b from curl")

    def test_threat_65_a_page_that_was_given_the_listeners_address_reads_and_publishes_nothing(self):
        self.data.publish(topic="shop/kept", qos=1, retain=True, payload=b"one")

        def status(path, *options):
            return run("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", *options, self.broker.url + path).stdout

        for path in ("/retainedMessage", "/retainedMessage/shop%2Fkept"):
            self.assertEqual(status(path), "200")
            self.assertEqual(status(path, "--header", "Host: evil.example"), "403")
            self.assertEqual(status(path, "--header", "Sec-Fetch-Site: same-origin"), "404")
        self.assertEqual(status("/topics/shop%2Fx", "--data", "x", "--header", "Host: evil.example"), "403")
        signed = ("--header", "Authorization: AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/iot/aws4_request, Signature=0")
        for path in ("/rules", "/things", "/policies", "/certificates"):
            self.assertEqual(status(path, *signed), "200")
            self.assertEqual(status(path, *signed, "--header", "Host: evil.example"), "403")
            self.assertEqual(status(path, *signed, "--header", "Sec-Fetch-Site: cross-site"), "404")
        self.broker.wait_for_log("request refused", "evil.example", "hosts")

    def test_the_endpoint_for_devices_is_the_host_that_was_asked(self):
        iot = self.client("iot")
        self.assertEqual(iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"], "127.0.0.1")


if __name__ == "__main__":
    unittest.main()
