"""Clients that people use, of every version of MQTT: paho-mqtt, gmqtt and mosquitto's."""

import asyncio
import itertools
import queue
import subprocess
import threading
import unittest

import gmqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from broker import WAIT_SECONDS, BrokerTestCase, run


def properties(kind, **values):
    result = Properties(kind)
    for name, value in values.items():
        setattr(result, name, value)
    return result


class Client:
    """A paho client with a thread of its own; what happens to it comes in queues."""

    def __init__(self, broker, name, version=paho.MQTTv5, transport="tcp", port=None, will=None, prepare=None, **connect):
        self.messages, self.answers, self.ends = queue.Queue(), queue.Queue(), queue.Queue()
        options = {"clean_session": connect.pop("clean_session", True)} if version != paho.MQTTv5 else {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=version, transport=transport, **options)
        self.client.on_connect = lambda _, __, flags, code, found: self.answers.put((flags, code, found))
        self.client.on_subscribe = lambda _, __, ___, codes, ____: self.answers.put([code.value for code in codes])
        self.client.on_unsubscribe = lambda _, __, ___, codes, ____: self.answers.put([code.value for code in codes])
        self.client.on_publish = lambda _, __, ___, code, ____: self.answers.put(code.value)
        self.client.on_disconnect = lambda _, __, ___, code, ____: self.ends.put(code.value)
        self.client.on_message = lambda _, __, message: self.messages.put(message)
        if will:
            self.client.will_set(*will)
        if prepare:
            prepare(self.client)
        self.client.connect(connect.pop("host", "127.0.0.1"), port or broker.mqtt, connect.pop("keepalive", 60), **connect)
        self.client.loop_start()
        self.flags, self.code, self.found = self.answers.get(timeout=WAIT_SECONDS)

    def subscribe(self, *arguments, **options):
        self.client.subscribe(*arguments, **options)
        return self.answers.get(timeout=WAIT_SECONDS)

    def publish(self, *arguments, **options):
        self.client.publish(*arguments, **options)
        return self.answers.get(timeout=WAIT_SECONDS)

    def next(self):
        return self.messages.get(timeout=WAIT_SECONDS)

    def drop(self):
        """Lets the connection go without a goodbye."""
        self.client.on_disconnect = None
        self.client.loop_stop()
        self.client._sock_close()

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


class PahoTests(BrokerTestCase):
    def client(self, name, *arguments, **options):
        client = Client(self.broker, name, *arguments, **options)
        self.addCleanup(client.end)
        return client

    def test_every_qos_between_the_versions(self):
        for number, (one, other) in enumerate(itertools.product((3, 4, 5), repeat=2)):
            reader = self.client(f"reader-{number}", version=other)
            self.assertEqual(reader.subscribe(f"mix/{number}/#", 2), [2])
            writer = self.client(f"writer-{number}", version=one)
            for qos in (0, 1, 2):
                writer.publish(f"mix/{number}/{qos}", f"{qos}", qos=qos)
                message = reader.next()
                self.assertEqual((message.topic, message.payload, message.qos), (f"mix/{number}/{qos}", b"%d" % qos, qos))

    def test_request_and_response(self):
        server, client = self.client("server"), self.client("client")
        server.subscribe("ask")
        client.subscribe("answer/7")
        asked = properties(
            PacketTypes.PUBLISH, ResponseTopic="answer/7", CorrelationData=b"\x01\x02", ContentType="text/plain",
            PayloadFormatIndicator=1, UserProperty=[("b", "1"), ("a", "2"), ("b", "3")])
        client.publish("ask", "what?", qos=1, properties=asked)
        question = server.next().properties
        self.assertEqual(question.UserProperty, [("b", "1"), ("a", "2"), ("b", "3")])
        self.assertEqual((question.ContentType, question.PayloadFormatIndicator), ("text/plain", 1))
        server.publish(
            question.ResponseTopic, "that", properties=properties(PacketTypes.PUBLISH, CorrelationData=question.CorrelationData))
        self.assertEqual(client.next().properties.CorrelationData, b"\x01\x02")

    def test_a_session_that_waits(self):
        keep = properties(PacketTypes.CONNECT, SessionExpiryInterval=60)
        reader = Client(self.broker, "keeper", clean_start=False, properties=keep)
        self.assertFalse(reader.flags.session_present)
        reader.subscribe("kept/#", 1)
        reader.drop()
        writer = self.client("keeper-writer")
        for number in range(20):
            self.assertEqual(writer.publish("kept/x", f"{number}", qos=1), 0)
        again = self.client("keeper", clean_start=False, properties=keep)
        self.assertTrue(again.flags.session_present)
        self.assertEqual([again.next().payload for _ in range(20)], [b"%d" % number for number in range(20)])

    def test_an_old_session_that_waits(self):
        """MQTT 3.1: the client is not told that its session was there."""
        reader = Client(self.broker, "old-keeper", version=paho.MQTTv31, clean_session=False)
        self.assertEqual(reader.subscribe("old/#", 2), [2])
        reader.drop()
        writer = self.client("old-keeper-writer", version=paho.MQTTv31, will=("old/gone", "bye", 1))
        for qos in (1, 2):
            writer.publish(f"old/{qos}", f"{qos}", qos=qos)
        again = self.client("old-keeper", version=paho.MQTTv31, clean_session=False)
        self.assertFalse(again.flags.session_present)
        self.assertEqual([(message.payload, message.qos) for message in (again.next(), again.next())], [(b"1", 1), (b"2", 2)])
        writer.drop()
        self.assertEqual(again.next().payload, b"bye")

    def test_terms_and_reason_codes(self):
        client = self.client("", properties=properties(PacketTypes.CONNECT, TopicAliasMaximum=5))
        self.assertTrue(client.found.AssignedClientIdentifier)
        self.assertEqual((client.found.ReceiveMaximum, client.found.TopicAliasMaximum), (64, 32))
        self.assertEqual(client.publish("nobody/wants/this", "", qos=1), 0x10)
        self.assertEqual(client.publish("$SYS/not/mine", "", qos=1), 0x87)
        self.assertEqual(client.subscribe([("a", SubscribeOptions(2)), ("/".join("x" * 200), SubscribeOptions(1))]), [2, 0x8F])
        client.client.unsubscribe(["a", "b"])
        self.assertEqual(client.answers.get(timeout=WAIT_SECONDS), [0, 0x11])

    def test_subscription_options(self):
        client = self.client("options")
        other = self.client("options-other")
        client.subscribe("options/t", options=SubscribeOptions(1, noLocal=True, retainAsPublished=True),
                         properties=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=7))
        client.publish("options/t", "own", qos=1)
        other.publish("options/t", "other", qos=1, retain=True)
        message = client.next()
        self.assertEqual((message.payload, message.retain, message.properties.SubscriptionIdentifier), (b"other", True, [7]))

    def test_topic_aliases_and_expiry(self):
        reader, writer = self.client("alias-reader"), self.client("alias-writer")
        reader.subscribe("alias/#", 1)
        alias = properties(PacketTypes.PUBLISH, TopicAlias=3, MessageExpiryInterval=100)
        writer.publish("alias/t", "1", qos=1, properties=alias)
        writer.publish("", "2", qos=1, properties=alias)
        for expected in (b"1", b"2"):
            message = reader.next()
            self.assertEqual((message.topic, message.payload), ("alias/t", expected))
            self.assertIn(message.properties.MessageExpiryInterval, (99, 100))

    def test_shared_subscriptions(self):
        members = [self.client(f"member-{number}", version=version) for number, version in enumerate((4, 5, 5))]
        for member in members:
            self.assertEqual(member.subscribe("$share/team/work/#", 1), [1])
        writer = self.client("boss")
        for number in range(30):
            writer.publish("work/x", f"{number}", qos=1)
        received = [member.next().payload for member in members for _ in range(10)]
        self.assertEqual(sorted(map(int, received)), list(range(30)))

    def test_a_client_is_told_that_it_lost_its_session(self):
        first = Client(self.broker, "twin")
        self.addCleanup(first.client.loop_stop)
        first.client.reconnect_delay_set(60, 60)
        self.client("twin")
        self.assertEqual(first.ends.get(timeout=WAIT_SECONDS), 0x8E)

    def test_a_will_with_its_properties(self):
        watcher = self.client("watcher")
        watcher.subscribe("gone")
        will = ("gone", "farewell", 1, False, properties(PacketTypes.WILLMESSAGE, UserProperty=[("why", "lost")]))
        Client(self.broker, "mortal", will=will).drop()
        message = watcher.next()
        self.assertEqual((message.payload, message.properties.UserProperty), (b"farewell", [("why", "lost")]))


class OtherClientTests(BrokerTestCase):
    def test_gmqtt(self):
        asyncio.run(asyncio.wait_for(self.talk_with_gmqtt(), WAIT_SECONDS))

    async def talk_with_gmqtt(self):
        messages, subscribed = asyncio.Queue(), asyncio.Event()
        client = gmqtt.Client("gmqtt")

        async def on_message(_, topic, payload, qos, found):
            await messages.put((topic, payload, qos, found.get("user_property")))
            return 0

        client.on_message = on_message
        client.on_subscribe = lambda *_: subscribed.set()
        await client.connect("127.0.0.1", self.broker.mqtt)
        client.subscribe("gmqtt/#", qos=2)
        await subscribed.wait()
        for qos in (0, 1, 2):
            client.publish(f"gmqtt/{qos}", b"x", qos=qos, user_property=("k", "v"))
            self.assertEqual(await messages.get(), (f"gmqtt/{qos}", b"x", qos, [("k", "v")]))
        await client.disconnect()

    def test_mosquitto_of_every_version(self):
        for number, (one, other) in enumerate(itertools.product(("31", "311", "5"), repeat=2)):
            lines = queue.Queue()
            server = ["-h", "127.0.0.1", "-p", str(self.broker.mqtt)]
            reader = subprocess.Popen(
                ["stdbuf", "-oL", "mosquitto_sub", *server, "-V", other, "-t", f"mosquitto/{number}", "-q", "2", "-C", "1", "-d"],
                stdout=subprocess.PIPE, text=True)
            self.addCleanup(reader.kill)
            threading.Thread(target=lambda: [lines.put(line.strip()) for line in reader.stdout], daemon=True).start()
            while "Subscribed" not in lines.get(timeout=WAIT_SECONDS):
                pass
            extra = ["-D", "publish", "user-property", "k", "v"] if one == "5" else []
            run("mosquitto_pub", *server, "-V", one, "-q", "2", "-t", f"mosquitto/{number}", "-m", "hello", *extra)
            while lines.get(timeout=WAIT_SECONDS) != "hello":
                pass
            self.assertEqual(reader.wait(WAIT_SECONDS), 0)
            reader.stdout.close()


if __name__ == "__main__":
    unittest.main()
