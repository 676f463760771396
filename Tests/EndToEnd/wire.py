"""The packets of MQTT 3.1.1 and MQTT 5 as bytes, written without Crema's codec: what it gets wrong must not be wrong here as well."""

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(10, 16)

# The properties: identifier, and how the value is written. MQTT 5, table 2-4.
PROPERTIES = {
    "payload_format": (0x01, "byte"), "message_expiry": (0x02, "four"), "content_type": (0x03, "text"),
    "response_topic": (0x08, "text"), "correlation_data": (0x09, "text"), "subscription_identifier": (0x0B, "variable"),
    "session_expiry": (0x11, "four"), "assigned_client_identifier": (0x12, "text"), "server_keep_alive": (0x13, "two"),
    "authentication_method": (0x15, "text"), "authentication_data": (0x16, "text"), "request_problem_information": (0x17, "byte"),
    "will_delay": (0x18, "four"), "request_response_information": (0x19, "byte"), "response_information": (0x1A, "text"),
    "server_reference": (0x1C, "text"), "reason_string": (0x1F, "text"), "receive_maximum": (0x21, "two"),
    "topic_alias_maximum": (0x22, "two"), "topic_alias": (0x23, "two"), "maximum_qos": (0x24, "byte"), "retain_available": (0x25, "byte"),
    "user": (0x26, "pair"), "maximum_packet_size": (0x27, "four"), "wildcards_available": (0x28, "byte"),
    "identifiers_available": (0x29, "byte"), "shared_available": (0x2A, "byte"),
}
NAMES = {identifier: (name, form) for name, (identifier, form) in PROPERTIES.items()}


def variable(number):
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def two(number):
    return number.to_bytes(2, "big")


def text(value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return two(len(value)) + value


def properties(values):
    """Pairs of name and value, or a dictionary; a name may come more than once."""
    out = b""
    for name, value in values.items() if isinstance(values, dict) else values or ():
        identifier, form = PROPERTIES[name]
        out += bytes([identifier])
        if form == "pair":
            out += text(value[0]) + text(value[1])
        else:
            out += {
                "byte": lambda v: bytes([v]), "two": two, "four": lambda v: v.to_bytes(4, "big"), "variable": variable, "text": text,
            }[form](value)
    return variable(len(out)) + out


def packet(first, body):
    return bytes([first]) + variable(len(body)) + body


def connect(client, version=4, clean=True, keep_alive=60, will=None, user=None, password=None, props=None, flags=None):
    """`will` is a dictionary with topic, payload, qos, retain and, in MQTT 5, props."""
    bits = 0x02 if clean else 0
    payload = text(client)
    if will:
        bits |= 0x04 | will.get("qos", 0) << 3 | (0x20 if will.get("retain") else 0)
        payload += (properties(will.get("props")) if version == 5 else b"") + text(will["topic"]) + text(will["payload"])
    if user is not None:
        bits |= 0x80
        payload += text(user)
    if password is not None:
        bits |= 0x40
        payload += text(password)
    head = text("MQTT") + bytes([version, bits if flags is None else flags]) + two(keep_alive)
    return packet(0x10, head + (properties(props) if version == 5 else b"") + payload)


def publish(topic, payload, qos=0, packet_id=0, retain=False, duplicate=False, version=4, props=None):
    body = text(topic) + (two(packet_id) if qos else b"") + (properties(props) if version == 5 else b"")
    body += payload.encode() if isinstance(payload, str) else payload
    return packet(0x30 | (8 if duplicate else 0) | qos << 1 | (1 if retain else 0), body)


def acknowledgement(kind, packet_id, code=0, props=None):
    """PUBACK, PUBREC, PUBREL or PUBCOMP in their shortest form."""
    body = two(packet_id)
    if code or props:
        body += bytes([code]) + (properties(props) if props else b"")
    return packet(kind << 4 | (2 if kind == PUBREL else 0), body)


def subscribe(packet_id, requests, version=4, props=None):
    """`requests` are pairs of a filter and its options byte."""
    body = two(packet_id) + (properties(props) if version == 5 else b"")
    return packet(0x82, body + b"".join(text(name) + bytes([options]) for name, options in requests))


def unsubscribe(packet_id, filters, version=4, props=None):
    return packet(0xA2, two(packet_id) + (properties(props) if version == 5 else b"") + b"".join(text(name) for name in filters))


def disconnect(version=4, code=0, props=None):
    if version == 4 or (not code and not props):
        return packet(0xE0, b"")
    return packet(0xE0, bytes([code]) + (properties(props) if props else b""))


PING, PONG = b"\xc0\x00", b"\xd0\x00"


def frame_end(buffer, start=0):
    """Where the packet that begins at `start` ends; `None` while it is not all there."""
    length = 0
    for place in range(1, 5):
        if start + place >= len(buffer):
            return None
        length |= (buffer[start + place] & 0x7F) << 7 * (place - 1)
        if buffer[start + place] < 0x80:
            end = start + place + 1 + length
            return end if len(buffer) >= end else None
    raise AssertionError(f"a remaining length of more than four bytes: {bytes(buffer[start:start + 8]).hex(' ')}")


class Reader:
    """Fields from a packet's body, one after another."""

    def __init__(self, body):
        self.body, self.place = body, 0

    def take(self, count):
        piece = self.body[self.place:self.place + count]
        assert len(piece) == count, f"a packet ends too early: {self.body.hex(' ')}"
        self.place += count
        return bytes(piece)

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def text(self):
        return self.take(self.number(2))

    def variable(self):
        result, shift = 0, 0
        while True:
            byte = self.number(1)
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def rest(self):
        return self.take(len(self.body) - self.place)

    def properties(self):
        """A list of pairs, in their order."""
        end = self.variable() + self.place
        found = []
        while self.place < end:
            name, form = NAMES[self.number(1)]
            value = {
                "byte": lambda: self.number(1), "two": lambda: self.number(2), "four": lambda: self.number(4), "variable": self.variable,
                "text": self.text, "pair": lambda: (self.text(), self.text()),
            }[form]()
            found.append((name, value))
        assert self.place == end, f"properties end elsewhere than they say: {self.body.hex(' ')}"
        return found


def decode(frame, version):
    """What a server sends, as a dictionary."""
    kind, flags = frame[0] >> 4, frame[0] & 15
    start = 1
    while frame[start] >= 0x80:
        start += 1
    read = Reader(frame[start + 1:])
    found = {"kind": kind}
    if kind == PUBLISH:
        found.update(duplicate=bool(flags & 8), qos=flags >> 1 & 3, retain=bool(flags & 1), topic=read.text().decode())
        found["packet_id"] = read.number(2) if found["qos"] else 0
        found["props"] = read.properties() if version == 5 else []
        found["payload"] = read.rest()
    elif kind == CONNACK:
        found.update(present=read.number(1), code=read.number(1), props=read.properties() if version == 5 else [])
    elif kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        assert flags == (2 if kind == PUBREL else 0), f"reserved flags: {frame.hex(' ')}"
        found["packet_id"] = read.number(2)
        found["code"] = read.number(1) if version == 5 and read.place < len(read.body) else 0
        found["props"] = read.properties() if version == 5 and read.place < len(read.body) else []
    elif kind in (SUBACK, UNSUBACK):
        found["packet_id"] = read.number(2)
        found["props"] = read.properties() if version == 5 else []
        found["codes"] = list(read.rest())
    elif kind == DISCONNECT:
        found["code"] = read.number(1) if read.body else 0
        found["props"] = read.properties() if read.place < len(read.body) else []
    elif kind == AUTH:
        found["code"] = read.number(1) if read.body else 0
        found["props"] = read.properties() if read.place < len(read.body) else []
    assert read.place == len(read.body), f"bytes after the last field: {frame.hex(' ')}"
    return found
