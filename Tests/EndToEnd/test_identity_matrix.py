"""Who is let in where: every transport with every kind of wrong credential, and with the right one beside it.

A new kind of credential adds a row to `CREDENTIALS`, a new transport a column to `TRANSPORTS`; each cell of `EXPECTED` says what comes of it.
"""

import base64
import contextlib
import json
import os
import socket
import ssl
import unittest
import urllib.error
import urllib.request

import wire
from broker import CREMA, WAIT_SECONDS, Broker, run

IN, TLS, REFUSED = "let in", "TLS alert", "CONNACK: not authorized"
# Where users have passwords (the listener of TCP has a file of them), a name without the right one is told so.
BAD_PASSWORD = "CONNACK: bad user name or password"
# What a transport without encryption cannot carry.
NOT_CARRIED = None

TRANSPORTS = ("tcp", "tls", "ws", "wss", "http-ws", "http")
CERTIFICATES = ("right", "none", "wrong purpose", "expired", "revoked", "foreign")
# Of transports that carry no certificate: a name and a password that nobody has checked.
NAMES = ("none", "unproved name")

EXPECTED = {
    **{(transport, "right"): IN for transport in ("tls", "wss")},
    **{(transport, credential): TLS for transport in ("tls", "wss") for credential in CERTIFICATES if credential != "right"},
    **{(transport, "unproved name"): TLS for transport in ("tls", "wss")},
    **{(transport, credential): REFUSED for transport in ("tcp", "ws", "http-ws") for credential in NAMES},
    ("tcp", "unproved name"): BAD_PASSWORD,
    **{("http", credential): "HTTP 403" for credential in NAMES},
    **{(transport, credential): NOT_CARRIED for transport in ("tcp", "ws", "http-ws", "http")
       for credential in CERTIFICATES if credential != "none"},
}


class IdentityMatrixTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.end)
        folder = cls.broker.certificates
        cls.pairs = {"right": cls.issue("right", folder), "revoked": cls.issue("revoked", folder), "none": None, "unproved name": None,
                     "wrong purpose": (folder / "server.crt", folder / "server.key")}
        run(CREMA, "certs", "revoke", "revoked", "--directory", str(folder))
        other = cls.broker.folder / "other"
        run(CREMA, "certs", "init", "--directory", str(other))
        cls.pairs["foreign"] = cls.issue("right", other)
        cls.pairs["expired"] = cls.expired(folder)
        listeners = json.loads(cls.broker.configuration.read_text())["listeners"]
        for listener in listeners:
            if listener["protocol"] != "admin":
                listener["anonymous"] = False
            if "clientCA" in listener:
                listener["crl"] = "certs/ca.crl"
        cls.broker.configure(listeners=listeners)
        cls.broker.kill()
        cls.broker.start()
        cls.broker.wait_until_ready()

    @staticmethod
    def issue(name, folder):
        run(CREMA, "certs", "issue", name, "--directory", str(folder))
        return folder / "clients" / f"{name}.crt", folder / "clients" / f"{name}.key"

    @classmethod
    def expired(cls, authority):
        folder = cls.broker.folder / "expired"
        folder.mkdir()
        (folder / "extensions").write_text("subjectAltName=URI:urn:crema:thing:right\nextendedKeyUsage=clientAuth\n")
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=right",
            "-keyout", str(folder / "key"), "-out", str(folder / "request"))
        run("openssl", "x509", "-req", "-in", str(folder / "request"), "-CA", str(authority / "ca.crt"), "-CAkey", str(authority / "ca.key"),
            "-CAserial", str(folder / "serial"), "-CAcreateserial", "-days", "-1", "-extfile", str(folder / "extensions"),
            "-out", str(folder / "certificate"))
        return folder / "certificate", folder / "key"

    def attempt(self, transport, credential):
        """Tries to get in; answers what came of it."""
        if transport == "http":
            return self.request(credential)
        broker = self.broker
        port = {"tcp": broker.scram, "tls": broker.mqtts, "ws": broker.ws, "wss": broker.wss, "http-ws": broker.http}[transport]
        try:
            with contextlib.ExitStack() as stack:
                stream = stack.enter_context(socket.create_connection(("localhost", port), WAIT_SECONDS))
                if transport in ("tls", "wss"):
                    context = ssl.create_default_context(cafile=str(broker.certificates / "ca.crt"))
                    if self.pairs[credential]:
                        context.load_cert_chain(*map(str, self.pairs[credential]))
                    stream = stack.enter_context(context.wrap_socket(stream, server_hostname="localhost"))
                name = {"user": "right", "password": "password"} if credential == "unproved name" else {}
                connect = wire.connect("probe", **name)
                if transport in ("ws", "wss", "http-ws"):
                    self.upgrade(stream, "/broker" if transport == "wss" else "/mqtt")
                    connect = b"\x82" + bytes([0x80 | len(connect)]) + b"\0\0\0\0" + connect
                stream.sendall(connect)
                answer = stream.recv(64)
                if transport in ("ws", "wss", "http-ws"):
                    answer = answer[2:]
                return {b"\x20\x02\x00\x00": IN, b"\x20\x02\x00\x05": REFUSED, b"\x20\x02\x00\x04": BAD_PASSWORD}.get(answer[:4], f"answered {answer!r}")
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
            return TLS if transport in ("tls", "wss") else repr(error)

    @staticmethod
    def upgrade(stream, path):
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = stream.recv(4_096)
            if not piece:
                raise ConnectionResetError
            answer += piece
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def request(self, credential):
        headers = {"X-Amz-Target": "AWSEvents.ListEventBuses", "Content-Type": "application/x-amz-json-1.1"}
        if credential != "none":
            headers["Authorization"] = "Basic " + base64.b64encode(b"right:password").decode()
        request = urllib.request.Request(self.broker.url + "/", data=b"{}", headers=headers)
        try:
            return f"HTTP {urllib.request.urlopen(request, timeout=WAIT_SECONDS).status}"
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"

    def test_each_cell(self):
        """Threat 14: on no transport does a wrong credential do what it does not do on the others."""
        credentials = list(dict.fromkeys(CERTIFICATES + NAMES))
        for transport in TRANSPORTS:
            for credential in credentials:
                expected = EXPECTED[transport, credential]
                if expected is not NOT_CARRIED:
                    with self.subTest(transport=transport, credential=credential):
                        self.assertEqual(self.attempt(transport, credential), expected)

    def test_the_log_says_why(self):
        for credential, reason in (("none", "sent no certificate"), ("wrong purpose", "does not allow this purpose"),
                                   ("expired", "expired on"), ("revoked", "it is revoked"), ("foreign", "not trusted here")):
            with self.subTest(credential=credential):
                self.attempt("tls", credential)
                self.broker.wait_for_log("TLS handshake failed", reason)


if __name__ == "__main__":
    unittest.main()
