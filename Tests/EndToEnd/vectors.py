"""Plays the conversations of Tests/WireVectors against a broker over real connections.

A vector is data: bytes that clients send, and bytes that they must get. Its shape is described in Tests/WireVectors/README.md.
"""

import json
import pathlib
import re
import time

import wire
from links import Closed

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "WireVectors"
# Stands in every client identifier and topic of a vector; each play puts four characters of its own there.
TAG = b"tag0"
# Seconds in which what must not come would have come: the broker's event loops hand a message over in much less.
QUIET_SECONDS = 0.03
# Seconds that may pass between a message and its look at the clock on a busy machine.
CLOCK_SECONDS = 10
PINGRESP = "d0 00"


def load():
    """Every vector of every file, in the files' order."""
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        found += json.loads(file.read_text(encoding="utf-8"))
    assert len({vector["id"] for vector in found}) == len(found), "two vectors have the same id"
    return found


def pieces(text):
    """The bytes and the symbols of one expected packet: [bytes or str, …]."""
    out = []
    for token in text.split():
        literal = re.fullmatch(r"([0-9a-f]{2})(?:x(\d+))?", token)
        if not literal:
            out.append(token)
            continue
        data = bytes.fromhex(literal[1]) * int(literal[2] or 1)
        if out and isinstance(out[-1], bytes):
            out[-1] += data
        else:
            out.append(data)
    return out


def hexadecimal(text, tag):
    data = b"".join(pieces(text))
    return data.replace(TAG, tag)


def matches(expected, frame, tag):
    """Whether a packet is the expected one; symbols stand for what the broker is free to choose."""
    read = wire.Reader(frame)
    try:
        for piece in pieces(expected):
            if isinstance(piece, bytes):
                piece = piece.replace(TAG, tag)
                if read.take(len(piece)) != piece:
                    return False
            elif piece == "#":  # a variable byte integer: the length of what follows
                read.variable()
            elif piece == "?":
                read.take(1)
            elif piece == "text":  # with its length; not empty
                if not read.text().decode():
                    return False
            elif piece == "*":
                read.rest()
            elif piece.startswith("<="):  # seconds that are left
                limit = int(piece[2:], 16)
                if not limit - CLOCK_SECONDS <= read.number(4) <= limit:
                    return False
            else:
                raise ValueError(f"{piece} in {expected} is neither a byte nor a symbol")
        return read.place == len(frame)
    except (AssertionError, UnicodeDecodeError):
        return False


class Play:
    """One conversation, on connections of its own."""

    def __init__(self, vector, tag, opening, bytewise=False, coalesced=False):
        """`opening` makes a link. `bytewise` writes each byte alone; `coalesced` writes at once what one connection says until another
        one has its turn, and then reads all that was to come."""
        self.vector, self.tag, self.opening = vector, tag, opening
        self.bytewise, self.coalesced = bytewise, coalesced
        self.steps = list(gathered(vector["steps"]) if coalesced else vector["steps"])
        self.links, self.connected, self.ended, self.packets = {}, set(), set(), 0

    def step(self, step):
        if "wait" in step:
            return time.sleep(step["wait"])
        name = step["on"]
        link = self.links.get(name)
        if link is None:
            link = self.links[name] = self.opening()
        if "send" in step:
            data = hexadecimal(step["send"], self.tag)
            for start in range(len(data) if self.bytewise else 1):
                link.send(data[start:start + 1] if self.bytewise else data)
        elif "expect" in step:
            self.expect(name, link, list(step["expect"]), step.get("anyOrder", False))
        elif step.get("closed"):
            self.expect_end(name, link)
            self.forget(name)
        elif step.get("hangUp"):
            self.hang_up(link)
            self.forget(name)
        else:
            raise ValueError(f"{step} is no step")

    def hang_up(self, link):
        """Until the broker has seen it, too."""
        link.finish()
        try:
            while True:
                link.read()
        except Closed:
            pass

    def forget(self, name):
        self.links[name].close()
        self.ended.add(name)

    def expect(self, name, link, expected, any_order):
        while expected:
            try:
                frame = link.read()
            except (TimeoutError, Closed) as error:
                raise AssertionError(f"{name} waits for {expected[0]}: {error}") from None
            candidates = expected if any_order else expected[:1]
            if self.coalesced and PINGRESP in expected:
                # Asked for before the retained messages were there, whose turn comes later when other clients have many to come.
                candidates = [*candidates, PINGRESP]
            found = next((item for item in candidates if matches(item, frame, self.tag)), None)
            if found is None:
                raise AssertionError(f"{name} got {frame[:200].hex(' ')} and not {' or '.join(candidates)[:800]}")
            expected.remove(found)
            self.packets += 1
            if frame[0] >> 4 == wire.CONNACK:
                self.connected.add(name)

    def expect_end(self, name, link):
        try:
            frame = link.read()
        except Closed as closed:
            if str(closed) != "closed":
                raise AssertionError(f"{name}: {closed}") from None
            return
        except TimeoutError:
            raise AssertionError(f"{name} is still open") from None
        raise AssertionError(f"{name} got {frame[:200].hex(' ')} and not the end of its connection")

    def finish(self):
        """Nothing else has come, nobody else was closed."""
        left = [name for name in self.links if name not in self.ended]
        for name in left:
            try:
                frame = self.links[name].read(QUIET_SECONDS / len(left))
            except TimeoutError:
                if name in self.connected:
                    self.links[name].send(wire.PING)
                    self.expect(name, self.links[name], [PINGRESP], False)
            except Closed:
                raise AssertionError(f"{name} was closed in the end") from None
            else:
                raise AssertionError(f"{name} got {frame[:200].hex(' ')} in the end")

    def close(self):
        for link in self.links.values():
            link.close()


def gathered(steps):
    """What one connection sends and gets until another one has its turn, as one sending and one reading.

    What it gets before it sends anything comes from others, and is read first.
    """
    sent, expected, name, any_order = [], [], None, False

    def turn():
        if sent:
            yield {"on": name, "send": " ".join(sent)}
        if expected:
            yield {"on": name, "expect": list(expected), "anyOrder": any_order}
        sent.clear()
        expected.clear()

    for step in steps:
        if step.get("on") != name or not ("send" in step or "expect" in step):
            yield from turn()
            name, any_order = step.get("on"), False
        if "send" in step:
            if not sent:
                yield from turn()
                any_order = False
            sent.append(step["send"])
        elif "expect" in step:
            expected += step["expect"]
            any_order = any_order or step.get("anyOrder", False)
        else:
            yield step
            name = None
    yield from turn()


def play(*plays):
    """Conversations side by side, step by step; raises AssertionError where a transcript is not the vector's."""
    try:
        for steps in zip(*(each.steps for each in plays), strict=True):
            for each, step in zip(plays, steps):
                try:
                    each.step(step)
                except AssertionError as error:
                    raise AssertionError(f"{each.vector['id']}, after {each.packets} packets: {error}") from None
        for each in plays:
            try:
                each.finish()
            except AssertionError as error:
                raise AssertionError(f"{each.vector['id']}: {error}") from None
    finally:
        for each in plays:
            each.close()
