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
