"""Nothing acknowledged is lost: the broker is killed with SIGKILL at random moments, also while it starts, and every account is kept.

LEDGER_CRASHES says how often (12 unless set), LEDGER_SEED repeats a choice of moments. Prints its figures.
A long run with many acknowledgements between two deaths sets more:
LEDGER_LIFE      the longest time in seconds that a broker that is ready is let live, 0.8 unless set
LEDGER_RATE      messages per second of each of the four publishers at the most, 1,000 unless set
LEDGER_WINDOW    messages of one publisher without their acknowledgement, 16 unless set
LEDGER_AWAY      the longest time in seconds that the subscribers who come and go are away, 0.8 unless set
"""

import json
import os
import random
import time
import unittest

from broker import WAIT_SECONDS, Broker
from ledger_clients import LedgerPublisher, LedgerSubscriber, check

CRASHES = int(os.environ.get("LEDGER_CRASHES", "12"))
SEED = int(os.environ.get("LEDGER_SEED", str(random.randrange(1 << 32))))
LIFE = float(os.environ.get("LEDGER_LIFE", "0.8"))
RATE = int(os.environ.get("LEDGER_RATE", "1000"))
WINDOW = int(os.environ.get("LEDGER_WINDOW", "16"))
AWAY = float(os.environ.get("LEDGER_AWAY", "0.8"))
# Messages of one publisher that wait for a subscriber: the four of them stay far below the broker's limit of memory.
BACKLOG = 4_000
QUIET_SECONDS = 2


class CrashLedgerTests(unittest.TestCase):
    def setUp(self):
        print(f"\nLEDGER_SEED={SEED}")
        self.random = random.Random(SEED)
        # Two event loops, so that messages cross from one to the other.
        limits = {
            "eventLoopsMax": 2, "queueMessagesMax": 1_000_000, "queueBytesMax": 1_000_000_000, "connectsPerSecondPerClientMax": 1_000,
            "receiveMaximum": max(64, WINDOW)}
        self.broker = Broker(limits=limits, more={"data": "data"})
        self.addCleanup(self.broker.end)

    def clients(self):
        port, seed = self.broker.mqtt, self.random.randrange(1 << 32)
        subscribers = [
            LedgerSubscriber("online-1", port, 4, seed + 1, qos=1), LedgerSubscriber("online-2", port, 5, seed + 2, qos=2),
            LedgerSubscriber("away-1", port, 5, seed + 3, qos=1, away=AWAY), LedgerSubscriber("away-2", port, 4, seed + 4, qos=2, away=AWAY)]
        publishers = [
            LedgerPublisher(
                f"publisher-{number}", port, 4 + number % 2, seed + 10 + number, qos=1 + number // 2 % 2, per_second=RATE, window=WINDOW,
                readers=subscribers, backlog=BACKLOG)
            for number in range(4)]
        retained = [
            LedgerPublisher(f"retaining-{number}", port, 4 + number, seed + 20 + number, qos=1, per_second=100, retain=True,
                            topic=f"kept/{number}")
            for number in range(2)]
        return subscribers, publishers, retained

    def check_alive(self, clients):
        for client in clients:
            if client.failure:
                raise client.failure

    def test_nothing_acknowledged_is_lost(self):
        subscribers, publishers, retained = self.clients()
        for subscriber in subscribers:
            subscriber.start()
        for subscriber in subscribers:
            self.assertTrue(subscriber.is_subscribed.wait(WAIT_SECONDS), subscriber.failure)
        everybody = subscribers + publishers + retained
        for publisher in publishers + retained:
            publisher.start()
        deaths = 0
        for _ in range(CRASHES):
            if self.random.random() < 0.8:
                self.broker.wait_until_ready()
            time.sleep(self.random.uniform(0.05, LIFE))
            self.broker.kill()
            deaths += 1
            if self.random.random() < 0.4:
                self.broker.start()
                time.sleep(self.random.uniform(0, 0.15))
                self.broker.kill()
                deaths += 1
            self.broker.start()
            self.check_alive(everybody)
        self.broker.wait_until_ready()
        for publisher in publishers + retained:
            publisher.finish()
            self.assertFalse(publisher.open, f"{publisher.client} is not done: {publisher.failure}")
        self.settle(subscribers, publishers)
        self.check_alive(everybody)
        for subscriber in subscribers:
            for publisher in publishers:
                check(subscriber, publisher)
        self.check_retained(retained)
        acknowledged = sum(len(publisher.acknowledged) for publisher in publishers + retained)
        figures = {
            "deaths": deaths, "acknowledged": acknowledged, "connections": sum(client.connections for client in everybody),
            "received": {subscriber.client: sum(map(len, subscriber.got.values())) for subscriber in subscribers}}
        print(json.dumps(figures))

    def settle(self, subscribers, publishers):
        """Until everybody has had the last of everything, or nothing for as long as a test waits, and nothing more has come for a while."""
        for subscriber in subscribers:
            subscriber.staying.set()
        begun = time.monotonic()
        while True:
            self.check_alive(subscribers)
            is_complete = all(
                subscriber.newest.get(publisher.topic, 0) == publisher.last for subscriber in subscribers for publisher in publishers)
            quiet = time.monotonic() - max(begun, *(subscriber.last_receipt for subscriber in subscribers))
            if quiet > (QUIET_SECONDS if is_complete else WAIT_SECONDS):
                break
            time.sleep(0.05)
        for subscriber in subscribers:
            subscriber.end()

    def check_retained(self, publishers):
        """The last one of each topic, after one death more."""
        self.broker.kill()
        self.broker.start()
        self.broker.wait_until_ready()
        reader = LedgerSubscriber("reader", self.broker.mqtt, 4, 0, qos=1, filter="kept/#")
        reader.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while len(reader.got) < len(publishers) and time.monotonic() < deadline:
            time.sleep(0.02)
        reader.end()
        for publisher in publishers:
            self.assertEqual(reader.got.get((publisher.topic, publisher.client)), [publisher.last])


if __name__ == "__main__":
    unittest.main()
