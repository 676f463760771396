"""What events and queues keep in the durable store, by boto3: what a crash leaves of it, and a disk that takes nothing for a while."""

import collections
import contextlib
import datetime
import http.server
import itertools
import json
import sqlite3
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

import wire
from broker import CREMA, WAIT_SECONDS, run
from test_store import StoreTestCase


class Target:
    """An HTTP server that hangs until it is opened, and remembers what it took from then on."""

    def __init__(self):
        self.is_open, self.taken, self.ended = False, [], threading.Event()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if self.path != "/refusing":
                    if not target.is_open:
                        target.ended.wait(60)
                        return
                    target.taken.append((body, self.headers.get("X-Key")))
                self.send_response(400 if self.path == "/refusing" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class EventStoreTests(StoreTestCase):
    """What came by API, queues with their messages, deliveries that wait, and dead letters, by boto3."""

    more = {"data": "data", "http": {"allow": ["127.0.0.1/32"]}}

    ARN = "arn:aws:%s:us-east-1:000000000000:"

    def api(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(
            service, endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def put(self, number, bus="made"):
        entry = {"Source": "shop", "DetailType": "Ordered", "Detail": json.dumps({"n": number}), "EventBusName": bus}
        self.assertEqual(self.api("events").put_events(Entries=[entry])["FailedEntryCount"], 0)

    def received(self, url):
        found = self.api("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return found.get("Messages", [])

    def make(self):
        """A bus with a rule that sends to a queue, and a topic rule."""
        sqs, events, iot = self.api("sqs"), self.api("events"), self.api("iot")
        url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"}, tags={"k": "v"})["QueueUrl"]
        events.create_event_bus(Name="made", Description="by API", Tags=[{"Key": "k", "Value": "v"}])
        events.put_rule(Name="to-queue", EventBusName="made", EventPattern=json.dumps({"source": ["shop"]}))
        target = {"Id": "q", "Arn": self.ARN % "sqs" + "orders", "InputPath": "$.detail"}
        events.put_targets(Rule="to-queue", EventBusName="made", Targets=[target])
        iot.create_topic_rule(ruleName="lights", topicRulePayload={
            "sql": "SELECT * FROM 'lights/+'", "awsIotSqlVersion": "2016-03-23",
            "actions": [{"sqs": {"roleArn": "r", "queueUrl": url, "useBase64": False}}]})
        return url

    def test_what_came_by_api_and_messages_outlive_the_process(self):
        url = self.make()
        login = self.api("events").create_connection(
            Name="login", AuthorizationType="API_KEY",
            AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}})["ConnectionArn"]
        self.api("sqs").send_message(QueueUrl=url, MessageBody="by hand")
        bus = self.api("events").describe_event_bus(Name="made")["Arn"]
        self.api("events").create_archive(ArchiveName="all", EventSourceArn=bus)
        for gently in (False, True, False):
            self.restart(gently)
            events = self.api("events")
            self.assertEqual(events.describe_event_bus(Name="made")["Description"], "by API")
            self.assertEqual([rule["Name"] for rule in events.list_rules(EventBusName="made")["Rules"]], ["to-queue"])
            self.assertEqual(self.api("iot").get_topic_rule(ruleName="lights")["rule"]["ruleName"], "lights")
            self.assertEqual(events.describe_connection(Name="login")["ConnectionArn"], login)
            self.assertEqual(self.api("sqs").list_queue_tags(QueueUrl=url)["Tags"], {"k": "v"})
            self.put(1 if gently else 2)
            device = self.client("device")
            device.publish("lights/1", json.dumps({"gently": gently}))
            self.assertEqual(device.next()["kind"], wire.PUBACK)
        self.restart(gently=False)
        bodies = [message["Body"] for message in self.received(url)]
        self.assertEqual(bodies, [
            "by hand", '{"n":2}', '{"gently":false}', '{"n":1}', '{"gently":true}', '{"n":2}', '{"gently":false}'])
        events = self.api("events")
        self.assertEqual(events.describe_archive(ArchiveName="all")["EventCount"], 3)
        now = datetime.datetime.now(datetime.timezone.utc)
        events.start_replay(
            ReplayName="again", EventSourceArn=events.describe_archive(ArchiveName="all")["ArchiveArn"], Destination={"Arn": bus},
            EventStartTime=now - datetime.timedelta(minutes=10), EventEndTime=now + datetime.timedelta(minutes=10))
        self.restart(gently=False)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.api("events").describe_replay(ReplayName="again")["State"] != "COMPLETED" and time.monotonic() < deadline:
            time.sleep(0.05)
        bodies = collections.Counter(message["Body"] for message in self.received(url))
        # Once more at the least; what was received before is in sight of everybody again.
        self.assertGreaterEqual(bodies['{"n":2}'], 4)
        self.assertGreaterEqual(bodies['{"n":1}'], 2)

    def call(self, target, source, path):
        """A rule by API that calls a path of the server for the events of a source."""
        events = self.api("events")
        if not events.list_connections()["Connections"]:
            events.create_connection(
                Name="login", AuthorizationType="API_KEY",
                AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}})
        login = events.describe_connection(Name="login")["ConnectionArn"]
        arn = events.create_api_destination(
            Name=source, ConnectionArn=login, HttpMethod="POST",
            InvocationEndpoint=f"http://127.0.0.1:{target.port}{path}")["ApiDestinationArn"]
        events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=source, Targets=[{"Id": "t", "Arn": arn, "InputPath": "$.detail"}])

    def test_what_was_put_is_delivered_after_a_crash(self):
        target = Target()
        self.addCleanup(target.end)
        self.call(target, "shop", "/orders")
        self.call(target, "refusing", "/refusing")
        self.api("iot").create_topic_rule(ruleName="devices", topicRulePayload={
            "sql": "SELECT n FROM 'devices/+'", "awsIotSqlVersion": "2016-03-23",
            "actions": [{"http": {"url": f"http://127.0.0.1:{target.port}/devices"}}]})
        for number in range(40):
            self.put(number, bus="default")
        device = self.client("device")
        device.publish("devices/1", '{"n": "device"}')
        self.assertEqual(device.next()["kind"], wire.PUBACK)
        entry = {"Source": "refusing", "DetailType": "d", "Detail": "{}"}
        self.assertEqual(self.api("events").put_events(Entries=[entry])["FailedEntryCount"], 0)
        self.broker.wait_for_log("rule delivery failed", "refusing")
        letters = self.letters()
        self.assertEqual([letter["rule"] for letter in letters], ["refusing"])
        self.restart(gently=False)
        self.assertEqual(self.letters(), letters)
        # A stop leaves what waits, too.
        self.restart(gently=True)
        self.broker.wait_for_log("deliveries finished", "leftForNextStart=41")
        self.assertEqual(target.taken, [])
        target.is_open = True
        self.restart(gently=False)
        expected = {json.dumps({"n": number}, separators=(",", ":")) for number in [*range(40), "device"]}
        deadline = time.monotonic() + WAIT_SECONDS
        while {body for body, _ in target.taken} != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual({body for body, _ in target.taken}, expected)
        self.assertEqual({key for body, key in target.taken if "device" not in body}, {"s3cret"})
        while "crema_deliveries_pending 0\n" not in self.broker.asks("/metrics") and time.monotonic() < deadline:
            time.sleep(0.05)
        before = len(target.taken)
        # Nobody waits for what is removed to be on disk; this call waits for all that was handed over before it.
        self.api("events").create_event_bus(Name="later")
        self.restart(gently=False)
        # What was delivered is not delivered again.
        self.assertIn("crema_deliveries_pending 0\n", self.broker.asks("/metrics"))
        self.assertEqual(len(target.taken), before)

    def letters(self):
        return json.loads(run(CREMA, "deadletters", "--json", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout)["rows"]

    def test_nothing_acknowledged_is_lost_when_it_is_killed_at_work(self):
        url = self.make()
        acknowledged, number = set(), itertools.count()

        def work(send):
            try:
                while True:
                    body = json.dumps({"n": next(number)}, separators=(",", ":"))
                    send(body)
                    acknowledged.add(body)
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
                pass  # it was killed

        for _ in range(3):
            sqs, events = self.api("sqs"), self.api("events")
            sends = [
                lambda body, sqs=sqs: sqs.send_message(QueueUrl=url, MessageBody=body),
                lambda body, events=events: events.put_events(Entries=[
                    {"Source": "shop", "DetailType": "d", "Detail": body, "EventBusName": "made"}])]
            workers = [threading.Thread(target=work, args=(send,)) for send in sends * 2]
            for worker in workers:
                worker.start()
            time.sleep(0.7)
            self.broker.kill()
            for worker in workers:
                worker.join(WAIT_SECONDS)
            self.broker.start()
            self.broker.wait_until_ready()
        self.assertGreater(len(acknowledged), 30)
        found = set()
        while got := self.received(url):
            found |= {message["Body"] for message in got}
            entries = [{"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]} for place, message in enumerate(got)]
            self.assertNotIn("Failed", self.api("sqs").delete_message_batch(QueueUrl=url, Entries=entries))
        self.assertEqual(acknowledged - found, set())
        self.restart(gently=False)
        self.assertEqual(self.received(url), [])

    def test_an_event_is_answered_when_sessions_that_want_it_have_it(self):
        subscriber = self.client("s", clean=False, props={"session_expiry": 0xFFFFFFFF})
        subscriber.subscribe("made/#", 1)
        subscriber.close()
        events = self.api("events")
        events.put_rule(Name="to-topic", EventPattern=json.dumps({"source": ["shop"]}))
        events.put_targets(Rule="to-topic", Targets=[
            {"Id": "t", "Arn": self.ARN % "iot" + "topic/made/n", "InputPath": "$.detail.n"}])
        for number in range(20):
            self.put(number, bus="default")
        self.restart(gently=False)
        subscriber = self.client("s", clean=False, props={"session_expiry": 0xFFFFFFFF})
        self.assertEqual([subscriber.next()["payload"] for _ in range(20)], [str(number).encode() for number in range(20)])

    def test_what_was_deleted_does_not_come_back(self):
        url = self.make()
        sqs = self.api("sqs")
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
        got = self.received(url)
        self.assertEqual(len(got), 10)
        for message in got[:4]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.api("events").remove_targets(Rule="to-queue", EventBusName="made", Ids=["q"])
        self.api("events").delete_rule(Name="to-queue", EventBusName="made")
        self.api("iot").delete_topic_rule(ruleName="lights")
        self.restart(gently=False)
        # Nobody has them in flight any more.
        self.assertEqual(sorted(message["Body"] for message in self.received(url)), [str(n) for n in range(4, 10)])
        self.assertEqual(self.api("events").list_rules(EventBusName="made")["Rules"], [])
        self.assertEqual(self.api("iot").list_topic_rules()["rules"], [])
        self.api("sqs").delete_queue(QueueUrl=url)
        self.restart(gently=False)
        self.assertEqual(self.api("sqs").list_queues().get("QueueUrls", []), [])

    def test_a_file_from_before_there_were_records_is_taken_up(self):
        subscriber = self.client("s", clean=False, props={"session_expiry": 0xFFFFFFFF})
        subscriber.subscribe("a", 1)
        subscriber.close()
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        with contextlib.closing(sqlite3.connect(self.broker.folder / "data" / "crema.db")) as file, file:
            file.execute("DROP TABLE records")
            migration = "records of events and queues"
            self.assertEqual(file.execute("DELETE FROM grdb_migrations WHERE identifier = ?", [migration]).rowcount, 1)
        self.broker.start()
        self.broker.wait_until_ready()
        self.assertEqual(self.client("s", clean=False, props={"session_expiry": 0xFFFFFFFF}).connack["present"], 1)
        url = self.make()
        self.api("sqs").send_message(QueueUrl=url, MessageBody="new")
        self.restart(gently=False)
        self.assertEqual([message["Body"] for message in self.received(url)], ["new"])

    def test_what_needs_the_disk_is_refused_while_it_fails(self):
        url = self.make()
        self.api("sqs").send_message(QueueUrl=url, MessageBody="before")
        failing = self.let_syncs_fail()
        refused = []
        for _ in range(2):
            for call in (lambda: self.api("sqs").send_message(QueueUrl=url, MessageBody="refused"),
                         lambda: self.api("events").create_event_bus(Name="refused")):
                with self.assertRaises(botocore.exceptions.ClientError) as caught:
                    call()
                refused.append(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual(refused, [503] * 4)
        self.assertIn("crema_store_failing 1", self.broker.asks("/metrics"))
        self.assertEqual(self.api("sqs").get_queue_url(QueueName="orders")["QueueUrl"], url)
        self.assertEqual(self.api("events").describe_event_bus(Name="made")["Name"], "made")
        failing.terminate()
        failing.wait()
        self.broker.wait_for_log("the store writes again")
        self.api("sqs").send_message(QueueUrl=url, MessageBody="after")
        self.restart(gently=False)
        bodies = [message["Body"] for message in self.received(url)]
        # What was refused by then may have been written all the same, once.
        self.assertEqual([body for body in bodies if body != "refused"], ["before", "after"])
        self.assertLessEqual(bodies.count("refused"), 1)


if __name__ == "__main__":
    unittest.main()
