"""What a model of a broker remembers: its choices, messages, deliveries, connections, sessions."""

import dataclasses

QOS, NO_LOCAL, AS_PUBLISHED = 0x03, 0x04, 0x08
SUCCESS, NO_SUBSCRIBERS, NO_SUBSCRIPTION, IDENTIFIER_NOT_FOUND = 0, 0x10, 0x11, 0x92
FOREVER = 0xFFFFFFFF


@dataclasses.dataclass(frozen=True)
class Choices:
    """What a broker may choose; the defaults are Crema's."""

    inflight: int = 5
    # Finished messages may lie behind an unfinished one up to this multiple of the window, and at least so many.
    span: int = 8
    span_least: int = 512
    one_copy: bool = True
    qos2_at_pubrel: bool = False
    will_at_takeover: bool = True
    tells_no_subscribers: bool = True
    tells_unknown_identifier: bool = True
    shared_prefers_connected: bool = True
    retained_waits_for_window: bool = True
    resends_within_window: bool = True
    shared_gets_no_retained: bool = True
    no_local_of_retained: bool = True
    keeps_to_window: bool = True
    resubscribing_replaces: bool = True
    second_connect_keeps: bool = True
    will_spares_connection: bool = True
    takes_duplicates: bool = True
    refusal_frees_window: bool = True
    # A subscription that ended a moment ago may still count elsewhere in the broker.
    forgets_at_once: bool = True
    tolerates: frozenset = frozenset()


def topic_matches(topic, pattern):
    names, levels = topic.split("/"), pattern.split("/")
    for place, level in enumerate(levels):
        if level == "#":
            return True
        if place >= len(names) or level not in ("+", names[place]):
            return False
    return len(names) == len(levels)


@dataclasses.dataclass(eq=False)
class Message:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    props: tuple = ()
    expiry: int | None = None
    publisher: str | None = None


@dataclasses.dataclass(eq=False)
class Delivery:
    message: Message
    qos: int
    retain: bool
    identifiers: tuple = ()
    # What was made by one step may come in any order.
    batch: int = 0
    packet_id: int | None = None
    version: int = 5  # of the connection that got it first
    stage: str = "new"  # then sent, released (PUBREC has come), finished
    unsent: bool = False  # since the client came back
    duplicate: bool = False


@dataclasses.dataclass(eq=False)
class OneOf:
    """A delivery to one of several connections: the broker chooses."""

    candidates: list  # of (connection, delivery)
    maybe_none: bool
    chosen: object = None

    def delivery(self, connection):
        return next((delivery for each, delivery in self.candidates if each is connection), None)


@dataclasses.dataclass(eq=False)
class Owed:
    """The retained message of a topic, for new subscriptions."""

    topic: str
    wanted: dict  # of pattern: subscription
    # Where it has a place in the queue: the message at that time, and how many others leave before it.
    message: Message | None = None
    behind: int = 0

    @property
    def qos(self):
        return max(each.qos for each in self.wanted.values())


@dataclasses.dataclass
class Subscription:
    options: int
    identifier: int

    @property
    def qos(self):
        return self.options & QOS


class Connection:
    """One connection of a client, and what it must get in this step."""

    def __init__(self, version, session, will, receive_maximum):
        self.version, self.session, self.will, self.receive_maximum = version, session, will, receive_maximum
        self.aliases = {}
        self.first, self.answers, self.flow = None, [], []
        self.end = None  # "closed" once the broker must close; "told" if it says why before


class Session:
    def __init__(self, name):
        self.name = name
        self.expiry = 0
        self.subscriptions = {}
        self.inflight, self.queue = [], []
        # Retained messages that are owed: before the queue, or in places of it because it held messages on their topics.
        self.backlog, self.placed = [], []
        self.left = 0  # messages that left the queue
        self.incoming = {}  # QoS 2 packet identifiers that wait for PUBREL
        self.connection = None

    @property
    def unfinished(self):
        return sum(entry.stage != "finished" for entry in self.inflight)


def split(pattern):
    """The share name, if there is one, and the filter."""
    if pattern.startswith("$share/"):
        _, share, own = pattern.split("/", 2)
        return share, own
    return None, pattern
