"""Connections to a broker as bytes: over TCP, TLS or WebSocket, with the same face."""

import base64
import os
import select
import socket
import ssl
import time

import wire


class Closed(Exception):
    """The broker has closed the connection."""


class Link:
    """Bytes over TCP. What cannot be written any more is forgotten, because what the broker said before it closed is to be read."""

    def __init__(self, port, seconds=15):
        self.seconds = seconds
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = bytearray()
        self.is_closed = False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def _receive(self):
        """More bytes as they come; b"" at the end. Raises TimeoutError after the socket's time."""
        try:
            return self.socket.recv(65_536)
        except TimeoutError:
            raise
        except OSError:
            return b""

    def read(self, seconds=None):
        """The next packet; raises TimeoutError when there is none in time, and Closed when none will come."""
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            end = wire.frame_end(self.unread)
            if end is not None:
                frame = bytes(self.unread[:end])
                del self.unread[:end]
                return frame
            if self.is_closed:
                raise Closed(f"closed with {len(self.unread)} bytes left" if self.unread else "closed")
            left = deadline - time.monotonic()
            if left <= 0 and not select.select([self.socket], [], [], 0)[0]:
                raise TimeoutError("nothing came")
            self.socket.settimeout(max(left, 0.001))
            data = self._receive()
            if data == b"":
                self.is_closed = True
            elif data:
                self.unread += data
            self.socket.settimeout(self.seconds)

    def finish(self):
        """Nothing more will be sent: the broker closes the connection when it has seen that."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """Without a goodbye."""
        self.is_closed = True
        self.socket.close()


class TLSLink(Link):
    """TLS apart from the socket: an error in writing leaves what came before readable."""

    def __init__(self, port, context, seconds=15):
        super().__init__(port, seconds)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                self._take()

    def _flush(self):
        super().send(self.outgoing.read())

    def _take(self):
        data = super()._receive()
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def send(self, data):
        self.tls.write(data)
        self._flush()

    def _receive(self):
        try:
            return self.tls.read(65_536)
        except ssl.SSLWantReadError:
            self._take()
        except ssl.SSLError:
            return b""
        try:
            return self.tls.read(65_536)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError:
            return b""


class WebSocketLink(Link):
    """MQTT over WebSocket: each sending is one binary frame."""

    BINARY, CLOSE, PING, PONG = 2, 8, 9, 10

    def __init__(self, port, seconds=15, path="/mqtt"):
        super().__init__(port, seconds)
        self.frames = bytearray()
        key = base64.b64encode(os.urandom(16)).decode()
        super().send((
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.frames:
            data = super()._receive()
            assert data, f"no answer to the upgrade: {bytes(self.frames)}"
            self.frames += data
        head, _, rest = bytes(self.frames).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ") and b"sec-websocket-protocol: mqtt" in head.lower(), head
        self.frames = bytearray(rest)

    def send(self, data, opcode=BINARY):
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = bytes([0x80 | opcode, 0x80 | size])
        elif size < 65_536:
            head = bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 0xFF]) + size.to_bytes(8, "big")
        masked = int.from_bytes(data, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        super().send(head + mask + masked.to_bytes(size, "big"))

    def _receive(self):
        found = self._content()
        if found is None:
            data = super()._receive()
            if data == b"":
                return b""
            self.frames += data
            found = self._content()
        return found

    def _content(self):
        """What the binary frames that are all there hold; b"" for a close, and `None` when there is nothing yet."""
        content = None
        while len(self.frames) >= 2:
            start = {126: 4, 127: 10}.get(self.frames[1], 2)
            size = self.frames[1] if start == 2 else int.from_bytes(self.frames[2:start], "big")
            if len(self.frames) < start + size:
                break
            opcode, payload = self.frames[0] & 15, bytes(self.frames[start:start + size])
            if opcode == self.CLOSE and content is not None:
                break  # after what came before
            del self.frames[:start + size]
            if opcode == self.CLOSE:
                return b""
            if opcode == self.PING:
                self.send(payload, self.PONG)
            elif payload:
                content = (content or b"") + payload
        return content
