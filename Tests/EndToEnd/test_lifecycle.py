"""What AWS IoT tells of clients' coming and going, on the same topics and in the same words."""

import pathlib
import re
import socket
import time
import unittest

import wire
from broker import WAIT_SECONDS, Broker, Screen, run

RULES = pathlib.Path(__file__).with_name("lifecycle_rules.yaml")


class LifecycleTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(RULES, more={"lifecycleEvents": True})
        cls.addClassCleanup(cls.broker.end)

    def screen(self, name, *topics):
        screen = Screen(self.broker, name, *topics)
        self.addCleanup(screen.end)
        return screen

    def client(self, name, version=4):
        connection = socket.create_connection(("127.0.0.1", self.broker.mqtt), WAIT_SECONDS)
        self.addCleanup(connection.close)
        connection.sendall(wire.connect(name, version=version))
        self.assertEqual(connection.recv(2)[0], 0x20)
        return connection

    def test_a_clients_life_is_told(self):
        watcher = self.screen("watcher-life", "$aws/events/presence/+/tell-1", "$aws/events/subscriptions/+/tell-1", "gone/tell-1")
        before = time.time() * 1_000
        client = self.client("tell-1")
        topic, came = watcher.next()
        self.assertEqual(topic, "$aws/events/presence/connected/tell-1")
        self.assertEqual(
            set(came),
            {"clientId", "timestamp", "eventType", "sessionIdentifier", "principalIdentifier", "ipAddress", "versionNumber"})
        self.assertEqual((came["clientId"], came["eventType"], came["ipAddress"]), ("tell-1", "connected", "127.0.0.1"))
        self.assertLess(abs(came["timestamp"] - before), 60_000)
        self.assertTrue(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", came["sessionIdentifier"]))
        client.sendall(bytes.fromhex("820a0001 0001 61 00 0001 62 01".replace(" ", "")))
        topic, subscribed = watcher.next()
        self.assertEqual(topic, "$aws/events/subscriptions/subscribed/tell-1")
        self.assertEqual((subscribed["eventType"], subscribed["topics"]), ("subscribed", ["a", "b"]))
        self.assertEqual(subscribed["sessionIdentifier"], came["sessionIdentifier"])
        client.sendall(bytes.fromhex("a2050002000161"))
        topic, unsubscribed = watcher.next()
        self.assertEqual(topic, "$aws/events/subscriptions/unsubscribed/tell-1")
        self.assertEqual((unsubscribed["eventType"], unsubscribed["topics"]), ("unsubscribed", ["a"]))
        client.sendall(b"\xe0\x00")
        told = dict(watcher.next() for _ in range(2))
        went = told["$aws/events/presence/disconnected/tell-1"]
        self.assertEqual(
            set(went),
            {"clientId", "timestamp", "eventType", "sessionIdentifier", "principalIdentifier", "clientInitiatedDisconnect",
             "disconnectReason", "versionNumber"})
        self.assertEqual((went["clientInitiatedDisconnect"], went["disconnectReason"]), (True, "CLIENT_INITIATED_DISCONNECT"))
        self.assertEqual(
            (went["versionNumber"], went["sessionIdentifier"]), (came["versionNumber"], came["sessionIdentifier"]))
        # A rule sees it as any message.
        self.assertEqual(told["gone/tell-1"], {"clientId": "tell-1", "why": "CLIENT_INITIATED_DISCONNECT"})

    def test_reasons_and_versions(self):
        watcher = self.screen("watcher-reasons", "$aws/events/presence/+/tell-2")
        first, second = self.client("tell-2"), self.client("tell-2")
        events = [watcher.next() for _ in range(3)]
        second.close()
        events.append(watcher.next())
        gone = [event for topic, event in events if event["eventType"] == "disconnected"]
        came = [event for topic, event in events if event["eventType"] == "connected"]
        self.assertEqual([event["disconnectReason"] for event in gone], ["DUPLICATE_CLIENTID", "CONNECTION_LOST"])
        self.assertEqual([event["versionNumber"] for event in gone], [event["versionNumber"] for event in came])
        self.assertLess(came[0]["versionNumber"], came[1]["versionNumber"])
        first.close()

    def test_a_client_publishes_no_such_event_and_one_with_a_wildcard_in_its_name_has_none(self):
        watcher = self.screen("watcher-forged", "$aws/events/#")
        result = run(
            "mosquitto_pub", "-V", "5", "-p", str(self.broker.mqtt), "-i", "forger", "-q", "1",
            "-t", "$aws/events/presence/connected/victim", "-m", "{}", check=False)
        self.assertIn("not authorized", (result.stdout + result.stderr).lower())
        self.client("wild+card").sendall(b"\xe0\x00")
        self.client("tell-3").sendall(b"\xe0\x00")
        names = set()
        while "disconnected/tell-3" not in names:
            topic, _ = watcher.next()
            names.add(topic.removeprefix("$aws/events/presence/"))
        self.assertFalse([name for name in names if "victim" in name or "wild" in name], names)

    def test_without_the_setting_nothing_is_told(self):
        broker = Broker()
        self.addCleanup(broker.end)
        watcher = Screen(broker, "watcher-none", "$aws/events/#", "end")
        self.addCleanup(watcher.end)
        run("mosquitto_pub", "-p", str(broker.mqtt), "-t", "end", "-m", "1")
        self.assertEqual(watcher.next(), ("end", 1))


if __name__ == "__main__":
    unittest.main()
