"""Opens sockets that never become clients, and tells how they ended. A process of its own, for its open files.

Arguments: port, number of sockets, and a kind: `silent` sends nothing; `drip` sends one byte of a CONNECT each second;
`almost` sends all of a CONNECT of 64 KiB but its last byte; `huge` declares 256 MiB. Prints `open` when all are, and at the end
how many the broker closed, and the seconds of the shortest and the longest life.
"""

import errno
import json
import selectors
import socket
import sys
import time

CONNECT = bytes([0x10, 0xFC, 0xFF, 0x03]) + b"\x00\x04MQTT\x04\x02\x00\x3c" + bytes(65_522)
FIRST = {"silent": b"", "drip": b"", "almost": CONNECT[:-1], "huge": b"\x10\xff\xff\xff\x7f"}
LIFE_SECONDS_MAX = 120


class Hostile:
    def __init__(self, port, kind):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.left = FIRST[kind]
        self.dripped = 0
        self.ended = None
        self.begun = time.monotonic()
        self.socket.connect_ex(("127.0.0.1", port))


def main(port, count, kind):
    selector = selectors.DefaultSelector()
    everyone = []
    alive = count
    for number in range(1, count + 1):
        hostile = Hostile(port, kind)
        everyone.append(hostile)
        selector.register(hostile.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, hostile)
        if number % 50 == 0:
            # Faster, and the kernel's queue for accept overflows: it then drops connections that their clients take for open.
            alive -= turn(selector, 0)
            time.sleep(0.05)
    opened = False
    next_drip = time.monotonic() + 1
    while alive and time.monotonic() < everyone[0].begun + LIFE_SECONDS_MAX:
        alive -= turn(selector, 0.05)
        if not opened and not any(key.events & selectors.EVENT_WRITE for key in selector.get_map().values()):
            opened = True
            print("open", flush=True)
        if kind == "drip" and time.monotonic() >= next_drip:
            next_drip += 1
            alive -= sum(drip(selector, hostile) for hostile in everyone if hostile.ended is None)
    if not opened:
        print("open", flush=True)
    lives = [hostile.ended - hostile.begun for hostile in everyone if hostile.ended is not None]
    print(json.dumps({"kind": kind, "closed": len(lives), "shortest": min(lives, default=0), "longest": max(lives, default=0)}))


def turn(selector, seconds):
    """Writes what can be written; answers how many the broker has closed."""
    ended = 0
    for key, events in selector.select(seconds):
        hostile = key.data
        try:
            if events & selectors.EVENT_WRITE:
                if hostile.left:
                    hostile.left = hostile.left[hostile.socket.send(hostile.left):]
                if not hostile.left:
                    selector.modify(hostile.socket, selectors.EVENT_READ, hostile)
            if events & selectors.EVENT_READ and not hostile.socket.recv(64):
                ended += end(selector, hostile)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in (errno.ENOTCONN, errno.EINPROGRESS):
                continue
            ended += end(selector, hostile)
    return ended


def drip(selector, hostile):
    try:
        hostile.dripped += hostile.socket.send(CONNECT[hostile.dripped:hostile.dripped + 1])
    except BlockingIOError:
        pass
    except OSError:
        return end(selector, hostile)
    return 0


def end(selector, hostile):
    if hostile.ended is not None:
        return 0
    hostile.ended = time.monotonic()
    selector.unregister(hostile.socket)
    hostile.socket.close()
    return 1


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
