"""Clients that keep account of what a broker has acknowledged to them, and come back however often it dies."""

import random
import socket
import threading
import time

import wire

# At once, of one publisher, unless it is told another number.
WINDOW = 16
# A broker that takes no bytes, or says nothing to CONNECT, for so long is taken for dead.
PATIENCE_SECONDS = 10
# `session_expiry` of MQTT 5: as long as the broker keeps sessions at the most.
FOR_EVER = 0xFFFFFFFF


class Failure(AssertionError):
    """A promise that was not kept."""


class LedgerClient(threading.Thread):
    """One MQTT client with a session that outlives its connections."""

    def __init__(self, name, port, version, seed):
        super().__init__(name=name, daemon=True)
        self.client, self.port, self.version = name, port, version
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.failure = None
        self.connections = 0
        self.has_session = False
        self.socket = None
        # What came and is not read yet, and what is to be sent: many packets go by one call.
        self.buffer, self.outgoing = bytearray(), bytearray()

    # What a kind of client does.

    def connected(self):
        """The connection is there, and the session as it was left."""

    def received(self, found):
        """One packet has come."""

    def idle(self):
        """Called often; True to stay connected."""
        return not self.stopping.is_set()

    # The connection.

    def run(self):
        while not self.is_done():
            try:
                self.serve_once()
            except OSError:
                time.sleep(0.01)
            except Failure as failure:
                self.failure = failure
                return
            except Exception as failure:  # the thread's end must not go unseen
                self.failure = failure
                raise
            finally:
                if self.socket:
                    self.socket.close()
                    self.socket = None

    def is_done(self):
        return self.stopping.is_set()

    def serve_once(self):
        self.buffer, self.outgoing = bytearray(), bytearray()
        self.socket = socket.create_connection(("127.0.0.1", self.port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        props = {"session_expiry": FOR_EVER} if self.version == 5 else None
        self.send(wire.connect(self.client, self.version, clean=False, props=props))
        self.flush()
        found = self.first_packet()
        if found["kind"] != wire.CONNACK or found["code"]:
            raise Failure(f"{self.client}: the answer to CONNECT is {found}")
        if self.has_session and not found["present"]:
            raise Failure(f"{self.client}: its session is gone")
        self.has_session = True
        self.connections += 1
        self.connected()
        while self.idle():
            self.flush()
            # What came in one piece with CONNACK is not waited for.
            if wire.frame_end(self.buffer) is None and not self.receive(0.02):
                continue
            for found in self.packets():
                self.received(found)
            self.flush()

    def send(self, data):
        self.outgoing += data

    def flush(self):
        if self.outgoing:
            self.socket.settimeout(PATIENCE_SECONDS)
            self.socket.sendall(self.outgoing)
            self.outgoing.clear()

    def receive(self, seconds):
        """Waits so long for bytes; says whether some came."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(262_144)
        except socket.timeout:
            return False
        if not data:
            raise OSError("closed")
        self.buffer += data
        return True

    def first_packet(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (end := wire.frame_end(self.buffer)) is None:
            if not self.receive(max(0.001, deadline - time.monotonic())):
                raise OSError("no CONNACK")
        frame = bytes(self.buffer[:end])
        del self.buffer[:end]
        return wire.decode(frame, self.version)

    def packets(self):
        """The packets that are all there, in their order."""
        place = 0
        while (end := wire.frame_end(self.buffer, place)) is not None:
            yield wire.decode(bytes(self.buffer[place:end]), self.version)
            place = end
        del self.buffer[:place]

    def end(self):
        self.stopping.set()
        self.join(30)


class LedgerPublisher(LedgerClient):
    """Publishes numbers on its own topic, and sends again what was not acknowledged [MQTT-4.4.0-1].

    It waits for its `readers`, subscribers of its topic, when one of them is more than `backlog` messages behind.
    """

    def __init__(self, name, port, version, seed, qos, per_second, retain=False, topic=None, window=WINDOW, readers=(), backlog=0):
        super().__init__(name, port, version, seed)
        self.qos, self.retain, self.per_second, self.window = qos, retain, per_second, window
        self.readers, self.backlog = readers, backlog
        self.topic = topic or f"ledger/{name}"
        self.last = 0
        # Packet identifier to what is to be sent for it: PUBLISH with a number, or PUBREL.
        self.open = {}
        self.acknowledged = set()
        self.begun = time.monotonic()
        self.finishing = threading.Event()

    def is_done(self):
        return self.stopping.is_set() or self.finishing.is_set() and not self.open

    def idle(self):
        if self.is_done():
            return False
        due = (time.monotonic() - self.begun) * self.per_second
        if self.readers:
            due = min(due, self.backlog + min(reader.newest.get(self.topic, 0) for reader in self.readers))
        while not self.finishing.is_set() and len(self.open) < self.window and self.last < due:
            self.last += 1
            packet_id = next(number for number in self.identifiers() if number not in self.open)
            self.open[packet_id] = self.last
            self.publish(packet_id, duplicate=False)
        return True

    def identifiers(self):
        start = self.last % 60_000
        return range(start + 1, start + 2 + self.window)

    def publish(self, packet_id, duplicate):
        payload = f"{self.client} {self.open[packet_id]} " + "x" * self.random.choice((0, 10, 200, 1_000))
        self.send(wire.publish(self.topic, payload, self.qos, packet_id, self.retain, duplicate, self.version))

    def connected(self):
        for packet_id, number in self.open.items():
            if number is None:
                self.send(wire.acknowledgement(wire.PUBREL, packet_id))
            else:
                self.publish(packet_id, duplicate=True)

    def received(self, found):
        packet_id = found.get("packet_id")
        if found["kind"] == wire.DISCONNECT:
            raise OSError("disconnected")
        # A PUBREL that comes again may find its identifier forgotten: then its end was on disk and not told.
        if found.get("code", 0) >= 0x80 and found["kind"] != wire.PUBCOMP:
            raise Failure(f"{self.client}: refused by {found}")
        if found["kind"] == wire.PUBACK:
            self.acknowledged.add(self.open.pop(packet_id))
        elif found["kind"] == wire.PUBREC:
            if self.open.get(packet_id) is not None:
                self.acknowledged.add(self.open[packet_id])
                self.open[packet_id] = None
            self.send(wire.acknowledgement(wire.PUBREL, packet_id))
        elif found["kind"] == wire.PUBCOMP:
            self.open.pop(packet_id, None)

    def finish(self):
        """No more numbers: what is open is brought to its end."""
        self.finishing.set()
        self.join(60)


class LedgerSubscriber(LedgerClient):
    """Keeps what it got, by topic, and how often; now and then it is away, if it is told to be."""

    def __init__(self, name, port, version, seed, qos, filter="ledger/#", away=0.0):
        super().__init__(name, port, version, seed)
        self.qos, self.filter, self.away = qos, filter, away
        self.is_subscribed = threading.Event()
        self.begun_exactly_once = set()
        self.got = {}
        # The number that came last, by topic.
        self.newest = {}
        self.last_receipt = time.monotonic()
        self.staying = threading.Event()
        self.leaves_at = None

    def serve_once(self):
        try:
            super().serve_once()
        finally:
            pause = 0 if self.staying.is_set() else self.away
            if pause and not self.stopping.is_set():
                time.sleep(self.random.uniform(0, pause))

    def connected(self):
        if not self.is_subscribed.is_set():
            self.send(wire.subscribe(1, [(self.filter, self.qos)], self.version))
        stays = self.random.uniform(0.05, 0.3) if self.away and not self.staying.is_set() else None
        self.leaves_at = time.monotonic() + stays if stays else None

    def idle(self):
        if self.leaves_at and time.monotonic() > self.leaves_at and self.is_subscribed.is_set():
            return False
        return super().idle()

    def received(self, found):
        kind, packet_id = found["kind"], found.get("packet_id")
        if kind == wire.SUBACK:
            if found["codes"] != [self.qos]:
                raise Failure(f"{self.client}: SUBACK says {found}")
            self.is_subscribed.set()
        elif kind == wire.PUBLISH:
            self.last_receipt = time.monotonic()
            if found["qos"] == 2 and packet_id in self.begun_exactly_once:
                pass  # the same message again
            else:
                publisher, number, _ = found["payload"].decode().split(" ", 2)
                number = int(number)
                self.got.setdefault((found["topic"], publisher), []).append(number)
                self.newest[found["topic"]] = number
            if found["qos"] == 2:
                self.begun_exactly_once.add(packet_id)
                self.send(wire.acknowledgement(wire.PUBREC, packet_id))
            elif found["qos"] == 1:
                self.send(wire.acknowledgement(wire.PUBACK, packet_id))
        elif kind == wire.PUBREL:
            self.begun_exactly_once.discard(packet_id)
            self.send(wire.acknowledgement(wire.PUBCOMP, packet_id))


def check(subscriber, publisher):
    """Everything acknowledged is there, once at QoS 2, in order, and nothing else."""
    numbers = subscriber.got.get((publisher.topic, publisher.client), [])
    where = f"{publisher.client} (QoS {publisher.qos}) to {subscriber.client} (QoS {subscriber.qos})"
    lost = sorted(publisher.acknowledged - set(numbers))
    if lost:
        raise Failure(f"{where}: {len(lost)} of {len(publisher.acknowledged)} acknowledged messages are lost, first {lost[:10]}")
    invented = [number for number in numbers if not 1 <= number <= publisher.last]
    if invented:
        raise Failure(f"{where}: never sent: {invented[:10]}")
    firsts = list(dict.fromkeys(numbers))
    for earlier, later in zip(firsts, firsts[1:]):
        if later < earlier:
            raise Failure(f"{where}: {later} came after {earlier}")
    if min(publisher.qos, subscriber.qos) == 2 and len(numbers) != len(firsts):
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        raise Failure(f"{where}: came more than once: {twice[:10]}")
