"""Functions that rules call at a runtime emulator, which runs one at a time and answers only when it has ended."""

import http.server
import json
import pathlib
import re
import tempfile
import threading
import time
import unittest

import boto3

from broker import Broker

ACCOUNT = "us-east-1:000000000000"
WAIT_SECONDS = 60


# The one path that the emulator has, whatever its function is called elsewhere.
PATH = "/2015-03-31/functions/function/invocations"


class Emulator:
    """As Lambda's runtime interface emulator, which was run beside Crema to see what it does.

    Whatever the kind of the call, it waits for the function, and a second call is refused. A function's error and its own limit of time
    are answers of status 200 in plain text, the end of the whole runtime is one of 502, and no header tells of any of them.
    """

    def __init__(self, seconds=0.0, answer="null", is_alone=True, status=200):
        self.runs = []
        self.refused = 0
        self._busy = threading.Lock()
        self._ended = threading.Event()
        emulator = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, text = emulator._run(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                try:
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    # Whoever called has given up.
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        def _run(path, body):
            if path != PATH:
                return 404, "404 page not found\n"
            if is_alone and not self._busy.acquire(blocking=False):
                self.refused += 1
                return 400, ""
            try:
                self.runs.append((json.loads(body), time.monotonic()))
                self._ended.wait(seconds)
                return status, answer
            finally:
                if is_alone:
                    self._busy.release()

        self._run = _run
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def template():
    function = f"arn:aws:lambda:{ACCOUNT}:function:make"

    def rule(*names):
        return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": [
            {"Id": name, "Arn": function, "InputPath": "$.detail", "DeadLetterConfig": {"Arn": {"Fn::GetAtt": "Failed.Arn"}}}
            for name in names]}}

    return {"Resources": {
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "failed"}},
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
        "First": rule("first"), "Second": rule("second"),
        "Queued": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": [
            {"Id": "orders", "Arn": {"Fn::GetAtt": "Orders.Arn"}}]}}}}


class FunctionTests(unittest.TestCase):
    def start(self, emulator, **limits):
        self.addCleanup(emulator.end)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        resources = pathlib.Path(folder.name) / "functions.json"
        resources.write_text(json.dumps(template()))
        self.broker = Broker(
            resources, limits={"deliveryFirstWaitMillisecondsMax": 100, **limits}, more={"lambda": {"endpoint": emulator.url + PATH}})
        self.addCleanup(self.broker.end)

    def client(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(service, endpoint_url=self.broker.url)

    def put(self, *details):
        self.client("events").put_events(
            Entries=[{"Source": "shop", "DetailType": "d", "Detail": json.dumps(detail)} for detail in details])

    def metric(self, name):
        return int(re.search(rf"^crema_deliveries_{re.escape(name)} (\d+)$", self.broker.asks("/metrics"), re.MULTILINE).group(1))

    def wait_until_nothing_is_pending(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while self.metric("pending"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def dead_letters(self):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", [])
        return [{name: value["StringValue"] for name, value in message["MessageAttributes"].items()} for message in messages]

    def test_a_slow_function_is_run_once_for_each_target_and_alone(self):
        # Longer than any other call of a rule may take.
        emulator = Emulator(seconds=6)
        self.start(emulator)
        self.put({"n": 1}, {"n": 2})
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        # Nobody else waits for it.
        self.assertEqual(len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]), 2)
        self.wait_until_nothing_is_pending()
        self.assertEqual(sorted(body["n"] for body, _ in emulator.runs), [1, 1, 2, 2])
        self.assertEqual((emulator.refused, self.metric("retried_total")), (0, 0))
        self.assertEqual(self.metric('total{outcome="delivered"}'), 6)

    def check_failing(self, answer, status=200):
        emulator = Emulator(answer=answer, status=status)
        self.start(emulator, lambdaErrorWaitSeconds=1)
        self.put({"n": 1})
        self.wait_until_nothing_is_pending()
        self.assertEqual(len(emulator.runs), 6)
        letters = self.dead_letters()
        self.assertEqual(
            [(letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"], letter["EXHAUSTED_RETRY_CONDITION"]) for letter in letters],
            [("FUNCTION_ERROR", "2", "MaximumRetryAttempts")] * 2)
        # A second, then two; for both targets at the same time.
        self.assertGreaterEqual(emulator.runs[-1][1] - emulator.runs[0][1], 2.9)
        self.assertEqual((self.metric('total{outcome="delivered"}'), self.metric('total{outcome="dead_lettered"}')), (1, 2))

    def test_a_function_that_fails_is_run_twice_again_and_is_a_dead_letter_then(self):
        self.check_failing('{"errorMessage": "no milk", "errorType": "ValueError", "requestId": "5ebf9dd5", "stackTrace": []}')

    def test_a_runtime_that_ends_is_a_failure_of_the_function(self):
        self.check_failing(
            '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: d50a1361 Error: Runtime exited with error: exit status 3"}', 502)

    def test_the_emulators_own_limit_of_time_is_a_failure(self):
        self.check_failing("Task timed out after 3.00 seconds")

    def test_a_function_that_never_ends_is_given_up(self):
        emulator = Emulator(seconds=60, is_alone=False)
        self.start(emulator, lambdaSecondsMax=2, lambdaErrorRetriesMax=1, lambdaErrorWaitSeconds=1)
        self.put({"n": 1})
        self.wait_until_nothing_is_pending()
        self.assertEqual(len(emulator.runs), 4)
        for letter in self.dead_letters():
            self.assertEqual((letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"]), ("TIMEOUT", "1"))
            self.assertIn("no answer within 2 seconds", letter["ERROR_MESSAGE"])

    def test_a_stop_says_what_was_under_way(self):
        emulator = Emulator(seconds=60)
        self.start(emulator)
        self.put({"n": 1})
        while not emulator.runs:
            time.sleep(0.02)
        begun = time.monotonic()
        self.broker.process.terminate()
        self.assertEqual(self.broker.process.wait(20), 0)
        self.assertLess(time.monotonic() - begun, 8)
        # One is under way; the other target's has not begun, and will not.
        self.broker.wait_for_log("deliveries finished", "deadLettered=2", "interrupted=1", "pending=2")


if __name__ == "__main__":
    unittest.main()
