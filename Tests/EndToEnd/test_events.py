"""Orders and events by the programs that people use, seen on the customer's and the barista's screens."""

import json
import os
import unittest

import boto3

from broker import CREMA, BrokerTestCase, run

SOURCE = "awsserverlessda.serverlesspresso"
BUS = "Serverlesspresso"
# The service's clients insist on credentials; this listener takes unsigned requests and looks at none.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


def entry(kind, detail, bus=BUS):
    return {"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail), "EventBusName": bus}


class EventsTests(BrokerTestCase):
    def setUp(self):
        self.user = f"user-{self._testMethodName}"
        self.detail = {"orderId": "1", "userId": self.user, "eventId": self._testMethodName}
        self.topic = f"serverlesspresso-user-{self.user}"

    def client(self):
        session = boto3.session.Session(
            aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client("events", endpoint_url=self.broker.url)

    def curl(self, *arguments):
        """The status and the body of one request."""
        output = run("curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments).stdout
        body, status = output.rsplit("\n", 1)
        return int(status), body

    def post_order(self, body, path="/order"):
        return self.curl("--header", "Content-Type: application/json", "--data", body, self.broker.url + path)

    def test_boto3_puts_events_that_reach_user_and_barista_in_order(self):
        user = self.screen("customer", self.topic)
        barista = self.screen("barista", f"serverlesspresso-admin-{self._testMethodName}")
        kinds = [f"OrderManager.Step{number}" for number in range(10)]
        answer = self.client().put_events(Entries=[entry(kind, self.detail) for kind in kinds])
        self.assertEqual(answer["FailedEntryCount"], 0)
        self.assertEqual(len({result["EventId"] for result in answer["Entries"]}), 10)
        for screen in (user, barista):
            messages = [screen.next()[1] for _ in kinds]
            self.assertEqual([message["type"] for message in messages], kinds)
            self.assertEqual([message["detail"] for message in messages], [self.detail] * 10)

    def test_boto3_learns_of_each_entry_that_failed(self):
        good = entry("OrderManager.MakeOrder", self.detail)
        answer = self.client().put_events(Entries=[good, {**good, "Detail": "{no JSON"}, good])
        self.assertEqual(answer["FailedEntryCount"], 1)
        self.assertEqual([result.get("ErrorCode") for result in answer["Entries"]], [None, "MalformedDetail", None])

    def test_a_rule_explains_a_match_and_a_miss(self):
        event = {"source": SOURCE, "detail-type": "OrderManager.MakeOrder", "detail": self.detail}

        def explain(event, code):
            result = run(
                CREMA, "rules", "test", "--config", str(self.broker.configuration), "--json", "UserStatus", "-",
                input=json.dumps(event), check=False)
            self.assertEqual(result.returncode, code, result.stderr)
            return json.loads(result.stdout)

        self.assertTrue(explain(event, 0)["matches"])
        missing = explain({**event, "source": "elsewhere"}, 1)["alternatives"]
        self.assertEqual({field["path"] for way in missing for field in way["fields"] if not field["met"]}, {"source"})

    def test_the_aws_cli_puts_events(self):
        user = self.screen("customer", self.topic)
        entries = json.dumps([entry("OrderManager.MakeOrder", self.detail)])
        output = run(
            "aws", "--endpoint-url", self.broker.url, "events", "put-events", "--entries", entries,
            env={**os.environ, **CREDENTIALS}).stdout
        self.assertEqual(json.loads(output)["FailedEntryCount"], 0)
        self.assertEqual(user.next(), (self.topic, {"type": "OrderManager.MakeOrder", "detail": self.detail}))

    def test_an_order_posted_with_curl_reaches_its_user(self):
        user = self.screen("customer", self.topic)
        detail = {**self.detail, "drink": "Caffè \u2615"}
        status, body = self.post_order(json.dumps({"detail": detail}))
        self.assertEqual((status, json.loads(body)["FailedEntryCount"]), (200, 0))
        self.assertEqual(user.next(), (self.topic, {"type": "OrderProcessor.OrderStarted", "detail": detail}))

    def test_what_is_no_order_is_refused(self):
        for body in ("{", "[]", "{}", '{"detail": ', ""):
            with self.subTest(body=body):
                status, text = self.post_order(body)
                self.assertTrue(400 <= status < 500, (status, text))
        self.assertEqual(self.post_order("{}", path="/orders")[0], 404)

    def test_an_order_published_by_a_device_reaches_its_user(self):
        user = self.screen("customer", self.topic)
        self.broker.publish("device-1", "orders/nyc/device-1", json.dumps(self.detail))
        topic, message = user.next()
        self.assertEqual(topic, self.topic)
        self.assertEqual(message["detail"]["orderId"], "1")
        self.assertTrue(message["type"].startswith(("OrderManager.", "OrderProcessor.")), message)

    def test_an_event_without_its_placeholder_becomes_a_dead_letter(self):
        user = self.screen("customer", "serverlesspresso-user-undefined", self.topic)
        incomplete = {name: value for name, value in self.detail.items() if name != "userId"}
        answer = self.client().put_events(
            Entries=[entry("OrderManager.MakeOrder", incomplete), entry("OrderManager.MakeOrder", self.detail)])
        self.assertEqual(answer["FailedEntryCount"], 0)
        self.assertEqual(user.next()[0], self.topic)
        self.assertIn("userId", self.broker.asks("/api/v1/deadletters"))


if __name__ == "__main__":
    unittest.main()
