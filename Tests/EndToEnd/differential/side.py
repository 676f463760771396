"""One broker beside its model: does a step with both, and says where they part."""

import itertools
import select
import time

import wire
from links import Closed, Link

from .model import Model
from .states import Message, split

# Packets that close the connection, of MQTT 3.1.1 and MQTT 5.
MALFORMED = {
    "flags of PUBREL": ("60020001", "60020001"), "flags of PINGREQ": ("c100", "c100"), "flags of DISCONNECT": ("e100", "e100"),
    "flags of SUBSCRIBE": ("8006000100016100", "800700010000016100"),
    "SUBSCRIBE with identifier 0": ("8206000000016100", "820700000000016100"),
    "SUBSCRIBE without filter": ("82020001", "8203000100"), "QoS 3": ("36050001610001", "3606000161000100"),
    "wildcard in a topic": ("30050003612f23", "30060003612f2300"), "PINGRESP": ("d000", "d000"), "type 0": ("0000", "0000"),
    "SUBACK": ("9003000100", "900400010000"), "DUP at QoS 0": ("3803000161", "380400016100"), "a second CONNECT": (
        "100d00044d51545404020000000161", "100e00044d515454050200000000 0161"),
}
# Seconds in which what must come has come, also on a busy machine.
PATIENCE = 3
KINDS = {number: name for name, number in vars(wire).items() if name.isupper() and isinstance(number, int)}


class Difference(AssertionError):
    """The broker did something else than its model."""


class Side:
    def __init__(self, name, port, choices, prefix):
        self.name, self.port, self.prefix = name, port, prefix
        self.model = Model(choices)
        self.clients = {}  # name: (link, model's connection)

    # One step

    def apply(self, step):
        """Answers whether the step could be done here."""
        self.model.begin_step()
        self.model.one_of = []
        name = step["client"]
        if step["do"] == "connect":
            old = self.connect(name, step)
            self.settle(name, old)
            return True
        session = self.model.sessions.get(name)
        if not session or not session.connection:
            return False
        if getattr(self, step["do"])(session.connection, self.clients[name][0], step) is False:
            return False
        self.settle(name)
        return True

    def named(self, text):
        share, own = split(text)
        return f"$share/{share}/{self.prefix}{own}" if share else self.prefix + text

    def connect(self, name, step):
        version, expiry = step["version"], step["expiry"]
        props = {}
        if version == 5:
            props = {key: step[key] for key in ("receive_maximum", "topic_alias_maximum") if step[key]}
            if expiry:
                props["session_expiry"] = expiry
        will = step["will"] and self.message(step["will"])
        old_link = self.clients.get(name, (None,))[0]
        connection, old = self.model.connect(
            name, version, step["clean"], expiry, will, (step["receive_maximum"] or 65_535) if version == 5 else 65_535)
        link = Link(self.port, PATIENCE)
        link.aliases = {}
        self.clients[name] = (link, connection)
        link.send(wire.connect(
            self.prefix.rstrip("/") + name, version, step["clean"], 600, props=props,
            will=will and {"topic": will.topic, "payload": will.payload, "qos": will.qos, "retain": will.retain, "props": will.props}))
        return (old_link, old) if old else None

    def message(self, step):
        return Message(
            self.prefix + step["topic"], step["payload"].encode(), step["qos"], step["retain"],
            tuple((key, value) for key, value in step.get("props", ())), step.get("expiry"))

    def subscribe(self, connection, link, step):
        version = connection.version
        requests = [(self.named(pattern), options if version == 5 else options & 3) for pattern, options in step["requests"]]
        identifier = step["identifier"] if version == 5 else 0
        self.model.subscribe(connection, step["packet_id"], requests, identifier)
        link.send(wire.subscribe(
            step["packet_id"], requests, version, {"subscription_identifier": identifier} if identifier else None))

    def unsubscribe(self, connection, link, step):
        patterns = [self.named(pattern) for pattern in step["filters"]]
        self.model.unsubscribe(connection, step["packet_id"], patterns)
        link.send(wire.unsubscribe(step["packet_id"], patterns, connection.version))

    def publish(self, connection, link, step):
        message, version = self.message(step), connection.version
        if version == 4:
            message.props, message.expiry = (), None
        if step["qos"] == 2 and step["packet_id"] in connection.session.incoming:
            return False
        props, topic = list(message.props), message.topic
        if message.expiry is not None:
            props.append(("message_expiry", message.expiry))
        if version == 5 and step["alias"]:
            props.append(("topic_alias", step["alias"]))
            if connection.aliases.get(step["alias"]) == topic:
                topic = ""
            else:
                connection.aliases[step["alias"]] = topic
        self.model.publish(connection, step["packet_id"], message)
        link.send(wire.publish(topic, message.payload, step["qos"], step["packet_id"], step["retain"], False, version, props))
        return None

    def again(self, connection, link, step):
        """The same QoS 2 message before its PUBREL."""
        message = connection.session.incoming.get(step["packet_id"])
        if not message:
            return False
        if not self.model.choices.takes_duplicates:
            self.model.note("takes_duplicates")
            return False
        self.model.publish(connection, step["packet_id"], message)
        link.send(wire.publish(
            message.topic, message.payload, 2, step["packet_id"], message.retain, True, connection.version, message.props))
        return None

    def release(self, connection, link, step):
        self.model.release(connection, step["packet_id"])
        link.send(wire.acknowledgement(wire.PUBREL, step["packet_id"]))

    def acknowledge(self, connection, link, step):
        found = [entry for entry in outstanding(connection.session) if entry.message.payload.decode() == step["payload"]]
        if not found:
            return False
        refuses = step["refuses"] and connection.version == 5
        packet_id = found[0].packet_id
        kind, refuses = self.model.acknowledge(connection, found[0], refuses)
        link.send(wire.acknowledgement(getattr(wire, kind), packet_id, 0x80 if refuses else 0))
        return None

    def disconnect(self, connection, link, step):
        session, version = connection.session, connection.version
        code, props = (step["code"], None) if version == 5 else (0, None)
        if version == 5 and step["expiry"] is not None and session.expiry:
            session.expiry = step["expiry"]
            props = {"session_expiry": step["expiry"]}
        connection.end = "closed"
        self.model.end(session, with_will=code != 0)
        link.send(wire.disconnect(version, code, props))

    def lose(self, connection, link, step):
        connection.end = "closed"
        self.model.end(connection.session)
        link.finish()

    def malformed(self, connection, link, step):
        if step["name"] in self.model.choices.tolerates:
            self.model.note("tolerates")
        else:
            connection.end = "told" if connection.version == 5 else "closed"
            forgets = step["name"] == "a second CONNECT" and not self.model.choices.second_connect_keeps
            self.model.end(connection.session, with_will=not forgets)
            if forgets:
                self.model.note("second_connect_keeps")
                self.model.sessions.pop(connection.session.name, None)
        link.send(bytes.fromhex(MALFORMED[step["name"]][connection.version == 5]))
        if not connection.end and step["name"] == "flags of PINGREQ" and link.read() != wire.PONG:
            raise Difference("no PINGRESP for PINGREQ with flags")

    def forget(self):
        """Ends every session and clears every retained message."""
        for name in list(self.model.sessions):
            link = Link(self.port, PATIENCE)
            link.send(wire.connect(self.prefix.rstrip("/") + name, 4, True) + wire.disconnect())
            self.drain(link)
        link = Link(self.port, PATIENCE)
        link.send(wire.connect(self.prefix.rstrip("/"), 4, True) + b"".join(
            wire.publish(topic, b"", retain=True) for topic in self.model.retained) + wire.disconnect())
        self.drain(link)

    def drain(self, link):
        try:
            while True:
                link.read()
        except (Closed, TimeoutError):
            link.close()

    # What came

    def settle(self, name, old=None):
        """Everybody has what they must get, and nothing else; who acted first."""
        if old:
            self.read_end(*old, name)
        link, connection = self.clients[name]
        if connection.end:
            self.read_end(link, connection, name)
            del self.clients[name]
        else:
            self.read(link, connection, name)
        for other in sorted(self.clients):
            if other != name:
                self.read(*self.clients[other], other)
        for one_of in self.model.one_of:
            self.settle_one_of(one_of)

    def read(self, link, connection, name):
        link.send(wire.PING)
        is_answered = False
        while True:
            if is_answered and not self.misses(connection):
                return
            frame = self.next(link, connection, name)
            if frame == wire.PONG:
                is_answered = True
            else:
                self.take(link, connection, frame, name)

    def misses(self, connection):
        return connection.first or connection.answers or connection.flow or self.model.owed_now(connection.session)

    def next(self, link, connection, name):
        try:
            return link.read(PATIENCE)
        except (TimeoutError, Closed) as error:
            owed = [told(item) for item in [connection.first, *connection.answers, *connection.flow] if item]
            owed += [f"retained {each.topic}" for each in self.model.owed_now(connection.session)]
            raise Difference(f"{name} waits for {', '.join(owed[:6]) or 'PINGRESP'}: {error}") from None

    def read_end(self, link, connection, name):
        told_why = False
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                frame = link.read(PATIENCE)
            except Closed:
                link.close()
                return
            except TimeoutError:
                break
            found = wire.decode(frame, connection.version)
            if found["kind"] == wire.DISCONNECT and connection.end == "told" and found["code"] >= 0x80 and not told_why:
                told_why = True
            elif found["kind"] == wire.PUBLISH and connection.will and found["payload"] == connection.will.payload and (
                    not self.model.choices.will_spares_connection):
                self.model.note("will_spares_connection")
            else:
                raise Difference(f"{name}, at the end of its connection, got {found}")
        raise Difference(f"the connection of {name} stays open")

    def settle_one_of(self, one_of):
        """A message for one of several that may not have come yet."""
        deadline = time.monotonic() + (0.02 if one_of.maybe_none else PATIENCE)
        links = [(self.clients[connection.session.name][0], connection) for connection, _ in one_of.candidates]
        while one_of.chosen is None and time.monotonic() < deadline:
            select.select([link.socket for link, _ in links], [], [], 0.01)
            for link, connection in links:
                self.read(link, connection, connection.session.name)
        if one_of.chosen is None and not one_of.maybe_none:
            raise Difference(f"nobody got {one_of.candidates[0][1].message.payload} of a shared subscription")

    def was_chosen(self, connection, found):
        """Whether the message is one that the broker may give to this connection, or to another one instead that has got its like."""
        def fits(one_of, who):
            return (delivery := one_of.delivery(who)) is not None and is_delivery(delivery, found, who)

        mine = sorted((each for each in self.model.one_of if fits(each, connection)), key=lambda each: each.maybe_none)
        for one_of in mine:
            if one_of.chosen is None:
                one_of.chosen = connection
                return True
        for one_of in mine:
            for other in self.model.one_of:
                if other.chosen is None and other.delivery(one_of.chosen) is not None:
                    other.chosen, one_of.chosen = one_of.chosen, connection
                    return True
        return False

    def take(self, link, connection, frame, name):
        found = wire.decode(frame, connection.version)
        kind = KINDS[found["kind"]]
        if connection.first:
            if kind != "CONNACK" or any(found[key] != value for key, value in connection.first.items()):
                raise Difference(f"{name} got {found} and not CONNACK {connection.first}")
            connection.first = None
        elif kind == "PUBLISH":
            self.take_publish(link, connection, found, name)
        elif kind == "PUBREL" and (released := next((item for item in connection.flow if item.stage == "released"), None)) and (
                released.packet_id == found["packet_id"]):
            connection.flow.remove(released)  # in order among themselves
        else:
            for answer in connection.answers:
                if answer["kind"] == kind and all(
                        found[key] == value or isinstance(value, tuple) and found[key] in value
                        for key, value in answer.items() if key != "kind"):
                    connection.answers.remove(answer)
                    return
            raise Difference(f"{name} got {kind} {found}, and waits for {[told(item) for item in connection.answers + connection.flow]}")

    def take_publish(self, link, connection, found, name):
        resolve_alias(link, found)
        session = connection.session
        flow = connection.flow
        messages = [item for item in flow if item.stage != "released"]
        run = list(itertools.takewhile(lambda item: item.batch == messages[0].batch, messages))
        for item in run:
            if is_delivery(item, found, connection):
                flow.remove(item)
                return self.came(item, found, session, name)
        for item in run:  # of one step's messages the broker chose another one first
            for place, waiting in enumerate(session.queue):
                if item.stage == "sent" and not item.duplicate and waiting.batch == item.batch and is_delivery(waiting, found, connection):
                    session.queue[place], item.stage, waiting.stage = item, "new", "sent"
                    session.inflight[session.inflight.index(item)] = waiting
                    flow.remove(item)
                    flow_item = waiting
                    return self.came(flow_item, found, session, name)
        if not self.model.choices.keeps_to_window and session.queue:
            for waiting in list(session.queue):
                if is_delivery(waiting, found, connection):
                    self.model.note("keeps_to_window")
                    session.queue.remove(waiting)
                    session.inflight.append(waiting)
                    waiting.stage = "sent"
                    return self.came(waiting, found, session, name)
        delivery = self.model.retained_came(session, lambda each: is_delivery(each, found, connection))
        if delivery:
            return self.came(delivery, found, session, name)
        if self.was_chosen(connection, found):
            return None
        delivery = self.came_before_others(session, flow, lambda each: is_delivery(each, found, connection))
        if delivery:
            return self.came(delivery, found, session, name)
        raise Difference(f"{name} got {told(found)}, and waits for {[told(item) for item in flow] or 'nothing'}")

    def came_before_others(self, session, flow, is_it):
        """Where retained messages are owed and others wait in the queue, those of different topics have no order [MQTT-4.6.0-6]: the next of
        the queue may come before what is owed, and what is owed before what the model took from the queue."""
        if not self.model.choices.retained_waits_for_window:
            return None
        owed = session.backlog + session.placed
        if owed and session.queue and self.model.can_send(session) and is_it(session.queue[0]):
            session.left += 1
            delivery = session.queue.pop(0)
            delivery.stage = "sent"
            session.inflight.append(delivery)
            self.model.pump(session)
            return delivery
        taken = next((item for item in flow if item.stage == "sent" and not item.duplicate), None)
        for each in owed:
            message = each.message or self.model.retained.get(each.topic)
            delivery = message and self.model.delivery(message, list(each.wanted.values()), retain=True)
            if not delivery or not is_it(delivery):
                continue
            if not self.model.can_send(session):
                if not taken:
                    continue
                flow.remove(taken)
                session.inflight.remove(taken)
                taken.stage = "new"
                session.left -= 1
                session.queue.insert(0, taken)
            (session.backlog if each in session.backlog else session.placed).remove(each)
            if delivery.qos:
                delivery.stage = "sent"
                session.inflight.append(delivery)
            self.model.pump(session)
            return delivery
        return None

    def came(self, delivery, found, session, name):
        if delivery.qos:
            others = [entry for entry in session.inflight if entry is not delivery and entry.stage != "finished"]
            if any(entry.packet_id == found["packet_id"] for entry in others):
                raise Difference(f"{name} got packet identifier {found['packet_id']}, which is in use")
            if not delivery.duplicate:
                delivery.packet_id, delivery.version = found["packet_id"], session.connection.version


def outstanding(session):
    """What the client has got and can acknowledge."""
    return [entry for entry in session.inflight if entry.stage in ("sent", "released") and not entry.unsent]


def resolve_alias(link, found):
    for key, alias in found["props"]:
        if key == "topic_alias":
            if found["topic"]:
                link.aliases[alias] = found["topic"]
            else:
                found["topic"] = link.aliases[alias]
    found["props"] = [(key, value) for key, value in found["props"] if key != "topic_alias"]


def is_delivery(delivery, found, connection):
    message = delivery.message
    if (found["topic"], found["payload"], found["qos"], found["retain"], found["duplicate"]) != (
            message.topic, message.payload, delivery.qos, delivery.retain, delivery.duplicate):
        return False
    if delivery.duplicate and found["packet_id"] != delivery.packet_id:
        return False
    if connection.version == 4:
        return True
    identifiers = tuple(sorted(value for key, value in found["props"] if key == "subscription_identifier"))
    expiry = next((value for key, value in found["props"] if key == "message_expiry"), None)
    rest = [(key, value) for key, value in found["props"] if key not in ("subscription_identifier", "message_expiry")]
    wanted = [(key, tuple(part.encode() for part in value) if isinstance(value, tuple) else value) for key, value in message.props]
    if (expiry is None) != (message.expiry is None) or expiry is not None and not message.expiry - 60 <= expiry <= message.expiry:
        return False
    # Copies that differ in nothing but their identifiers could not be told apart in MQTT 3.1.1.
    could_be_told = not delivery.duplicate or delivery.version == 5
    return (identifiers == delivery.identifiers or not could_be_told) and in_order(rest) == in_order(wanted)


def in_order(props):
    """User properties keep their order; the others have none."""
    fixed = [(key, value.encode() if isinstance(value, str) else value) for key, value in props]
    return [each for each in fixed if each[0] == "user"], sorted(each for each in fixed if each[0] != "user")


def told(item):
    if isinstance(item, dict):
        return str({key: value for key, value in item.items() if key != "kind" or not isinstance(value, int)})
    message = item.message
    return (
        f"{'PUBREL of ' if item.stage == 'released' else ''}{message.topic} {message.payload.decode()} qos {item.qos} retain {item.retain} "
        f"dup {item.duplicate} ids {item.identifiers} props {message.props} expiry {message.expiry}")


