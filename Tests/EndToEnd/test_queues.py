"""Queues by boto3 and the AWS CLI, and what rules send to them."""

import base64
import hashlib
import json
import os
import pathlib
import socket
import struct
import tempfile
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

from broker import CREMA, Broker, BrokerTestCase, run

RESOURCES = pathlib.Path(__file__).resolve().parent / "queues.yaml"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
ARN = "arn:aws:sqs:us-east-1:000000000000:"


def digest_of(attributes):
    """What the service's clients compare the digest of the attributes with."""
    digest = hashlib.md5()
    for name in sorted(attributes):
        attribute = attributes[name]
        binary = attribute["DataType"].startswith("Binary")
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(bytes([2 if binary else 1]) + struct.pack(">I", len(value)) + value)
    return digest.hexdigest()


class QueueTests(BrokerTestCase):
    resources = (RESOURCES,)
    parameters = {}

    def client(self, service="sqs"):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        # What is refused is refused: nothing is tried again.
        return session.client(
            service, endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def setUp(self):
        self.sqs = self.client()

    def test_who_has_closed_its_side_takes_nothing(self):
        url = self.create()
        body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
        head = (
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n")
        host, port = self.broker.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=15) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(0.5)
            connection.shutdown(socket.SHUT_WR)
            # Long before its time is up.
            self.assertTrue(connection.recv(65536).endswith(b"{}"))
        self.sqs.send_message(QueueUrl=url, MessageBody="for the next")
        self.assertEqual([message["Body"] for message in self.receive(url)], ["for the next"])

    def create(self, name=None, **attributes):
        return self.sqs.create_queue(QueueName=name or self._testMethodName[:80], Attributes=attributes)["QueueUrl"]

    def receive(self, url, **options):
        options = {"WaitTimeSeconds": 10, "MaxNumberOfMessages": 10, **options}
        return self.sqs.receive_message(QueueUrl=url, **options).get("Messages", [])

    def take(self, name):
        """Receives one message of a queue of the template, and deletes it."""
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        message = self.receive(url, MaxNumberOfMessages=1, MessageAttributeNames=["All"])[0]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def code(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        return caught.exception.response["Error"]["Code"]

    def test_a_message_is_sent_received_and_deleted(self):
        url = self.create()
        attributes = {
            "count": {"DataType": "Number", "StringValue": "12"}, "zone": {"DataType": "String", "StringValue": "bar é"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff\n"}}
        body = json.dumps({"drink": "Caffè \u2615"}, ensure_ascii=False)
        sent = self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5(body.encode()).hexdigest())
        self.assertEqual(sent["MD5OfMessageAttributes"], digest_of(attributes))
        message, = self.receive(url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
        self.assertEqual((message["MessageId"], message["Body"]), (sent["MessageId"], body))
        self.assertEqual(message["MessageAttributes"], attributes)
        self.assertEqual(message["MD5OfMessageAttributes"], digest_of(attributes))
        self.assertEqual(message["MD5OfBody"], sent["MD5OfMessageBody"])
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
        self.assertLess(abs(int(message["Attributes"]["SentTimestamp"]) / 1_000 - time.time()), 60)
        self.assertEqual(self.counts(url), ("0", "1", "0"))
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(self.counts(url), ("0", "0", "0"))

    def counts(self, url):
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return tuple(attributes[name] for name in names)

    def test_who_waits_is_answered_when_a_message_comes(self):
        url = self.create()
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.receive(url, WaitTimeSeconds=20)))
        waiting.start()
        deadline = time.monotonic() + 10
        while "crema_queue_waiters 1" not in self.broker.asks("/metrics"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.client().send_message(QueueUrl=url, MessageBody="at last")
        waiting.join(10)
        self.assertFalse(waiting.is_alive())
        self.assertEqual([message["Body"] for message in answers[0]], ["at last"])

    def test_who_waits_in_vain_is_answered_with_nothing(self):
        self.assertEqual(self.receive(self.create(), WaitTimeSeconds=1), [])

    def test_who_waits_gets_what_becomes_visible(self):
        url = self.create()
        self.sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
        self.assertEqual(self.receive(url, WaitTimeSeconds=0), [])
        first, = self.receive(url, VisibilityTimeout=1)
        again, = self.receive(url, MessageSystemAttributeNames=["ApproximateReceiveCount"])
        self.assertEqual((first["Body"], again["Body"]), ("later", "later"))
        self.assertEqual(again["Attributes"], {"ApproximateReceiveCount": "2"})

    def test_a_message_goes_to_the_dead_letter_queue(self):
        dead = self.create(f"{self._testMethodName}-dead")
        policy = {"deadLetterTargetArn": f"{ARN}{self._testMethodName}-dead", "maxReceiveCount": 2}
        url = self.create(RedrivePolicy=json.dumps(policy))
        self.sqs.send_message(QueueUrl=url, MessageBody="poison")
        for _ in range(2):
            self.assertEqual(len(self.receive(url, VisibilityTimeout=0)), 1)
        self.assertEqual(self.receive(url, WaitTimeSeconds=0), [])
        message, = self.receive(dead, MessageSystemAttributeNames=["All"])
        self.assertEqual(message["Body"], "poison")
        self.assertEqual(message["Attributes"]["DeadLetterQueueSourceArn"], ARN + self._testMethodName)
        self.assertEqual(self.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])

    def test_batches_have_a_word_for_each_entry(self):
        url = self.create()
        entries = [{"Id": f"e{number}", "MessageBody": f"m{number}"} for number in range(9)]
        answer = self.sqs.send_message_batch(
            QueueUrl=url, Entries=[*entries, {"Id": "bad", "MessageBody": "m", "DelaySeconds": 901}])
        self.assertEqual([entry["Id"] for entry in answer["Successful"]], [entry["Id"] for entry in entries])
        self.assertEqual([(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]],
                         [("bad", "InvalidParameterValue", True)])
        messages = self.receive(url)
        self.assertEqual([message["Body"] for message in messages], [f"m{number}" for number in range(9)])
        handles = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]
        self.sqs.change_message_visibility_batch(
            QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 0} for entry in handles[:2]])
        self.assertEqual(self.counts(url), ("2", "7", "0"))
        answer = self.sqs.delete_message_batch(QueueUrl=url, Entries=handles)
        self.assertEqual(len(answer["Successful"]), 9)
        self.assertEqual(self.counts(url), ("0", "0", "0"))

    def test_what_is_refused_has_the_services_codes(self):
        url = self.create()
        gone = url.replace(self._testMethodName, "nowhere")
        with self.assertRaises(self.sqs.exceptions.QueueDoesNotExist) as caught:
            self.sqs.send_message(QueueUrl=gone, MessageBody="m")
        self.assertEqual(caught.exception.response["Error"]["Code"], "AWS.SimpleQueueService.NonExistentQueue")
        with self.assertRaises(self.sqs.exceptions.QueueNameExists):
            self.create(VisibilityTimeout="1")
        with self.assertRaises(self.sqs.exceptions.ReceiptHandleIsInvalid):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle="none")
        entries = [{"Id": "same", "MessageBody": "m"}] * 2
        with self.assertRaises(self.sqs.exceptions.BatchEntryIdsNotDistinct):
            self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        with self.assertRaises(self.sqs.exceptions.TooManyEntriesInBatchRequest):
            self.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "m"} for n in range(11)])
        self.assertEqual(self.code(self.sqs.create_queue, QueueName="orders.fifo"), "InvalidParameterValue")
        self.assertEqual(
            self.code(self.sqs.create_queue, QueueName="f", Attributes={"FifoQueue": "true"}), "InvalidParameterValue")
        self.assertEqual(
            self.code(self.sqs.receive_message, QueueUrl=url, ReceiveRequestAttemptId="a"), "ValidationException")
        grant = {"QueueUrl": url, "Label": "l", "AWSAccountIds": ["1" * 12], "Actions": ["SendMessage"]}
        self.sqs.add_permission(**grant)
        self.assertEqual(self.code(self.sqs.add_permission, **grant), "InvalidParameterValue")
        policy = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        self.assertEqual(json.loads(policy)["Statement"][0]["Action"], "SQS:SendMessage")
        self.sqs.remove_permission(QueueUrl=url, Label="l")
        self.assertNotIn("Attributes", self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]))

    def test_a_rule_feeds_a_fifo_queue_once_and_in_order(self):
        url = self.sqs.create_queue(
            QueueName="ordered.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        events = self.client("events")
        events.put_rule(Name="IntoOrder", EventPattern='{"source": ["fifo"]}')
        target = {"Id": "t", "Arn": ARN + "ordered.fifo", "InputPath": "$.detail.number"}
        with self.assertRaises(events.exceptions.ClientError) as caught:
            events.put_targets(Rule="IntoOrder", Targets=[target])
        self.assertIn("SqsParameters must be specified", caught.exception.response["Error"]["Message"])
        events.put_targets(Rule="IntoOrder", Targets=[{**target, "SqsParameters": {"MessageGroupId": "g"}}])
        for number in (1, 2, 2, 3):
            entry = {"Source": "fifo", "DetailType": "d", "Detail": json.dumps({"number": number})}
            self.assertEqual(events.put_events(Entries=[entry])["FailedEntryCount"], 0)
        first = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MessageSystemAttributeNames=["All"])["Messages"]
        self.assertEqual([message["Body"] for message in first], ["1"])
        self.assertEqual(first[0]["Attributes"]["MessageGroupId"], "g")
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=url))
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
        rest = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual([message["Body"] for message in rest], ["2", "3"])
        events.remove_targets(Rule="IntoOrder", Ids=["t"])
        events.delete_rule(Name="IntoOrder")
        self.sqs.delete_queue(QueueUrl=url)

    def test_dead_letters_are_brought_back_by_a_task(self):
        dead = self.create(f"{self._testMethodName}-dead")
        source = ARN + dead.rsplit("/", 1)[1]
        policy = json.dumps({"deadLetterTargetArn": source, "maxReceiveCount": 1})
        url = self.create(RedrivePolicy=policy, VisibilityTimeout="0")
        self.sqs.send_message(QueueUrl=url, MessageBody="again")
        for _ in range(2):
            self.sqs.receive_message(QueueUrl=url)
        self.assertEqual(self.code(self.sqs.start_message_move_task, SourceArn=f"{ARN}none"), "ResourceNotFoundException")
        handle = self.sqs.start_message_move_task(SourceArn=source, MaxNumberOfMessagesPerSecond=500)["TaskHandle"]
        self.assertTrue(handle)
        deadline = time.monotonic() + 10
        while (task := self.sqs.list_message_move_tasks(SourceArn=source)["Results"][0])["Status"] == "RUNNING":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(
            (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]), ("COMPLETED", 1, 1))
        self.assertNotIn("TaskHandle", task)
        self.assertEqual(self.sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], "again")
        self.assertEqual(self.code(self.sqs.cancel_message_move_task, TaskHandle=handle), "AWS.SimpleQueueService.UnsupportedOperation")

    def test_queues_are_listed_by_pages(self):
        urls = [self.create(f"{self._testMethodName}-{number}") for number in range(5)]
        pages = self.sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=self._testMethodName, PaginationConfig={"PageSize": 2})
        self.assertEqual([page["QueueUrls"] for page in pages], [urls[:2], urls[2:4], urls[4:]])
        self.sqs.delete_queue(QueueUrl=urls[0])
        self.assertEqual(self.sqs.list_queues(QueueNamePrefix=self._testMethodName)["QueueUrls"], urls[1:])

    def test_attributes_and_tags(self):
        url = self.sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual((attributes["QueueArn"], attributes["VisibilityTimeout"]), (f"{ARN}orders", "30"))
        self.assertEqual(json.loads(attributes["RedrivePolicy"]), {"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 2})
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "bar"})
        mine = self.create()
        self.sqs.set_queue_attributes(QueueUrl=mine, Attributes={"DelaySeconds": "5"})
        self.sqs.tag_queue(QueueUrl=mine, Tags={"a": "1", "b": "2"})
        self.sqs.untag_queue(QueueUrl=mine, TagKeys=["a"])
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=mine)["Tags"], {"b": "2"})
        self.assertEqual(self.code(self.sqs.tag_queue, QueueUrl=mine, Tags={"AWS:made": "1"}), "InvalidParameterValue")
        self.sqs.set_queue_attributes(QueueUrl=mine, Attributes={"SqsManagedSseEnabled": "true"})
        attributes = self.sqs.get_queue_attributes(QueueUrl=mine, AttributeNames=["All"])["Attributes"]
        self.assertEqual(attributes["SqsManagedSseEnabled"], "true")
        self.sqs.send_message(QueueUrl=mine, MessageBody="m")
        self.assertEqual(self.counts(mine), ("0", "0", "1"))
        self.sqs.purge_queue(QueueUrl=mine)
        self.assertEqual(self.counts(mine), ("0", "0", "0"))

    def test_the_aws_cli_uses_a_queue(self):
        def aws(*arguments):
            output = run("aws", "--endpoint-url", self.broker.url, "sqs", *arguments, env={**os.environ, **CREDENTIALS}).stdout
            return json.loads(output) if output else None

        url = aws("create-queue", "--queue-name", "cli", "--attributes", "VisibilityTimeout=7")["QueueUrl"]
        sent = aws("send-message", "--queue-url", url, "--message-body", "by hand")
        message, = aws("receive-message", "--queue-url", url, "--wait-time-seconds", "5")["Messages"]
        self.assertEqual((message["MessageId"], message["Body"]), (sent["MessageId"], "by hand"))
        aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
        aws("purge-queue", "--queue-url", url)
        attributes = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
        self.assertEqual((attributes["VisibilityTimeout"], attributes["ApproximateNumberOfMessages"]), ("7", "0"))
        failed = run(
            "aws", "--endpoint-url", self.broker.url, "sqs", "get-queue-url", "--queue-name", "nowhere", check=False,
            env={**os.environ, **CREDENTIALS})
        self.assertIn("NonExistentQueue", failed.stderr)

    def test_an_event_goes_through_rules_into_queues_and_on_to_another_bus(self):
        entry = {"Source": "shop.orders", "DetailType": "Ordered", "EventBusName": "shop",
                 "Detail": json.dumps({"drink": "latte", "user": "ann"})}
        answer = self.client("events").put_events(Entries=[entry])
        event = answer["Entries"][0]["EventId"]
        self.assertEqual(json.loads(self.take("orders")["Body"]), {"drink": "latte", "event": event})
        audited = json.loads(self.take("AuditQueue")["Body"])
        self.assertEqual((audited["id"], audited["source"], audited["detail"]["user"]), (event, "shop.orders", "ann"))

    def test_a_failed_delivery_goes_to_its_targets_dead_letter_queue(self):
        entry = {"Source": "shop.orders", "DetailType": "Ordered", "EventBusName": "shop", "Detail": '{"drink": "tea"}'}
        event = self.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
        message = self.take("failed")
        self.assertEqual(json.loads(message["Body"])["id"], event)
        attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        self.assertEqual(attributes["RULE_ARN"], "arn:aws:events:us-east-1:000000000000:rule/shop/OrdersIntoQueue")
        self.assertEqual(attributes["TARGET_ARN"], "arn:aws:iot:us-east-1:000000000000:topic/users/<user>")
        self.assertEqual((attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]), ("INVALID_TOPIC", "0"))
        self.assertIn("user", attributes["ERROR_MESSAGE"])
        self.assertIn("INVALID_TOPIC", self.broker.asks("/api/v1/deadletters"))
        for queue in ("orders", "AuditQueue"):
            self.take(queue)

    def test_a_devices_message_goes_through_a_topic_rule_into_a_queue(self):
        self.broker.publish("device-1", "devices/nyc/orders", '{"orderId": "7", "more": true}')
        self.assertEqual(json.loads(self.take("orders")["Body"]), {"orderId": "7", "shop": "nyc"})
        self.broker.publish("device-1", "raw", "plain text")
        self.assertEqual(base64.b64decode(self.take("raw")["Body"]), b"plain text")

    def test_metrics_count_messages(self):
        def sent():
            line, = (line for line in self.broker.asks("/metrics").splitlines()
                     if line.startswith("crema_queue_messages_sent_total "))
            return int(line.split()[1])

        before = sent()
        self.sqs.send_message(QueueUrl=self.create(), MessageBody="m")
        self.assertEqual(sent(), before + 1)


class QueueReloadTests(unittest.TestCase):
    def test_a_reload_makes_new_queues_and_keeps_messages(self):
        with tempfile.TemporaryDirectory() as folder:
            template = pathlib.Path(folder) / "queues.json"

            def write(**queues):
                template.write_text(json.dumps({"Resources": {
                    name: {"Type": "AWS::SQS::Queue", "Properties": properties} for name, properties in queues.items()}}))

            write(first={})
            broker = Broker(template)
            self.addCleanup(broker.end)
            sqs = boto3.session.Session(
                aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1"
            ).client("sqs", endpoint_url=broker.url)
            first = sqs.get_queue_url(QueueName="first")["QueueUrl"]
            sqs.send_message(QueueUrl=first, MessageBody="kept")
            write(first={"VisibilityTimeout": 5}, second={})
            broker.reload()
            attributes = sqs.get_queue_attributes(QueueUrl=first, AttributeNames=["VisibilityTimeout"])["Attributes"]
            self.assertEqual(attributes, {"VisibilityTimeout": "5"})
            message, = sqs.receive_message(QueueUrl=first)["Messages"]
            self.assertEqual(message["Body"], "kept")
            self.assertEqual(len(sqs.list_queues()["QueueUrls"]), 2)
            report = json.loads(run(CREMA, "check", "--json", "--config", str(broker.configuration)).stdout)
            self.assertEqual(report["queues"], ["first", "second"])


if __name__ == "__main__":
    unittest.main()
