"""Passwords, tokens and signatures in every state over every transport; `test_identity_matrix.py` has the certificates.

A cell of `EXPECTED` says what comes of one kind of credential, in one state, on a listener that takes that kind and no other.
"""

import base64
import contextlib
import json
import os
import pathlib
import socket
import ssl
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

import wire
from broker import WAIT_SECONDS, Broker, free_port, run
from test_signed_requests import signed
from test_tokens import AUDIENCE, ISSUER, key_set

TEMPLATE = pathlib.Path(__file__).with_name("signed_requests.yaml")
IN, NOT_AUTHORIZED, BAD_PASSWORD = "let in", "CONNACK: not authorized", "CONNACK: bad user name or password"
CODES = {0: IN, 4: BAD_PASSWORD, 5: NOT_AUTHORIZED}
STATES = ("right", "none", "wrong", "expired", "revoked", "foreign")
MQTT = ("tcp", "tls", "ws", "wss", "http-ws")
WEB = ("ws", "wss", "http-ws")
# Nothing in a password says when it ends.
NO_SUCH_STATE = None

EXPECTED = {
    **{("password", transport, state): BAD_PASSWORD for transport in MQTT for state in STATES},
    **{("password", transport, "right"): IN for transport in MQTT},
    **{("password", transport, "none"): NOT_AUTHORIZED for transport in MQTT},
    **{("password", transport, "expired"): NO_SUCH_STATE for transport in (*MQTT, "http")},
    # A request has no place for a password of MQTT, also for a right one.
    **{("password", "http", state): "HTTP 403" for state in STATES if state != "expired"},
    **{("token", transport, state): BAD_PASSWORD for transport in MQTT for state in STATES},
    **{("token", transport, "right"): IN for transport in MQTT},
    **{("token", transport, "none"): NOT_AUTHORIZED for transport in MQTT},
    **{("token", "http", state): "HTTP 401" for state in STATES},
    ("token", "http", "right"): "HTTP 200",
    **{("signature", transport, state): "HTTP 403" for transport in (*WEB, "http") for state in STATES},
    **{("signature", transport, "right"): IN for transport in WEB},
    # Who signs nothing is nobody, and hears of it when MQTT asks.
    **{("signature", transport, "none"): NOT_AUTHORIZED for transport in WEB},
    ("signature", "http", "right"): "HTTP 200",
}
KEYS = {"right": ("AKIDEXAMPLE", "k" * 40), "revoked": ("AKIDREVOKED", "r" * 40)}


class IdentityKindTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("right", "revoked", "foreign")}
        cls.ports = {(kind, transport): free_port() for kind, transport, _ in EXPECTED}
        cls.broker = Broker(TEMPLATE, files={"passwords": "", "keys.json": cls.key_sets("right", "revoked")}, more={
            "policies": [{"principal": "*", "attach": ["Everything"]}],
            "tokens": {"shop": {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"], "keys": "keys.json"}},
            "accessKeys": cls.access_keys("right", "revoked"),
        }, listeners=[cls.listener(kind, transport, port) for (kind, transport), port in cls.ports.items()])
        cls.addClassCleanup(cls.broker.end)

    def setUp(self):
        self.set_users("right", "revoked")

    @classmethod
    def listener(cls, kind, transport, port):
        protocol = {"tcp": "mqtt", "tls": "mqtts", "http-ws": "http"}.get(transport, transport)
        takes = {"password": {"passwords": "passwords"}, "token": {"tokens": ["shop"]}, "signature": {"accessKeys": True}}[kind]
        certificate = {"certificate": "certs/server.crt", "key": "certs/server.key"} if transport in ("tls", "wss") else {}
        return {"protocol": protocol, "bind": f"127.0.0.1:{port}", **takes, **certificate}

    @classmethod
    def key_sets(cls, *names):
        return key_set(**{name: cls.keys[name] for name in names})

    @staticmethod
    def access_keys(*names):
        return [{"id": KEYS[name][0], "secret": KEYS[name][1], "principal": name} for name in names]

    def set_users(self, *names):
        """Whom the broker knows from the next reload on."""
        path = self.broker.folder / "passwords"
        path.write_text("")
        for name in names:
            run("mosquitto_passwd", "-b", str(path), name, "espresso")
        path.chmod(0o600)
        (self.broker.folder / "keys.json").write_text(self.key_sets(*names))
        self.broker.configure(accessKeys=self.access_keys(*names))
        self.broker.reload()

    # MARK: Credentials

    def token(self, state):
        name = state if state in ("revoked", "foreign") else "right"
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "right", "exp": int(time.time()) + (-3600 if state == "expired" else 600)}
        token = jwt.encode(claims, self.keys[name], "ES256", headers={"kid": name if state == "revoked" else "right"})
        if state == "wrong":
            head, _, signature = token.split(".")
            other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "admin"}).encode()).rstrip(b"=").decode()
            token = f"{head}.{other}.{signature}"
        return token

    def signing(self, state):
        key = {"revoked": KEYS["revoked"], "foreign": ("AKIDFOREIGN", KEYS["right"][1]), "wrong": (KEYS["right"][0], "w" * 40)}
        return {"key": key.get(state, KEYS["right"]), "seconds": -3600 if state == "expired" else 0}

    def name_and_password(self, kind, state):
        if kind == "signature" or state == "none":
            return {}
        if kind == "token":
            return {"user": "anybody", "password": self.token(state)}
        return {"user": {"revoked": "revoked", "foreign": "foreign"}.get(state, "right"), "password": "mocha" if state == "wrong" else "espresso"}

    # MARK: Attempts

    def attempt(self, kind, transport, state, secret=None):
        """Tries to get in, by a name and a password of another kind if they are given; answers what came of it."""
        port = self.ports[kind, transport]
        if transport == "http":
            return self.call(kind, port, state)
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(socket.create_connection(("localhost", port), WAIT_SECONDS))
            if transport in ("tls", "wss"):
                context = ssl.create_default_context(cafile=str(self.broker.certificates / "ca.crt"))
                stream = stack.enter_context(context.wrap_socket(stream, server_hostname="localhost"))
            connect = wire.connect("probe", **(secret or self.name_and_password(kind, state)))
            if transport in WEB:
                target = "/mqtt"
                if kind == "signature" and state != "none":
                    url = f"http://localhost:{port}/mqtt"
                    target = signed("GET", url, "iotdevicegateway", presigned=60, **self.signing(state))["target"]
                status = self.upgrade(stream, port, target)
                if status != 101:
                    return f"HTTP {status}"
                length = bytes([0x80 | len(connect)]) if len(connect) < 126 else bytes([0x80 | 126]) + len(connect).to_bytes(2, "big")
                connect = b"\x82" + length + b"\0\0\0\0" + connect
            stream.sendall(connect)
            answer = stream.recv(64)[2 if transport in WEB else 0:]
            return CODES.get(answer[3], f"answered {answer!r}") if answer[:3] == b"\x20\x02\x00" else f"answered {answer!r}"

    @staticmethod
    def upgrade(stream, port, target):
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = stream.recv(1)
            if not piece:
                break
            answer += piece
        return int(answer.split(b" ")[1])

    def call(self, kind, port, state):
        """ListEventBuses, as whoever has the credential."""
        url = f"http://localhost:{port}/"
        headers = [("X-Amz-Target", "AWSEvents.ListEventBuses"), ("Content-Type", "application/x-amz-json-1.1")]
        if state != "none" and kind == "signature":
            headers = [pair for pair in signed("POST", url, "events", b"{}", headers, **self.signing(state))["headers"] if pair[0] != "Host"]
        elif state != "none":
            secret = self.name_and_password(kind, state)
            basic = base64.b64encode(f"{secret['user']}:{secret['password']}".encode()).decode()
            headers.append(("Authorization", f"Bearer {secret['password']}" if kind == "token" else f"Basic {basic}"))
        try:
            with urllib.request.urlopen(urllib.request.Request(url, b"{}", dict(headers)), timeout=WAIT_SECONDS) as answer:
                return f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"

    # MARK: Tests

    def test_each_cell(self):
        """Threats 14, 45 and 49: on no transport does a wrong credential do what it does not do on the others."""
        for kind, transport, state in EXPECTED:
            if state == "revoked":
                with self.subTest(kind=kind, transport=transport, state="before it is revoked"):
                    self.assertEqual(self.attempt(kind, transport, state), EXPECTED[kind, transport, "right"])
        self.set_users("right")
        for (kind, transport, state), expected in EXPECTED.items():
            if expected is not NO_SUCH_STATE:
                with self.subTest(kind=kind, transport=transport, state=state):
                    self.assertEqual(self.attempt(kind, transport, state), expected)

    def test_a_credential_of_one_kind_is_none_of_another(self):
        password, token = {"user": "right", "password": "espresso"}, {"user": "anybody", "password": self.token("right")}
        for transport in MQTT:
            with self.subTest(transport=transport):
                self.assertEqual(self.attempt("token", transport, "right", password), BAD_PASSWORD)
                self.assertEqual(self.attempt("password", transport, "right", token), BAD_PASSWORD)


if __name__ == "__main__":
    unittest.main()
