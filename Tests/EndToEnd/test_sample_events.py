"""The seed system's own sample events through its publisher rules, in both of its dialects.

The samples are not part of this repository: they are read from ../shared/data, or from the folder that SERVERLESSPRESSO_DATA names.
"""

import json
import os
import pathlib
import tempfile
import unittest

import boto3

from broker import REPOSITORY, Broker, Screen

DATA = pathlib.Path(os.environ.get("SERVERLESSPRESSO_DATA", REPOSITORY.parent / "shared/data/serverlesspresso"))
SOURCE = "awsserverlessda.serverlesspresso"
PREFIXES = {
    "admin": ["OrderManager.", "OrderProcessor.", "Validator.", "ConfigService."],
    "user": ["OrderManager.", "OrderProcessor."],
    "config": ["ConfigService."],
}
# The topics of the workshop's code, and those of the main branch, which knows several shops at once.
DIALECTS = {
    "workshop": {"admin": "serverlesspresso-admin", "user": "serverlesspresso-user-<userId>", "config": "serverlesspresso-config"},
    "main": {"admin": "serverlesspresso-admin-<eventId>", "user": "serverlesspresso-user-<userId>"},
}


def rule(name, topic):
    """The publisher function of one family of topics, as a rule."""
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventBusName": "Serverlesspresso",
            "EventPattern": {"source": [SOURCE], "detail-type": [{"prefix": prefix} for prefix in PREFIXES[name]]},
            "Targets": [{
                "Id": name,
                "Arn": f"arn:aws:iot:us-east-1:000000000000:topic/{topic}",
                "MqttParameters": {"Qos": 1, "Retain": False},
                "InputTransformer": {
                    "InputPathsMap": {
                        "type": "$.detail-type", "detail": "$.detail", "userId": "$.detail.userId", "eventId": "$.detail.eventId"},
                    "InputTemplate": '{"type": <type>, "detail": <detail>}',
                },
            }],
        },
    }


def samples():
    """Every event that the data holds, in the files' order."""
    events = json.loads((DATA / "EventPlayer/events.json").read_text())
    for path in sorted(DATA.glob("*/**/*.json")):
        event = json.loads(path.read_text())
        if isinstance(event, dict) and event.get("source") == SOURCE:
            events.append(event)
    return events


def expected_topics(topics, event):
    """Where the publisher functions would have sent an event, except to a topic with `undefined` in it."""
    for name, topic in topics.items():
        if not event["detail-type"].startswith(tuple(PREFIXES[name])):
            continue
        for field in ("userId", "eventId"):
            if f"<{field}>" in topic:
                value = event["detail"].get(field)
                topic = topic.replace(f"<{field}>", value) if isinstance(value, str) and value else None
                break
        if topic:
            yield topic


@unittest.skipUnless(DATA.is_dir(), f"no sample events at {DATA}")
class SampleEventTests(unittest.TestCase):
    def check(self, dialect):
        topics = DIALECTS[dialect]
        broker = self.broker_with(topics)
        events = samples()
        expected = {}
        for event in events:
            for topic in expected_topics(topics, event):
                expected.setdefault(topic, []).append({"type": event["detail-type"], "detail": event["detail"]})
        self.assertGreater(len(expected), 1)
        screen = Screen(broker, "watcher", *expected)
        self.addCleanup(screen.end)
        self.put(broker, events)
        received = {}
        for _ in range(sum(len(messages) for messages in expected.values())):
            topic, message = screen.next()
            received.setdefault(topic, []).append(message)
        self.assertEqual(received, expected)

    def broker_with(self, topics):
        template = {"Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "Serverlesspresso"}},
            **{name.capitalize(): rule(name, topic) for name, topic in topics.items()},
        }}
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "publishers.json"
        path.write_text(json.dumps(template))
        broker = Broker(path)
        self.addCleanup(broker.end)
        return broker

    def put(self, broker, events):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        client = session.client("events", endpoint_url=broker.url)
        for start in range(0, len(events), 10):
            entries = [
                {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"]),
                 "EventBusName": "Serverlesspresso"} for event in events[start:start + 10]]
            self.assertEqual(client.put_events(Entries=entries)["FailedEntryCount"], 0)

    def test_the_workshops_publishers(self):
        self.check("workshop")

    def test_the_main_branchs_publishers(self):
        self.check("main")


if __name__ == "__main__":
    unittest.main()
