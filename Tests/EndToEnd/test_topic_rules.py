"""Topic rules with mosquitto's clients: headers of MQTT 5, error actions, Basic Ingest, lines of the log."""

import base64
import hashlib
import json
import pathlib
import unittest

from broker import BrokerTestCase

RULES = pathlib.Path(__file__).resolve().parent / "topic_rules.yaml"
ORDER = {"orderId": "7", "drink": "LATTE", "extras": [{"name": "shot", "price": 1}, {"name": "lid", "price": 0}],
         "at": "2026-07-01 00:00 America/Los_Angeles"}


class TopicRuleTests(BrokerTestCase):
    resources = (RULES,)
    parameters = {}

    def publish(self, topic, payload, *options):
        return self.broker.publish("device-1", topic, payload, "-V", "5", *options)

    def test_a_republished_message_has_the_headers_of_its_action(self):
        # Topic, content type, response topic, correlation data, expiry, payload format, user properties, payload.
        screen = self.screen("headers", "made/#", form="%t|%C|%R|%D|%E|%F|%P|%p", version="5")
        self.publish(
            "orders/nyc", json.dumps(ORDER), "-D", "publish", "content-type", "cbor", "-D", "publish", "user-property", "shop", "soho")
        topic, kind, response, correlation, expiry, text, properties, payload = screen.line().split("|")
        self.assertEqual((topic, kind, response, correlation), ("made/nyc/latte", "application/cbor", "answers/device-1", "7"))
        self.assertTrue(3590 <= int(expiry) <= 3600, expiry)
        self.assertEqual(text, "1")
        self.assertEqual(properties.split(), ["order:7", "rule:Orders"])
        made = json.loads(payload)
        self.assertTrue(2026 <= int(made.pop("year")) < 2100)
        self.assertEqual(
            made, {"orderId": "7", "drink": "latte", "extras": ["SHOT"], "shop": "soho", "device": "device-1",
                   "digest": hashlib.sha256(b"7").hexdigest(), "belize": "21:46 CST", "ms": 1782889200000})

    def test_a_client_of_mqtt_3_gets_the_same_without_headers(self):
        screen = self.screen("old", "made/#")
        self.publish("orders/nyc", json.dumps(ORDER))
        topic, made = screen.next()
        self.assertEqual((topic, made["drink"]), ("made/nyc/latte", "latte"))
        self.assertNotIn("shop", made)

    def test_the_error_action_gets_what_failed(self):
        screen = self.screen("failures", "failed/#", "made/#")
        order = {key: value for key, value in ORDER.items() if key != "drink"}
        self.publish("orders/nyc", json.dumps(order))
        topic, document = screen.next()
        self.assertEqual(topic, "failed/nyc")
        self.assertEqual(
            (document["ruleName"], document["topic"], document["clientId"]), ("Orders", "orders/nyc", "device-1"))
        self.assertEqual(json.loads(base64.b64decode(document["base64OriginalPayload"])), order)
        self.assertEqual([failure["failedAction"] for failure in document["failures"]], ["RepublishAction"])
        self.assertIn("Topic", document["failures"][0]["errorMessage"])
        self.assertIn("UNDEFINED_VALUE", self.broker.asks("/api/v1/deadletters"))

    def test_a_message_of_basic_ingest_reaches_its_rule_and_nobody_else(self):
        screen = self.screen("all", "#", "$aws/#")
        self.publish("$aws/rules/Lights/floor2/room1", "on \u2603", "-r")
        topic, seen = screen.next()
        self.assertEqual(topic, "seen/floor2")
        self.assertEqual(
            seen, {"topic": "floor2/room1", "room": "room1", "payload": base64.b64encode("on \u2603".encode()).decode()})
        self.broker.wait_for_log("rule log", "lights", "floor2/room1")
        # Rules that do not exist are told to the operator; the next message is the very next one that the screen shows.
        self.publish("$aws/rules/Nobody/a/b", "lost")
        self.broker.wait_for_log("basic ingest dropped", "Nobody")
        self.publish("plain", "{}")
        self.assertEqual(screen.next()[0], "plain")
        self.assertIn("crema_basic_ingest_dropped_total 1", self.broker.asks("/metrics"))

    def test_what_the_rule_does_not_want_goes_nowhere(self):
        screen = self.screen("nothing", "made/#", "failed/#", "end")
        for topic, order in (("orders/NYC", ORDER), ("orders/nyc", {**ORDER, "orderId": ""}), ("orders/nyc", {})):
            self.publish(topic, json.dumps(order))
        self.publish("end", "{}")
        self.assertEqual(screen.next()[0], "end")


if __name__ == "__main__":
    unittest.main()
