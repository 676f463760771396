"""What a broker must do with a few clients: written from the standards, not from Crema's code.

A model takes what clients do, and fills in what each of them must get. Where the standards leave a choice, `Choices` says which one the
broker at hand makes; where only the broker can know (which member of a shared subscription, which retained message first), the model asks
what came and goes on from there.
"""

import dataclasses
import itertools

from .states import (
    AS_PUBLISHED, IDENTIFIER_NOT_FOUND, NO_LOCAL, NO_SUBSCRIBERS, NO_SUBSCRIPTION, QOS, SUCCESS, Connection, Delivery, OneOf, Owed,
    Session, Subscription, split, topic_matches)


class Model:
    def __init__(self, choices):
        self.choices = choices
        self.sessions, self.retained = {}, {}
        self.one_of = []
        self.batches = itertools.count(1)
        self.differences = {}

    def begin_step(self):
        self.batch = next(self.batches)

    def note(self, difference):
        self.differences[difference] = self.differences.get(difference, 0) + 1

    # Connections

    def connect(self, name, version, clean, expiry, will, receive_maximum):
        """Answers the new connection, and the one that it takes the place of."""
        session = self.sessions.get(name)
        old = session.connection if session else None
        if old:
            old.end = "told" if old.version == 5 else "closed"
            keeps = session.expiry > 0
            if old.will and not self.choices.will_at_takeover and keeps and not clean:
                self.note("will_at_takeover")
                old.will = None
            self.end(session)
            session = self.sessions.get(name)
        if session and clean:
            del self.sessions[name]
            session = None
        present = session is not None
        session = session or self.sessions.setdefault(name, Session(name))
        session.expiry = expiry
        connection = session.connection = Connection(version, session, will, receive_maximum)
        connection.first = {"code": 0, "present": int(present)}
        for entry in session.inflight:
            entry.unsent = entry.stage != "finished"
        self.pump(session)
        return connection, old

    def end(self, session, with_will=True):
        """The connection is over."""
        connection, session.connection = session.connection, None
        if session.expiry == 0:
            del self.sessions[session.name]
        session.backlog, session.placed = ([owed for owed in each if owed.qos] for each in (session.backlog, session.placed))
        if with_will and connection.will:
            will = connection.will
            self.route(dataclasses.replace(will, publisher=session.name))
            for one_of in self.one_of:  # chosen while the connection still counted
                one_of.maybe_none = one_of.maybe_none or not self.choices.will_spares_connection

    # Publishing

    def publish(self, connection, packet_id, message):
        """Answers the reason code of the acknowledgement."""
        session = connection.session
        message.publisher = session.name
        if message.qos == 2:
            if packet_id in session.incoming:
                return connection.answers.append({"kind": "PUBREC", "packet_id": packet_id, "code": SUCCESS})
            session.incoming[packet_id] = message
            if self.choices.qos2_at_pubrel:
                self.note("qos2_at_pubrel")
                return connection.answers.append({"kind": "PUBREC", "packet_id": packet_id, "code": SUCCESS})
        code = self.route(message)
        if message.qos and connection.version == 5 and code and not self.choices.tells_no_subscribers:
            self.note("tells_no_subscribers")
        if not self.choices.tells_no_subscribers or connection.version == 4:
            code = SUCCESS
        elif code and not self.choices.forgets_at_once:
            code = (code, SUCCESS)
        if message.qos:
            connection.answers.append({"kind": {1: "PUBACK", 2: "PUBREC"}[message.qos], "packet_id": packet_id, "code": code})
        return None

    def release(self, connection, packet_id):
        """PUBREL."""
        message = connection.session.incoming.pop(packet_id, None)
        code = SUCCESS
        if message is None and connection.version == 5:
            if self.choices.tells_unknown_identifier:
                code = IDENTIFIER_NOT_FOUND
            else:
                self.note("tells_unknown_identifier")
        if message and self.choices.qos2_at_pubrel:
            self.route(message)
        connection.answers.append({"kind": "PUBCOMP", "packet_id": packet_id, "code": code})

    def route(self, message):
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message
            else:
                self.retained.pop(message.topic, None)
        code = NO_SUBSCRIBERS
        groups = {}
        for session in list(self.sessions.values()):
            matching = []
            for pattern, subscription in session.subscriptions.items():
                share, own = split(pattern)
                if not topic_matches(message.topic, own):
                    continue
                code = SUCCESS
                if share:
                    groups.setdefault(pattern, []).append((session, subscription))
                elif not (subscription.options & NO_LOCAL and session.name == message.publisher):
                    matching.append(subscription)
            self.offer_all(session, message, matching)
        for members in groups.values():
            self.offer_one(message, members)
        return code

    def offer_all(self, session, message, matching):
        if not matching:
            return
        if not self.choices.one_copy:
            if len(matching) > 1:
                self.note("one_copy")
            for subscription in matching:
                self.offer(session, self.delivery(message, [subscription]))
        else:
            self.offer(session, self.delivery(message, matching))

    def delivery(self, message, subscriptions, retain=None):
        if retain is None:
            retain = message.retain and any(each.options & AS_PUBLISHED for each in subscriptions)
        return Delivery(
            message, min(message.qos, max(each.qos for each in subscriptions)), retain,
            tuple(sorted(each.identifier for each in subscriptions if each.identifier)), self.batch)

    def offer_one(self, message, members):
        """A shared subscription, always at QoS 0 here: one of its members that are connected gets it."""
        candidates = [(session.connection, self.delivery(message, [each])) for session, each in members if session.connection]
        # On another event loop one that left a moment ago may still count as connected, and a QoS 0 message is lost with it.
        maybe_none = len(candidates) < len(members) and not self.choices.forgets_at_once
        if len(candidates) < len(members) and not self.choices.shared_prefers_connected:
            self.note("shared_prefers_connected")
            maybe_none = True
        if candidates:
            self.one_of.append(OneOf(candidates, maybe_none))

    def offer(self, session, delivery):
        if delivery.qos == 0:
            if session.connection:
                session.connection.flow.append(delivery)
        elif session.connection and not session.queue and self.can_send(session):
            self.send(session, delivery)
        else:
            session.queue.append(delivery)

    # The window

    def quota(self, session):
        return min(self.choices.inflight, session.connection.receive_maximum)

    def can_send(self, session):
        quota = self.quota(session)
        return (
            not any(entry.unsent for entry in session.inflight) and session.unfinished < quota
            and len(session.inflight) < max(quota * self.choices.span, self.choices.span_least))

    def send(self, session, delivery):
        delivery.stage = "sent"
        session.inflight.append(delivery)
        session.connection.flow.append(delivery)

    def pump(self, session):
        connection = session.connection
        if not connection:
            return
        for entry in session.inflight:
            unsent = sum(each.unsent for each in session.inflight)
            if entry.unsent and session.unfinished - unsent >= self.quota(session) and not self.choices.resends_within_window:
                self.note("resends_within_window")
            elif session.unfinished - unsent >= self.quota(session) and entry.stage != "released":
                continue  # PUBREL takes nothing of the quota
            if entry.unsent:
                entry.unsent = False
                entry.duplicate = True
                connection.flow.append(entry)
        if self.can_send(session):
            self.place(session)
        while self.can_send(session) and not session.backlog and session.queue and not self.has_turn(session):
            session.left += 1
            self.send(session, session.queue.pop(0))

    def place(self, session):
        """What is owed on topics of the queue has its place behind all that is there now; what is not there any more is not owed."""
        waiting = {delivery.message.topic for delivery in session.queue}
        owed, session.backlog = [each for each in session.backlog if self.is_owed(session, each)], []
        for each in owed:
            if each.topic in waiting:
                each.message, each.behind = self.retained[each.topic], session.left + len(session.queue)
                session.placed.append(each)
            else:
                session.backlog.append(each)

    def is_owed(self, session, owed):
        """Whether the topic still has a message, and not the client's own where it wants none of these."""
        return owed.topic in self.retained and self.wants(session, owed.message or self.retained[owed.topic], owed.wanted.values())

    def wants(self, session, message, subscriptions):
        if message.publisher != session.name or not all(each.options & NO_LOCAL for each in subscriptions):
            return True
        if not self.choices.no_local_of_retained:
            self.note("no_local_of_retained")
        return not self.choices.no_local_of_retained

    def has_turn(self, session):
        """Retained messages whose places in the queue come now."""
        session.placed = [each for each in session.placed if self.is_owed(session, each)]
        first = session.left if session.queue else max(session.left, min((each.behind for each in session.placed), default=0))
        return [each for each in session.placed if each.behind <= first]

    def owed_now(self, session):
        """Retained messages of which the next one must come; the order among them is the broker's choice."""
        return (session.backlog or self.has_turn(session)) if self.can_send(session) else []

    def retained_came(self, session, is_it):
        """A retained message that came for a new subscription, if it is owed."""
        for owed in self.owed_now(session):
            delivery = self.delivery(owed.message or self.retained[owed.topic], list(owed.wanted.values()), retain=True)
            if is_it(delivery):
                (session.backlog if owed in session.backlog else session.placed).remove(owed)
                if delivery.qos:
                    delivery.stage = "sent"
                    session.inflight.append(delivery)
                self.pump(session)
                return delivery
        return None

    def acknowledge(self, connection, delivery, refuses=False):
        """PUBACK, PUBREC or PUBCOMP, whichever is next; answers its name, and whether it refuses."""
        session = connection.session
        if delivery.qos == 1:
            kind = "PUBACK"
            self.finish(session, delivery)
        elif delivery.stage == "sent":
            kind = "PUBREC"
            if refuses and not self.choices.refusal_frees_window:
                self.note("refusal_frees_window")
                refuses = False
            if refuses:
                self.finish(session, delivery)
            else:
                delivery.stage = "released"
                connection.answers.append({"kind": "PUBREL", "packet_id": delivery.packet_id, "code": SUCCESS})
        else:
            kind = "PUBCOMP"
            self.finish(session, delivery)
        return kind, refuses and kind != "PUBCOMP"

    def finish(self, session, delivery):
        delivery.stage = "finished"
        while session.inflight and session.inflight[0].stage == "finished":
            session.inflight.pop(0)
        self.pump(session)

    # Subscribing

    def subscribe(self, connection, packet_id, requests, identifier):
        session = connection.session
        codes, wanted = [], []
        for pattern, options in requests:
            is_new = pattern not in session.subscriptions
            kept = NO_LOCAL | AS_PUBLISHED
            if not is_new and not self.choices.resubscribing_replaces and (session.subscriptions[pattern].options ^ options) & kept:
                self.note("resubscribing_replaces")
                options = options & ~kept | session.subscriptions[pattern].options & kept
            subscription = session.subscriptions[pattern] = Subscription(options, identifier)
            codes.append(options & QOS)
            handling = options >> 4 & 3
            if split(pattern)[0] and self.choices.shared_gets_no_retained:
                continue
            if split(pattern)[0]:
                self.note("shared_gets_no_retained")
            if handling == 0 or handling == 1 and is_new:
                wanted.append((pattern, subscription))
            elif self.choices.retained_waits_for_window:  # what is still owed comes by the new subscription
                wanted = [(each, subscription if each == pattern else asked) for each, asked in wanted]
                for owed in session.backlog + session.placed:
                    if pattern in owed.wanted:
                        owed.wanted[pattern] = subscription
        connection.answers.append({"kind": "SUBACK", "packet_id": packet_id, "codes": codes})
        for pattern, subscription in wanted:
            self.owe_retained(session, pattern, subscription)
        self.pump(session)

    def owe_retained(self, session, pattern, subscription):
        topics = [topic for topic in self.retained if topic_matches(topic, split(pattern)[1])]
        if not self.choices.retained_waits_for_window:
            for topic in topics:
                if self.wants(session, self.retained[topic], [subscription]):
                    self.offer(session, self.delivery(self.retained[topic], [subscription], retain=True))
            return
        # Each filter gets its own copies; one that asks again begins anew.
        session.backlog, session.placed = (
            [owed for owed in each if pattern not in owed.wanted] for each in (session.backlog, session.placed))
        session.backlog += [Owed(topic, {pattern: subscription}) for topic in topics]

    def unsubscribe(self, connection, packet_id, patterns):
        codes = []
        for pattern in patterns:
            codes.append(SUCCESS if connection.session.subscriptions.pop(pattern, None) else NO_SUBSCRIPTION)
            session = connection.session  # what it asked for is given up with it
            session.backlog, session.placed = (
                [owed for owed in each if pattern not in owed.wanted] for each in (session.backlog, session.placed))
        connection.answers.append({"kind": "UNSUBACK", "packet_id": packet_id, "codes": codes if connection.version == 5 else []})
