"""What rules send over HTTP: to targets that fail, are busy, hang or refuse, and to functions."""

import base64
import http.server
import json
import pathlib
import random
import re
import socket
import tempfile
import threading
import time
import unittest

import boto3

from broker import CREMA, Broker, run

ACCOUNT = "us-east-1:000000000000"
WAIT_SECONDS = 30


class Target:
    """An HTTP server that behaves as a request's path says, and remembers what it took."""

    def __init__(self):
        self.taken = []
        self.attempts = []
        self._lock = threading.Lock()
        self._random = random.Random(42)
        self._busy = set()
        self._ended = threading.Event()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                target._answer(self, body)

            do_PUT = do_POST

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, handler, body):
        path = handler.path.split("?")[0]
        status, headers = 200, {}
        with self._lock:
            self.attempts.append((path, body, time.monotonic()))
            if path == "/flaky" and self._random.random() < 0.3:
                status = 500
            elif path == "/busy" and json.loads(body)["n"] % 10 == 0 and body not in self._busy:
                self._busy.add(body)
                status, headers = 429, {"Retry-After": "2"}
            elif path == "/later":
                status, headers = 503, {"Retry-After": "600"}
            elif path == "/refusing":
                status = 400
            elif path == "/expired" and len([1 for other, _, _ in self.attempts if other == path]) == 1:
                status = 401
            elif path.endswith("/functions/broken/invocations"):
                headers = {"X-Amz-Function-Error": "Unhandled"}
            if status == 200 and path != "/hanging":
                self.taken.append((handler.path, body, dict(handler.headers)))
        if path == "/hanging":
            self._ended.wait(60)
            return
        if path == "/slow":
            self._ended.wait(1)
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    def took(self, prefix):
        with self._lock:
            return [entry for entry in self.taken if entry[0].startswith(prefix)]

    def tried(self, prefix):
        with self._lock:
            return [entry for entry in self.attempts if entry[0].startswith(prefix)]

    def end(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def template(port):
    """Targets of each kind at the server, and rules for them by the event's source."""
    names = ["flaky", "busy", "refusing", "hanging", "slow", "expired", "good"]
    resources = {
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "failed"}},
        "Login": {"Type": "AWS::Events::Connection", "Properties": {
            "AuthorizationType": "BASIC",
            "AuthParameters": {
                "BasicAuthParameters": {"Username": "ann", "Password": "s3cret"},
                "InvocationHttpParameters": {"BodyParameters": [{"Key": "shop", "Value": "nyc", "IsValueSecret": True}]}}}},
        "Orders": {"Type": "AWS::Events::ApiDestination", "Properties": {
            "ConnectionArn": {"Fn::GetAtt": "Login.Arn"}, "HttpMethod": "PUT",
            "InvocationEndpoint": f"http://127.0.0.1:{port}/orders/*"}},
    }
    for name in names:
        resources[name.title()] = {"Type": "AWS::Events::ApiDestination", "Properties": {
            "ConnectionArn": {"Fn::GetAtt": "Login.Arn"}, "HttpMethod": "POST",
            "InvocationEndpoint": f"http://127.0.0.1:{port}/{name}"}}

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        resources["Dead"] = {"Type": "AWS::Events::ApiDestination", "Properties": {
            "ConnectionArn": {"Fn::GetAtt": "Login.Arn"}, "HttpMethod": "POST",
            "InvocationEndpoint": f"http://127.0.0.1:{probe.getsockname()[1]}/dead"}}

    def rule(source, *targets):
        return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": [source]}, "Targets": list(targets)}}

    def target(name, **more):
        return {"Id": name, "Arn": {"Fn::GetAtt": f"{name.title()}.Arn"}, "InputPath": "$.detail",
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": "Failed.Arn"}}, **more}

    resources["MixedRule"] = rule("mixed", *(target(name) for name in ("flaky", "busy", "good")))
    resources["UnreliableRule"] = rule(
        "unreliable", target("good"), target("flaky"), target("slow"), target("dead", RetryPolicy={"MaximumRetryAttempts": 2}))
    resources["ExpiredRule"] = rule("expired", target("expired"))
    resources["RefusingRule"] = rule("refusing", target("refusing"))
    resources["HangingRule"] = rule("hanging", target("hanging", RetryPolicy={"MaximumRetryAttempts": 0}), target("good"))
    resources["ReplayRule"] = rule("replayed", target("good"))
    resources["ReplayRule"]["Properties"]["EventPattern"]["replay-name"] = [{"exists": True}]
    resources["OrdersRule"] = rule("orders", {
        "Id": "orders", "Arn": {"Fn::GetAtt": "Orders.Arn"}, "InputPath": "$.detail",
        "HttpParameters": {"PathParameterValues": ["$.detail.id"], "HeaderParameters": {"X-Event": "$.id"},
                           "QueryStringParameters": {"drink": "$.detail.drink"}}})
    resources["FunctionRule"] = rule(
        "functions",
        {"Id": "works", "Arn": f"arn:aws:lambda:{ACCOUNT}:function:works", "InputPath": "$.detail"},
        {"Id": "broken", "Arn": f"arn:aws:lambda:{ACCOUNT}:function:broken", "RetryPolicy": {"MaximumRetryAttempts": 0}},
        {"Id": "log", "Arn": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/shop", "InputPath": "$.detail"})
    resources["DeviceRule"] = {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": {
        "AwsIotSqlVersion": "2016-03-23", "Sql": "SELECT n FROM 'devices/+'",
        "Actions": [{"Http": {"Url": f"http://127.0.0.1:{port}/devices/${{topic(2)}}",
                              "Headers": [{"Key": "X-Client", "Value": "${clientid()}"}]}}]}}}
    return {"Resources": resources}


class DeliveryTests(unittest.TestCase):
    def setUp(self):
        self.target = Target()
        self.addCleanup(self.target.end)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        resources = pathlib.Path(folder.name) / "targets.json"
        resources.write_text(json.dumps(template(self.target.port)))
        self.broker = Broker(
            resources, limits={"deliveryFirstWaitMillisecondsMax": 100},
            more={"http": {"allow": ["127.0.0.1/32"]}, "lambda": {"endpoint": f"http://127.0.0.1:{self.target.port}"}})
        self.addCleanup(self.broker.end)

    def client(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(service, endpoint_url=self.broker.url)

    def put(self, source, *details):
        entries = [{"Source": source, "DetailType": "d", "Detail": json.dumps(detail)} for detail in details]
        return [entry["EventId"] for entry in self.client("events").put_events(Entries=entries)["Entries"]]

    def metrics(self):
        text = self.broker.asks("/metrics")
        outcomes = dict(re.findall(r'crema_deliveries_total\{outcome="(\w+)"\} (\d+)', text))
        values = {name: int(value) for name, value in outcomes.items()}
        for name in ("accepted_total", "pending", "retried_total"):
            values[name] = int(re.search(rf"^crema_deliveries_{name} (\d+)$", text, re.MULTILINE).group(1))
        return values

    def wait_until_nothing_is_pending(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while (metrics := self.metrics())["pending"]:
            self.assertLess(time.monotonic(), deadline, metrics)
            time.sleep(0.05)
        self.assertEqual(
            metrics["accepted_total"], metrics["delivered"] + metrics["dead_lettered"] + metrics["dropped"], metrics)
        return metrics

    def dead_letters(self):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
        messages = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10, MessageAttributeNames=["All"])["Messages"]
        return [{name: value["StringValue"] for name, value in message["MessageAttributes"].items()} for message in messages]

    def test_a_replay_is_no_faster_than_its_target(self):
        events = self.client("events")
        bus = f"arn:aws:events:{ACCOUNT}:event-bus/default"
        archive = events.create_archive(ArchiveName="kept", EventSourceArn=bus, EventPattern='{"source":["replayed"]}')
        # More than may wait for one target.
        count = 1_500
        for start in range(0, count, 10):
            self.put("replayed", *({"n": number} for number in range(start, start + 10)))
        self.assertEqual(events.describe_archive(ArchiveName="kept")["EventCount"], count)
        events.start_replay(
            ReplayName="again", EventSourceArn=archive["ArchiveArn"], EventStartTime=0, EventEndTime=time.time() + 60,
            Destination={"Arn": bus})
        deadline = time.monotonic() + 3 * WAIT_SECONDS
        while events.describe_replay(ReplayName="again")["State"] != "COMPLETED":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        metrics = self.wait_until_nothing_is_pending()
        self.assertEqual((metrics["delivered"], metrics["dead_lettered"]), (count, 0))
        self.assertEqual(sorted(json.loads(body)["n"] for _, body, _ in self.target.took("/good")), list(range(count)))

    def test_what_may_succeed_later_is_tried_until_it_does(self):
        for start in range(0, 30, 10):
            self.put("mixed", *({"n": number} for number in range(start, start + 10)))
        metrics = self.wait_until_nothing_is_pending()
        self.assertEqual((metrics["accepted_total"], metrics["delivered"], metrics["dead_lettered"]), (90, 90, 0))
        for path in ("/flaky", "/busy", "/good"):
            numbers = sorted(json.loads(body)["n"] for _, body, _ in self.target.took(path))
            self.assertEqual(numbers, list(range(30)), path)
        self.assertGreater(len(self.target.tried("/flaky")), 30)
        self.assertEqual(
            metrics["retried_total"], len(self.target.tried("/flaky")) + len(self.target.tried("/busy")) - 60)
        times = {}
        for _, body, moment in self.target.tried("/busy"):
            times.setdefault(body, []).append(moment)
        for body, moments in times.items():
            self.assertEqual(len(moments), 2 if json.loads(body)["n"] % 10 == 0 else 1)
            if len(moments) == 2:
                self.assertGreaterEqual(moments[1] - moments[0], 1.9)
        self.assertIn("RETRIED", run(CREMA, "rules", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout)

    def test_targets_that_fail_are_slow_or_dead_hold_up_nobody_and_nothing_is_lost(self):
        count = 20
        begun = time.monotonic()
        for start in range(0, count, 10):
            self.put("unreliable", *({"n": number} for number in range(start, start + 10)))
        while len(self.target.took("/good")) < count:
            # A slow target alone takes five seconds for all of them.
            self.assertLess(time.monotonic() - begun, 4)
            time.sleep(0.02)
        metrics = self.metrics()
        self.assertGreater(metrics["pending"], 0)
        metrics = self.wait_until_nothing_is_pending()
        self.assertEqual((metrics["accepted_total"], metrics["delivered"], metrics["dead_lettered"]), (4 * count, 3 * count, count))
        for path in ("/good", "/flaky", "/slow"):
            self.assertEqual(sorted(json.loads(body)["n"] for _, body, _ in self.target.took(path)), list(range(count)), path)
        letters = self.dead_letters() + self.dead_letters()
        self.assertEqual(len(letters), count)
        self.assertEqual(
            {(letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"], letter["EXHAUSTED_RETRY_CONDITION"]) for letter in letters},
            {("SDK_CLIENT_ERROR", "2", "MaximumRetryAttempts")})

    def test_a_target_whose_credentials_have_expired_is_tried_again(self):
        self.put("expired", {"n": 1})
        metrics = self.wait_until_nothing_is_pending()
        self.assertEqual((metrics["delivered"], metrics["dead_lettered"], metrics["retried_total"]), (1, 0, 1))
        self.assertEqual(len(self.target.tried("/expired")), 2)

    def test_what_is_refused_is_a_dead_letter_at_once(self):
        self.put("refusing", {"n": 1})
        letter, = self.dead_letters()
        self.assertEqual((letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"]), ("SDK_CLIENT_ERROR", "0"))
        self.assertIn("HTTP status 400", letter["ERROR_MESSAGE"])
        self.assertNotIn("EXHAUSTED_RETRY_CONDITION", letter)
        self.assertEqual(len(self.target.tried("/refusing")), 1)
        self.wait_until_nothing_is_pending()

    def test_a_target_that_hangs_is_given_up_and_holds_up_nobody(self):
        start = time.monotonic()
        self.put("hanging", {"n": 1})
        while not self.target.took("/good"):
            self.assertLess(time.monotonic() - start, 4)
            time.sleep(0.02)
        letter, = self.dead_letters()
        self.assertEqual((letter["ERROR_CODE"], letter["EXHAUSTED_RETRY_CONDITION"]), ("TIMEOUT", "MaximumRetryAttempts"))
        self.assertGreaterEqual(time.monotonic() - start, 4.5)

    def test_a_call_has_what_the_connection_and_the_target_say(self):
        event, = self.put("orders", {"id": "a/b", "drink": "latte & co"})
        self.wait_until_nothing_is_pending()
        (path, body, headers), = self.target.took("/orders")
        self.assertEqual(path, "/orders/a%2Fb?drink=latte%20%26%20co")
        self.assertEqual(json.loads(body), {"id": "a/b", "drink": "latte & co", "shop": "nyc"})
        self.assertEqual(headers["Authorization"], "Basic " + base64.b64encode(b"ann:s3cret").decode())
        self.assertEqual((headers["X-Event"], headers["Content-Type"]), (event, "application/json; charset=utf-8"))
        for text in (self.broker.log(), self.broker.asks("/metrics"), self.broker.asks("/api/v1/rules")):
            self.assertNotIn("s3cret", text)

    def test_functions_and_log_lines(self):
        self.put("functions", {"n": 1})
        metrics = self.wait_until_nothing_is_pending()
        self.assertEqual((metrics["delivered"], metrics["dead_lettered"]), (2, 1))
        (path, body, headers), = self.target.took("/2015-03-31/functions/works/")
        self.assertEqual((path, json.loads(body)), ("/2015-03-31/functions/works/invocations", {"n": 1}))
        self.assertEqual(headers["X-Amz-Invocation-Type"], "Event")
        self.assertIn("FUNCTION_ERROR", run(CREMA, "deadletters", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout)
        self.broker.wait_for_log("rule log", "/aws/events/shop", r'{\"n\":1}')

    def test_a_devices_message_is_posted(self):
        self.broker.publish("device-1", "devices/nyc", '{"n": 7, "more": true}')
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.target.took("/devices/nyc"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        (_, body, headers), = self.target.took("/devices/nyc")
        self.assertEqual((json.loads(body), headers["X-Client"]), ({"n": 7}, "device-1"))

    def test_a_stop_finishes_or_gives_up_what_is_pending(self):
        self.put("hanging", {"n": 1})
        deadline = time.monotonic() + WAIT_SECONDS
        # Also what the other targets of the event answered is to be counted, so that only the hanging one is pending.
        while not self.target.tried("/hanging") or (metrics := self.metrics())["pending"] != 1 or not metrics["delivered"]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.broker.process.terminate()
        self.assertEqual(self.broker.process.wait(20), 0)
        self.broker.wait_for_log("deliveries finished", "pending=1")


class RefusedTargetTests(unittest.TestCase):
    def check(self, resources, **settings):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "t.json").write_text(json.dumps(resources))
            (path / "crema.json").write_text(json.dumps({"resources": ["t.json"], **settings}))
            return run(CREMA, "check", "--config", str(path / "crema.json"), check=False)

    def test_what_the_configuration_does_not_allow_is_refused_by_name(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        result = self.check(template(port))
        self.assertEqual(result.returncode, 2)
        self.assertIn("loopback address 127.0.0.1", result.stdout + result.stderr)
        self.assertIn("the function works cannot be called", result.stdout + result.stderr)
        settings = {"http": {"allow": ["127.0.0.1/32"]}, "lambda": {"endpoint": "http://127.0.0.1:1"}}
        self.assertEqual(self.check(template(port), **settings).returncode, 0)
        result = self.check(template(port), http={"allow": ["127.0.0.1/32"], "verify": False}, **{"lambda": settings["lambda"]})
        self.assertEqual(result.returncode, 2)
        self.assertIn("`verify`", result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
