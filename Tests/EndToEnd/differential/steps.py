"""What the clients do next: at random, mostly valid, and chosen by what the model of Crema says is under way."""

from .side import MALFORMED, outstanding
from .states import AS_PUBLISHED, FOREVER, NO_LOCAL

TOPICS = ("a", "b", "a/b", "a/", "c/d/e")
FILTERS = ("a", "b", "a/b", "+", "a/+", "a/#", "#", "+/b", "c/+/e", "+/d/#")
SHARED = ("$share/g/a", "$share/g/#", "$share/h/a", "$share/g/+")
PROPERTIES = (
    (("content_type", "text/plain"),), (("user", ("k", "1")), ("user", ("j", "2")), ("user", ("k", "1"))),
    (("response_topic", "answer"), ("correlation_data", "7")), (("payload_format", 1),),
)
# How often each is done, while the client is connected.
WEIGHTS = {
    "publish": 34, "acknowledge": 24, "subscribe": 12, "release": 8, "unsubscribe": 4, "disconnect": 3, "lose": 4, "again": 2,
    "connect": 2, "malformed": 1,
}


class Steps:
    def __init__(self, random, model):
        self.random, self.model = random, model
        self.clients = [f"c{number}" for number in range(random.randint(2, 4))]
        # Half of the worlds have one version only.
        self.versions = random.choice(((4,), (5,), (4, 5), (4, 5)))
        self.packet_ids = dict.fromkeys(self.clients, 0)
        self.payloads = 0

    def next(self):
        random = self.random
        client = random.choice(self.clients)
        session = self.model.sessions.get(client)
        if not session or not session.connection:
            return self.connect(client)
        names = list(WEIGHTS)
        while True:
            name = random.choices(names, [WEIGHTS[name] for name in names])[0]
            if name in ("connect", "lose", "malformed", "disconnect") and not self.may_end(session):
                continue
            step = getattr(self, name)(client, session) if name != "connect" else self.connect(client)
            if step:
                return {"do": name, "client": client, **step}

    def connect(self, client):
        random = self.random
        version, clean = random.choice(self.versions), random.random() < 0.35
        expiry = (0 if clean else FOREVER) if version == 4 else random.choice((0, 3_600, 3_600))
        will = None
        if random.random() < 0.4:
            will = self.message()
            will["expiry"] = None
            if version == 4:
                will["props"] = ()
        few = random.choice((0, 0, 1, 2, 3))
        return {
            "do": "connect", "client": client, "version": version, "clean": clean, "expiry": expiry, "will": will,
            "receive_maximum": few, "topic_alias_maximum": random.choice((0, 0, 2))}

    def message(self):
        random = self.random
        self.payloads += 1
        retain = random.random() < 0.25
        topic = random.choice(TOPICS)
        clears = retain and random.random() < 0.3 and topic not in self.owed()
        return {
            "topic": topic, "payload": "" if clears else f"m{self.payloads}",
            "qos": random.choice((0, 1, 1, 2, 2)), "retain": retain, "props": random.choice(PROPERTIES) if random.random() < 0.3 else (),
            "expiry": random.choice((None, None, 9_000))}

    def owed(self):
        """Topics of retained messages that somebody waits for: when one that was cleared meanwhile is owed no more, nobody can see."""
        return {owed.topic.split("/", 1)[1] for session in self.model.sessions.values() for owed in session.backlog + session.placed}

    def may_end(self, session):
        will = session.connection.will
        return not will or will.payload or not will.retain or will.topic.split("/", 1)[1] not in self.owed()

    def packet_id(self, client, session):
        used = set(session.incoming)
        while True:
            self.packet_ids[client] = self.packet_ids[client] % 65_535 + 1
            if self.packet_ids[client] not in used:
                return self.packet_ids[client]

    def publish(self, client, session):
        if len(session.incoming) > 8:
            return None
        return {**self.message(), "packet_id": self.packet_id(client, session), "alias": self.random.choice((0, 0, 1, 2, 3))}

    def again(self, client, session):
        return {"packet_id": self.random.choice(list(session.incoming))} if session.incoming else None

    def release(self, client, session):
        if session.incoming and self.random.random() < 0.95:
            return {"packet_id": self.random.choice(list(session.incoming))}
        return {"packet_id": self.packet_id(client, session)} if self.random.random() < 0.05 else None

    def acknowledge(self, client, session):
        waiting = outstanding(session)
        if not waiting:
            return None
        chosen = waiting[0] if self.random.random() < 0.6 else self.random.choice(waiting)
        return {"payload": chosen.message.payload.decode(), "refuses": self.random.random() < 0.05}

    def subscribe(self, client, session):
        random = self.random
        requests = []
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            if random.random() < 0.15 and session.connection.version == 5:
                requests.append((random.choice(SHARED), 0))
                continue
            options = random.choice((0, 1, 2, 2))
            options |= random.choice((0, 0, 0, NO_LOCAL)) | random.choice((0, 0, AS_PUBLISHED)) | random.choice((0, 0, 0x10, 0x20))
            requests.append((random.choice(FILTERS), options))
        return {
            "packet_id": self.packet_id(client, session), "requests": requests,
            "identifier": random.choice((0, 0, 1, 2, 200, 268_435_455))}

    def unsubscribe(self, client, session):
        return {
            "packet_id": self.packet_id(client, session),
            "filters": [self.random.choice(FILTERS + SHARED[:2]) for _ in range(self.random.choice((1, 1, 2)))]}

    def disconnect(self, client, session):
        return {"code": self.random.choice((0, 0, 4)), "expiry": self.random.choice((None, None, None, 0, 3_600))}

    def lose(self, client, session):
        return {"reason": "lost"}

    def malformed(self, client, session):
        return {"name": self.random.choice(list(MALFORMED))}
