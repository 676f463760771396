"""The durable store as an operator meets it: what a restart keeps, what is said of it, and a disk that takes nothing for a while."""

import http.server
import json
import pathlib
import socket
import stat
import subprocess
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

import wire
from broker import CREMA, WAIT_SECONDS, Broker, run

FOR_EVER = {"session_expiry": 0xFFFFFFFF}


class Client:
    """One connection, packet by packet."""

    def __init__(self, port, name, clean=True, version=5, props=None):
        self.version, self.buffer = version, bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
        self.socket.settimeout(WAIT_SECONDS)
        self.socket.sendall(wire.connect(name, version, clean=clean, props=props if version == 5 else None))
        self.connack = self.next()

    def next(self):
        while (end := wire.frame_end(self.buffer)) is None:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError("closed")
            self.buffer += data
        frame = bytes(self.buffer[:end])
        del self.buffer[:end]
        return wire.decode(frame, self.version)

    def has_nothing_for(self, seconds):
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(65_536)
        except socket.timeout:
            return not self.buffer
        finally:
            self.socket.settimeout(WAIT_SECONDS)
        return False

    def subscribe(self, topic, qos=1):
        self.socket.sendall(wire.subscribe(1, [(topic, qos)], self.version))
        return self.next()["codes"]

    def publish(self, topic, payload, qos=1, packet_id=1, retain=False):
        self.socket.sendall(wire.publish(topic, payload, qos, packet_id, retain, version=self.version))

    def close(self):
        self.socket.close()


class StoreTestCase(unittest.TestCase):
    more = {"data": "data"}

    def setUp(self):
        self.broker = Broker(more=self.more)
        self.addCleanup(self.broker.end)

    def let_syncs_fail(self):
        """Every sync from here on fails, until what is answered is ended."""
        failing = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO",
             "-p", str(self.broker.process.pid)], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: failing.poll() is None and (failing.kill(), failing.wait()))
        self.wait_until_traced()
        return failing

    def wait_until_traced(self):
        deadline = time.monotonic() + WAIT_SECONDS
        tasks = pathlib.Path(f"/proc/{self.broker.process.pid}/task")
        while time.monotonic() < deadline:
            if all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks.iterdir()):
                return
            time.sleep(0.02)
        self.fail("strace does not trace the broker")

    def client(self, *arguments, **options):
        client = Client(self.broker.mqtt, *arguments, **options)
        self.addCleanup(client.close)
        return client

    def restart(self, gently):
        if gently:
            self.broker.process.terminate()
            self.assertEqual(self.broker.process.wait(WAIT_SECONDS), 0)
        else:
            self.broker.kill()
        self.broker.start()
        self.broker.wait_until_ready()


class StoreTests(StoreTestCase):
    def test_a_queue_and_a_retained_message_outlive_the_process(self):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.subscribe("a/#", 2), [2])
        subscriber.close()
        expected = []
        for gently in (False, True, False):
            publisher = self.client("p")
            for number in range(1, 31):
                payload = f"{len(expected)}"
                publisher.publish("a/b", payload, qos=1, packet_id=number, retain=number == 30)
                self.assertEqual((found := publisher.next())["kind"], wire.PUBACK, found)
                expected.append(payload)
            self.restart(gently)
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.connack["present"], 1)
        got = []
        while len(got) < len(expected):
            found = subscriber.next()
            got.append(found["payload"].decode())
            subscriber.socket.sendall(wire.acknowledgement(wire.PUBACK, found["packet_id"]))
        self.assertEqual(got, expected)
        reader = self.client("reader")
        reader.subscribe("a/+")
        self.assertEqual(reader.next()["payload"].decode(), expected[-1])

    def test_the_mode_is_named_wherever_it_is_asked(self):
        self.broker.wait_for_log("durability: strict", "kept: persistent sessions", "in memory: archives")
        self.assertIn('crema_store_info{durability="strict"} 1', self.broker.asks("/metrics"))
        self.client("s", clean=False, props=FOR_EVER)
        store = json.loads(self.broker.asks("/api/v1/statistics"))["store"]
        self.assertEqual((store["durability"], store["failing"]), ("strict", False))
        self.assertGreater(store["commits"], 0)
        before = sorted(path.name for path in (self.broker.folder / "data").iterdir())
        report = json.loads(run(CREMA, "check", "--json", "--config", str(self.broker.configuration)).stdout)["store"]
        self.assertEqual((report["durability"], report["data"]), ("strict", str(self.broker.folder / "data")))
        self.assertIn("SQS queues", report["kept"])
        self.assertIn("archives", report["inMemory"])
        self.assertEqual(sorted(path.name for path in (self.broker.folder / "data").iterdir()), before)
        for path in (self.broker.folder / "data").iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_a_directory_has_one_broker(self):
        second = self.broker.folder / "second.yaml"
        second.write_text(json.dumps({"data": "data", "listeners": [{"protocol": "mqtt", "bind": "127.0.0.1:0"}]}))
        result = run(CREMA, "serve", "--config", str(second), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is in use by another process", result.stderr)

    def test_a_damaged_store_is_set_aside(self):
        subscriber = self.client("to-be-found-again", clean=False, props=FOR_EVER)
        self.assertEqual(subscriber.subscribe("a"), [1])
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        file = self.broker.folder / "data" / "crema.db"
        data = bytearray(file.read_bytes())
        data[data.index(b"to-be-found-again")] ^= 1
        file.write_bytes(data)
        self.broker.start()
        self.broker.wait_until_ready()
        self.broker.wait_for_log("the store is damaged", "set aside")
        self.assertIn("crema_store_set_aside_total 1", self.broker.asks("/metrics"))
        self.assertTrue(list(pathlib.Path(self.broker.folder / "data").glob("crema.db.damaged-*")))
        self.assertEqual(self.client("to-be-found-again", clean=False, props=FOR_EVER).connack["present"], 0)

    def test_nothing_is_acknowledged_while_the_disk_fails(self):
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        subscriber.subscribe("a")
        subscriber.close()
        watcher = self.client("w")
        watcher.subscribe("live", 0)
        publisher = self.client("p")
        old = self.client("old", version=4)
        failing = self.let_syncs_fail()
        publisher.publish("a", "held", packet_id=1)
        self.broker.wait_for_log("the store cannot write")
        self.assertTrue(publisher.has_nothing_for(0.3))
        # On this connection a refusal would have to wait for the answer before it [MQTT5-4.6.0-2].
        other = self.client("other")
        other.publish("a", "refused", packet_id=2)
        found = other.next()
        self.assertEqual((found["kind"], found["packet_id"], found["code"]), (wire.PUBACK, 2, 0x83))
        old.publish("a", "refused")
        with self.assertRaises((EOFError, ConnectionError)):
            old.next()
        self.assertEqual(self.client("new", clean=False, props=FOR_EVER).connack["code"], 0x88)
        publisher.publish("live", "goes on", qos=0)
        self.assertEqual(watcher.next()["payload"], b"goes on")
        self.assertIn("crema_store_failing 1", self.broker.asks("/metrics"))
        failing.terminate()
        failing.wait()
        begun = time.monotonic()
        found = publisher.next()
        self.assertEqual((found["kind"], found["packet_id"], found["code"]), (wire.PUBACK, 1, 0))
        self.assertLess(time.monotonic() - begun, WAIT_SECONDS)
        publisher.publish("a", "taken again", packet_id=3)
        self.assertEqual(publisher.next()["code"], 0)
        self.restart(gently=False)
        subscriber = self.client("s", clean=False, props=FOR_EVER)
        self.assertEqual([subscriber.next()["payload"] for _ in range(2)], [b"held", b"taken again"])


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
        self.restart(gently=False)
        # What was delivered is not delivered again.
        self.assertIn("crema_deliveries_pending 0\n", self.broker.asks("/metrics"))
        self.assertEqual(len(target.taken), before)

    def letters(self):
        return json.loads(run(CREMA, "deadletters", "--json", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout)["rows"]

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
