"""Traces go through: from an HTTP request or an MQTT 5 message, by rules, to subscribers and endpoints, each step told to a collector."""

import http.server
import json
import pathlib
import queue
import re
import socket
import threading
import time
import unittest
import urllib.request

import wire
from broker import WAIT_SECONDS, Broker

RULES = pathlib.Path(__file__).with_name("tracing_rules.yaml")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
FORM = re.compile(rf"00-{TRACE}-([0-9a-f]{{16}})-01")
X_RAY = re.compile(rf"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=([0-9a-f]{{16}});Sampled=1")


class Collector:
    """Takes spans by OTLP over HTTP, and requests for anything else."""

    def __init__(self):
        self.spans = {}
        self.requests = queue.Queue()
        self.fails = False
        self.answer = 200
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    if not collector.fails:
                        collector.take(json.loads(body))
                    self.send_response(503 if collector.fails else 200)
                else:
                    self.send_response(collector.answer)
                    collector.requests.put(self.headers.get("traceparent"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, document):
        for resource in document["resourceSpans"]:
            assert {"key": "service.name", "value": {"stringValue": "crema"}} in resource["resource"]["attributes"]
            for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
                self.spans[span["spanId"]] = span

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Client:
    """An MQTT 5 client, packet by packet."""

    def __init__(self, broker, name):
        self.socket = socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS)
        self.buffer = b""
        self.socket.sendall(wire.connect(name, version=5))
        self.packet()

    def packet(self):
        while True:
            if len(self.buffer) >= 2:
                length, shift, place = 0, 0, 1
                while place < len(self.buffer):
                    byte = self.buffer[place]
                    length |= (byte & 127) << shift
                    shift, place = shift + 7, place + 1
                    if byte < 128:
                        if len(self.buffer) >= place + length:
                            first, body = self.buffer[0], self.buffer[place:place + length]
                            self.buffer = self.buffer[place + length:]
                            return first, body
                        break
            data = self.socket.recv(4096)
            assert data, "closed"
            self.buffer += data

    def subscribe(self, topic):
        body = b"\x00\x01\x00" + wire.text(topic) + b"\x00"
        self.socket.sendall(wire.packet(0x82, body))
        assert self.packet()[0] == 0x90

    def publish(self, topic, *pairs):
        self.socket.sendall(wire.packet(0x30, wire.text(topic) + wire.properties([("user", pair) for pair in pairs]) + b"{}"))

    def message(self):
        """Topic and user properties of the next message."""
        first, body = self.packet()
        assert first >> 4 == 3, first
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2:2 + length].decode(), body[2 + length:]
        end = 1 + rest[0]
        block, pairs = rest[1:end], []
        while block:
            assert block[0] == 0x26, block
            name = int.from_bytes(block[1:3], "big")
            value = int.from_bytes(block[3 + name:5 + name], "big")
            pairs.append((block[3:3 + name].decode(), block[5 + name:5 + name + value].decode()))
            block = block[5 + name + value:]
        return topic, pairs


class TracedCase(unittest.TestCase):
    """A broker with the rules, and a collector of its spans that is called by them as well."""

    def more(self):
        return {}

    @classmethod
    def setUpClass(cls):
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.end)
        cls.broker = Broker(
            RULES, parameters={"Endpoint": f"{cls.collector.address}/print"},
            more={"tracing": {"otlp": cls.collector.address}, "http": {"allow": ["127.0.0.1/32"]}, **cls.more(cls)})
        cls.addClassCleanup(cls.broker.end)

    def client(self, name, *topics):
        client = Client(self.broker, name)
        self.addCleanup(client.socket.close)
        for topic in topics:
            client.subscribe(topic)
        return client

    def span(self, identifier):
        deadline = time.monotonic() + WAIT_SECONDS
        while identifier not in self.collector.spans:
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.05)
        span = self.collector.spans[identifier]
        self.assertEqual(span["traceId"], TRACE)
        self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
        return span

    def post(self, body, **headers):
        request = urllib.request.Request(
            self.broker.url, json.dumps(body).encode(),
            {"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1", **headers})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)

    def put(self, source, **headers):
        entry = {"Source": source, "DetailType": "Order", "Detail": "{}"}
        self.assertEqual(self.post({"Entries": [entry]}, **headers)["FailedEntryCount"], 0)

    def queues(self, operation, body, **headers):
        request = urllib.request.Request(
            self.broker.url, json.dumps(body).encode(),
            {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0", **headers})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)

    def received(self, queue):
        """The trace header of the next message in a queue."""
        answer = self.queues("ReceiveMessage", {
            "QueueUrl": f"http://localhost/000000000000/{queue}", "WaitTimeSeconds": 10, "AttributeNames": ["AWSTraceHeader"]})
        return answer["Messages"][0].get("Attributes", {}).get("AWSTraceHeader")

    def way(self, identifier):
        """The names of a span and of those above it."""
        names = []
        while identifier != "00f067aa0ba902b7":
            span = self.span(identifier)
            names.append(span["name"])
            identifier = span["parentSpanId"]
        return names

    def below(self, identifier):
        """Waits for a span whose parent is the named one."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            for span in list(self.collector.spans.values()):
                if span["parentSpanId"] == identifier:
                    return span
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


class TracingTests(TracedCase):
    def test_through_a_queue(self):
        self.put("queued", traceparent=PARENT)
        identifier = X_RAY.fullmatch(self.received("waiting")).group(1)
        self.assertEqual(self.way(identifier), ["send", "rules", "put_events"])
        receive = self.below(identifier)
        self.assertEqual((receive["name"], receive["kind"]), ("receive", 5))
        self.put("queued")
        self.assertIsNone(self.received("waiting"))

    def test_an_entry_is_in_the_trace_that_its_header_names(self):
        header = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=00f067aa0ba902b7;Sampled=1"
        entry = {"Source": "queued", "DetailType": "Order", "Detail": "{}", "TraceHeader": header}
        self.assertEqual(self.post({"Entries": [entry]})["FailedEntryCount"], 0)
        identifier = X_RAY.fullmatch(self.received("waiting")).group(1)
        # Not below the request, which belongs to no trace.
        self.assertEqual(self.way(identifier), ["send", "rules"])

    def test_who_sends_to_a_queue_is_in_the_trace_of_the_request_unless_it_names_one(self):
        message = {"QueueUrl": "http://localhost/000000000000/waiting", "MessageBody": "m"}
        answer = self.queues("SendMessage", message, traceparent=PARENT)
        self.assertNotIn("MD5OfMessageSystemAttributes", answer)
        self.assertEqual(self.way(X_RAY.fullmatch(self.received("waiting")).group(1)), ["queues"])
        self.queues("SendMessageBatch", {"QueueUrl": message["QueueUrl"], "Entries": [{"Id": "1", "MessageBody": "m"}]}, traceparent=PARENT)
        self.assertEqual(self.way(X_RAY.fullmatch(self.received("waiting")).group(1)), ["queues"])
        own = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=aaaaaaaaaaaaaaaa;Sampled=1"
        attribute = {"AWSTraceHeader": {"DataType": "String", "StringValue": own}}
        self.queues("SendMessage", {**message, "MessageSystemAttributes": attribute}, traceparent=PARENT)
        self.assertEqual(self.received("waiting"), own)
        self.assertEqual(self.below("aaaaaaaaaaaaaaaa")["name"], "receive")
        # A program of AWS says it in another header.
        self.queues("SendMessage", message, **{"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=00f067aa0ba902b7;Sampled=1"})
        self.assertEqual(self.way(X_RAY.fullmatch(self.received("waiting")).group(1)), ["queues"])

    def test_from_a_request_by_a_rule_to_a_subscriber_and_an_endpoint(self):
        screen = self.client("screen-http", "orders/seen")
        entry = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
        self.assertEqual(self.post({"Entries": [entry]}, traceparent=PARENT)["FailedEntryCount"], 0)
        _, pairs = screen.message()
        shown = [value for name, value in pairs if name == "traceparent"]
        self.assertEqual(len(shown), 1)
        publish = self.span(FORM.fullmatch(shown[0]).group(1))
        rules = self.span(publish["parentSpanId"])
        served = self.span(rules["parentSpanId"])
        self.assertEqual((publish["name"], rules["name"], served["name"]), ("publish", "rules", "put_events"))
        self.assertEqual((publish["kind"], rules["kind"], served["kind"]), (4, 1, 2))
        self.assertEqual(served["parentSpanId"], "00f067aa0ba902b7")
        called = self.span(FORM.fullmatch(self.collector.requests.get(timeout=WAIT_SECONDS)).group(1))
        self.assertEqual((called["name"], called["kind"], called["parentSpanId"]), ("call", 3, rules["spanId"]))
        # Without a trace none is begun.
        self.post({"Entries": [entry]})
        self.assertEqual(screen.message()[1], [])
        self.assertIsNone(self.collector.requests.get(timeout=WAIT_SECONDS))

    def test_from_a_device_to_subscribers_and_by_a_topic_rule(self):
        screen = self.client("screen-device", "device/a", "again/a")
        device = self.client("device")
        device.publish("device/a", ("first", "1"), ("traceparent", PARENT), ("tracestate", "x=1"), ("last", "2"))
        messages = dict(screen.message() for _ in range(2))
        direct = messages["device/a"]
        self.assertEqual([pair for pair in direct if pair[0] != "traceparent"], [("first", "1"), ("tracestate", "x=1"), ("last", "2")])
        receive = self.span(FORM.fullmatch(dict(direct)["traceparent"]).group(1))
        self.assertEqual((receive["name"], receive["kind"], receive["parentSpanId"]), ("receive", 5, "00f067aa0ba902b7"))
        publish = self.span(FORM.fullmatch(dict(messages["again/a"])["traceparent"]).group(1))
        self.assertEqual(self.span(publish["parentSpanId"])["parentSpanId"], receive["spanId"])

    def test_the_data_plane_publishes_into_a_trace(self):
        screen = self.client("screen-data", "data/a")
        request = urllib.request.Request(
            f"{self.broker.url}/topics/data/a?qos=0", b"{}", {"traceparent": PARENT, "Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS):
            pass
        served = self.span(FORM.fullmatch(dict(screen.message()[1])["traceparent"]).group(1))
        self.assertEqual((served["kind"], served["parentSpanId"]), (2, "00f067aa0ba902b7"))

    def test_what_is_no_traceparent_is_dropped_and_others_pass_unchanged(self):
        screen = self.client("screen-wrong", "plain/a")
        device = self.client("device-wrong")
        for wrong in (PARENT.upper(), PARENT[:-1], "00-" + "0" * 32 + PARENT[35:], "ff" + PARENT[2:], PARENT + "-x", ""):
            device.publish("plain/a", ("traceparent", wrong), ("tracestate", "x=1"), ("mine", "1"))
            self.assertEqual(screen.message()[1], [("mine", "1")], wrong)
        device.publish("plain/a", ("traceparent", PARENT), ("traceparent", PARENT))
        self.assertEqual(screen.message()[1], [])
        device.publish("plain/a", ("mine", "1"), ("tracestate", "x=1"))
        self.assertEqual(screen.message()[1], [("mine", "1"), ("tracestate", "x=1")])
        # A trace that nobody records goes through, and is told to nobody.
        device.publish("plain/a", ("traceparent", PARENT[:-1] + "0"))
        shown = dict(screen.message()[1])["traceparent"]
        self.assertTrue(shown.endswith("-00") and shown != PARENT[:-1] + "0", shown)
        time.sleep(2)
        self.assertNotIn(shown[36:52], self.collector.spans)

    def test_without_the_setting_messages_pass_as_they_are(self):
        broker = Broker()
        self.addCleanup(broker.end)
        screen, device = Client(broker, "screen"), Client(broker, "device")
        screen.subscribe("plain/a")
        device.publish("plain/a", ("traceparent", PARENT))
        self.assertEqual(screen.message()[1], [("traceparent", PARENT)])
        device.publish("plain/a", ("traceparent", "wrong"))
        self.assertEqual(screen.message()[1], [("traceparent", "wrong")])
        for client in (screen, device):
            client.socket.close()


class KeptTraceTests(TracedCase):
    def more(self):
        return {"data": "data"}

    def test_over_a_restart_into_the_dead_letters_and_out_of_them(self):
        self.collector.answer = 503
        self.put("called", traceparent=PARENT)
        first = FORM.fullmatch(self.collector.requests.get(timeout=WAIT_SECONDS)).group(1)
        self.assertEqual(self.way(first), ["call", "rules", "put_events"])
        self.broker.kill()
        while not self.collector.requests.empty():
            self.collector.requests.get()
        self.collector.answer = 400
        self.broker.start()
        self.broker.wait_until_ready()
        again = FORM.fullmatch(self.collector.requests.get(timeout=WAIT_SECONDS)).group(1)
        self.assertNotEqual(again, first)
        self.assertEqual(self.way(again), ["call", "rules", "put_events"])
        self.assertEqual(
            self.way(X_RAY.fullmatch(self.received("dead")).group(1)), ["send", "failure", "rules", "put_events"])
        letter, = json.loads(self.broker.asks("/api/v1/deadletters"))["rows"]
        self.assertEqual(letter["traceID"], TRACE)
        self.broker.kill()
        self.collector.answer = 200
        self.broker.start()
        self.broker.wait_until_ready()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.broker.admin}/api/v1/deadletters/redrive", json.dumps({"rule": "called"}).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            self.assertEqual(json.load(answer)["redriven"], 1)
        redriven = FORM.fullmatch(self.collector.requests.get(timeout=WAIT_SECONDS)).group(1)
        self.assertEqual(self.way(redriven), ["call", "redrive", "failure", "rules", "put_events"])


class CollectorTests(unittest.TestCase):
    def test_a_collector_that_fails_costs_spans_which_are_counted_and_nothing_else(self):
        collector = Collector()
        self.addCleanup(collector.end)
        collector.fails = True
        broker = Broker(more={"tracing": {"otlp": collector.address}})
        self.addCleanup(broker.end)
        device, screen = Client(broker, "device"), Client(broker, "screen")
        self.addCleanup(device.socket.close)
        self.addCleanup(screen.socket.close)
        screen.subscribe("a")
        for _ in range(5):
            device.publish("a", ("traceparent", PARENT))
            screen.message()
        deadline = time.monotonic() + WAIT_SECONDS
        while 'crema_trace_spans_total{outcome="dropped"} 5' not in broker.asks("/metrics"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        broker.wait_for_log("the collector takes no spans", "status 503")
        collector.fails = False
        device.publish("a", ("traceparent", PARENT))
        while 'crema_trace_spans_total{outcome="sent"} 1' not in broker.asks("/metrics"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
