"""Threats 45 and 53. JSON Web Tokens: as password of MQTT over TCP, TLS and WebSocket, as bearer of HTTP, and as an administrator's."""

import base64
import hmac
import json
import os
import queue
import signal
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

import wire
from broker import CREMA, WAIT_SECONDS, Broker, free_port, run, unconfigured

ISSUER, AUDIENCE = "https://issuer.example", "shop"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(value):
    return base64url(json.dumps(value).encode())


def key_set(**keys):
    """The public halves of keys, by name."""
    entries = []
    for name, key in keys.items():
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        entry = algorithm.to_jwk(key.public_key(), as_dict=True)
        entry.pop("key_ops", None)
        entries.append({**entry, "kid": name, "use": "sig"})
    return json.dumps({"keys": entries})


class Issuer:
    """Signs tokens with keys that no file has, and serves their public halves."""

    def __init__(self):
        self.keys = {"rsa": rsa.generate_private_key(65537, 2048), "ec": ec.generate_private_key(ec.SECP256R1())}
        self.requests, self.status = 0, 200
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.requests += 1
                body = key_set(**issuer.keys).encode() if issuer.status == 200 else b"nothing here"
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/keys"

    def token(self, name="customer-1", key="ec", seconds=600, **claims):
        algorithm = "RS256" if key == "rsa" else "ES256"
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "exp": int(time.time() + seconds), **claims}
        return jwt.encode(claims, self.keys[key], algorithm, headers={"kid": key})

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Client:
    """A client of MQTT 5, connected or refused when it is made."""

    def __init__(self, port, password, transport="tcp", tls=None, path="/mqtt", user_name="anybody", version=mqtt.MQTTv5):
        self.codes, self.ends, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport=transport, protocol=version)
        self.client.username_pw_set(user_name, password)
        if tls:
            self.client.tls_set(ca_certs=str(tls))
        if transport == "websockets":
            self.client.ws_set_options(path=path)
        self.client.on_connect = lambda client, data, flags, code, properties: self.codes.put(code)
        self.client.on_disconnect = lambda client, data, flags, code, properties: self.ends.put(code)
        self.client.on_message = lambda client, data, message: self.messages.put(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.code = self.codes.get(timeout=WAIT_SECONDS)

    @property
    def is_in(self):
        return not self.code.is_failure

    def subscribe(self, topic):
        answers = queue.Queue()
        self.client.on_subscribe = lambda client, data, number, codes, properties: answers.put(codes[0])
        self.client.subscribe(topic, 1)
        return not answers.get(timeout=WAIT_SECONDS).is_failure

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


POLICY = """
Resources:
  Customers:
    Type: AWS::IoT::Policy
    Properties:
      PolicyName: Customers
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: iot:Connect, Resource: "*" }
          - { Effect: Allow, Action: [iot:Publish, iot:Receive], Resource: "arn:aws:iot:eu-west-1:1:topic/user/${crema:Principal}/*" }
          - { Effect: Allow, Action: iot:Subscribe, Resource: "arn:aws:iot:eu-west-1:1:topicfilter/user/${crema:Principal}/*" }
          - { Effect: Allow, Action: iot:Subscribe, Resource: "arn:aws:iot:eu-west-1:1:topicfilter/group/${jwt:group}" }
          - { Effect: Allow, Action: ["events:PutEvents", "execute-api:Invoke"], Resource: "*" }
          - { Effect: Deny, Action: "events:PutEvents", Resource: "*", Condition: { StringEquals: { "jwt:role": guest } } }
          - { Effect: Deny, Action: "events:PutEvents", Resource: "*",
              Condition: { StringEquals: { "jwt:role": far }, IpAddress: { "aws:SourceIp": 127.0.0.0/8 } } }
"""

API = {
    "openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
    "components": {"securitySchemes": {"customers": {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt", "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": ISSUER, "audience": [AUDIENCE]}}}}},
    "paths": {"/order": {"post": {
        "security": [{"customers": ["order"]}], "responses": {"default": {"description": "answer"}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy", "integrationSubtype": "EventBridge-PutEvents", "payloadFormatVersion": "1.0",
            "requestParameters": {
                "Detail": '{"user":"${context.authorizer.claims.sub}"}', "DetailType": "Order", "Source": "shop"}}}}},
}


class TokenTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.addClassCleanup(cls.issuer.end)
        cls.ports = {name: free_port() for name in ("mqtt", "mqtts", "ws", "http", "fetched", "admin")}
        cls.secret = os.urandom(24).hex()
        cls.broker = TokenBroker(cls)
        cls.addClassCleanup(cls.broker.end)

    def connect(self, *arguments, **options):
        client = Client(*arguments, **options)
        self.addCleanup(client.end)
        return client

    def test_a_token_is_a_password_over_every_transport(self):
        ca = self.broker.certificates / "ca.crt"
        ways = [
            dict(port=self.ports["mqtt"]), dict(port=self.ports["mqtts"], tls=ca), dict(port=self.ports["ws"], transport="websockets"),
            dict(port=self.ports["http"], transport="websockets"),
        ]
        for way in ways:
            for key in ("ec", "rsa"):
                with self.subTest(way=way, key=key):
                    client = self.connect(password=self.issuer.token(key=key), **way)
                    self.assertTrue(client.is_in, client.code)
                    self.assertTrue(client.subscribe("user/customer-1/status"))
                    self.assertFalse(client.subscribe("user/customer-2/status"))
            for token in self.wrong_tokens():
                with self.subTest(way=way, token=token):
                    client = self.connect(password=token, **way)
                    self.assertEqual(client.code.value, 0x86)

    def wrong_tokens(self):
        other = Issuer()
        self.addCleanup(other.end)
        good = self.issuer.token()
        head, payload, signature = good.split(".")
        public = key_set(**self.issuer.keys)
        claims = encoded({"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": 1 << 33})
        # A public key, which everybody has, as the secret of HS256: PyJWT itself refuses to do that.
        forged = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{claims}"
        forged += "." + base64url(hmac.digest(public.encode(), forged.encode(), "sha256"))
        none = encoded({"alg": "none"})
        return [
            "wrong", other.token(), self.issuer.token(seconds=-61), self.issuer.token(aud="other"), self.issuer.token(iss="other"),
            self.issuer.token(nbf=int(time.time()) + 600), self.issuer.token(sub=""), forged, f"{head}.{claims}.{signature}",
            f"{none}.{payload}.", f"{head}.{payload}.",
        ]

    def test_no_token_no_entry(self):
        for port in (self.ports["mqtt"], self.ports["ws"]):
            client = self.connect(port, None, transport="websockets" if port == self.ports["ws"] else "tcp")
            self.assertEqual(client.code.value, 0x86)

    def test_claims_stand_in_policies(self):
        client = self.connect(self.ports["mqtt"], self.issuer.token(group="kitchen"))
        self.assertTrue(client.subscribe("group/kitchen"))
        self.assertFalse(client.subscribe("group/cellar"))
        wide = self.connect(self.ports["mqtt"], self.issuer.token(name="customer-2", group="*"))
        self.assertFalse(wide.subscribe("group/kitchen"))

    def test_a_connection_ends_with_its_token(self):
        # Clocks may differ by a second here.
        client = self.connect(self.ports["mqtt"], self.issuer.token(seconds=1))
        old = self.connect(self.ports["ws"], self.issuer.token(seconds=1, name="customer-2"), transport="websockets", version=mqtt.MQTTv311)
        stays = self.connect(self.ports["mqtt"], self.issuer.token(name="customer-3"))
        self.assertTrue(client.is_in and old.is_in and stays.is_in)
        self.assertEqual(client.ends.get(timeout=WAIT_SECONDS).value, 0xA0)
        old.ends.get(timeout=WAIT_SECONDS)
        self.broker.wait_for_log("connection closed", "reason=proof_expired")
        self.assertTrue(stays.ends.empty())

    def test_a_client_that_shows_a_new_token_in_time_stays(self):
        def shown(token):
            return {"authentication_method": "OAUTH2-JWT", "authentication_data": token}
        with socket.create_connection(("127.0.0.1", self.ports["mqtt"]), timeout=WAIT_SECONDS) as connection:
            connection.sendall(wire.connect("renewing", version=5, props=shown(self.issuer.token(seconds=3))))
            self.assertEqual(connection.recv(4096)[3], 0)
            body = b"\x19" + wire.properties(shown(self.issuer.token(seconds=600)))
            connection.sendall(wire.packet(0xF0, body))
            answer = connection.recv(4096)
            self.assertEqual((answer[0], answer[2]), (0xF0, 0), answer)
            time.sleep(5)  # the first token has ended, and the second of difference with it
            connection.sendall(b"\xc0\x00")
            self.assertEqual(connection.recv(4096), b"\xd0\x00")
            connection.sendall(wire.packet(0xF0, b"\x19" + wire.properties(shown(self.issuer.token(name="customer-2")))))
            self.assertEqual(connection.recv(4096)[:3:2], b"\xe0\x87")
        self.broker.wait_for_log("re-authentication by another principal")

    def test_keys_are_fetched_and_renewed(self):
        port = self.ports["fetched"]
        self.broker.wait_for_log("keys of tokens fetched")
        self.assertTrue(self.connect(port, self.issuer.token()).is_in)
        # A key that is new: the first token by it is refused, and makes the broker look.
        self.issuer.keys["next"] = ec.generate_private_key(ec.SECP256R1())
        self.addCleanup(lambda: self.issuer.keys.pop("next", None))
        requests = self.issuer.requests
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.connect(port, self.issuer.token(key="next")).is_in:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assertLessEqual(self.issuer.requests - requests, 8, "no more than one fetch in each pause")
        # While the issuer is away the last good keys hold; when a key is gone, so is who came by it.
        self.issuer.status = 500
        self.broker.wait_for_log("keys of tokens cannot be fetched", "the answer has status 500")
        client = self.connect(port, self.issuer.token(key="next"))
        self.assertTrue(client.is_in)
        stays = self.connect(port, self.issuer.token(name="customer-2"))
        del self.issuer.keys["next"]
        self.issuer.status = 200
        self.assertEqual(client.ends.get(timeout=WAIT_SECONDS).value, 0x87)
        self.assertTrue(stays.ends.empty())

    # HTTP

    def request(self, path, token=None, method="POST", body=b"{}", port=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or self.ports['http']}{path}", data=body if method == "POST" else None, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers

    def test_a_route_takes_tokens_of_its_issuer(self):
        status, answer, _ = self.request("/order", self.issuer.token(scope="order"))
        self.assertEqual((status, answer["FailedEntryCount"]), (200, 0))
        self.assertEqual(self.request("/order", self.issuer.token())[:2], (403, {"message": "Forbidden"}))
        for token in [None, *self.wrong_tokens()]:
            status, answer, headers = self.request("/order", token)
            self.assertEqual((status, answer), (401, {"message": "Unauthorized"}))
            self.assertTrue(headers["WWW-Authenticate"].startswith("Bearer"))

    def test_conditions_are_for_calls_over_http_too(self):
        body = json.dumps({"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]}).encode()
        headers = {"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"}
        for role, status in (("staff", 200), ("guest", 403), ("far", 403)):
            found, answer, _ = self.request("/", self.issuer.token(role=role), body=body, **headers)
            self.assertEqual(found, status, f"{role}: {answer}")

    def test_curl_calls_a_service(self):
        entries = json.dumps({"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]})
        command = ["curl", "--silent", "--fail-with-body", "--request", "POST", "--header", "X-Amz-Target: AWSEvents.PutEvents",
                   "--header", "Content-Type: application/x-amz-json-1.1", "--data", entries, f"http://127.0.0.1:{self.ports['http']}/"]
        answer = run(*command, "--oauth2-bearer", self.issuer.token())
        self.assertEqual(json.loads(answer.stdout)["FailedEntryCount"], 0)
        for more in ([], ["--oauth2-bearer", "wrong"]):
            answer = run(*command, *more, check=False)
            self.assertEqual((answer.returncode, json.loads(answer.stdout)), (22, {"message": "Unauthorized"}))

    # Administrators

    def crema(self, *arguments, **environment):
        url = f"http://127.0.0.1:{self.ports['admin']}"
        return run(CREMA, *arguments, "--admin", url, check=False, env=unconfigured() | environment)

    def test_administrators_show_a_secret_or_a_token(self):
        refused = self.crema("topics")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("CREMA_ADMIN_TOKEN", refused.stderr)
        file = self.broker.folder / "admin-secret"
        for environment in ({"CREMA_ADMIN_TOKEN": self.secret}, {"CREMA_ADMIN_TOKEN_FILE": str(file)},
                            {"CREMA_ADMIN_TOKEN": self.issuer.token()}):
            answer = self.crema("topics", **environment)
            self.assertEqual(answer.returncode, 0, answer.stderr)
        for wrong in (self.secret[:-1], self.secret + "0", self.issuer.token(seconds=-61), "x"):
            answer = self.crema("topics", CREMA_ADMIN_TOKEN=wrong)
            self.assertEqual(answer.returncode, 4)
            self.assertIn("the token is refused", answer.stderr)
            self.assertTrue(len(wrong) == 1 or wrong not in answer.stderr)
        self.assertEqual(self.crema("healthcheck").returncode, 0)
        status, _, headers = self.request("/metrics", method="GET", port=self.ports["admin"])
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))

    def test_z_no_secret_is_logged(self):
        planted = self.issuer.token(planted="p1anted")
        signature = planted.split(".")[2]
        self.connect(self.ports["mqtt"], planted)
        self.connect(self.ports["mqtt"], planted + "x")
        self.request("/order", planted)
        self.request("/order", planted + "x")
        self.request("/api/v1/topics", self.secret, method="GET", port=self.ports["admin"])
        self.request("/api/v1/topics", self.secret + "x", method="GET", port=self.ports["admin"])
        self.connect(self.ports["mqtt"], "h0rse-battery")
        log = self.broker.log()
        for text in (self.secret, signature, planted.split(".")[1], "h0rse-battery", "p1anted"):
            self.assertNotIn(text, log)
        self.assertIn("the token is malformed", log)

    # The configuration

    def check(self, tokens, listener=None, **more):
        folder = self.broker.folder
        listener = listener or {"protocol": "mqtt", "bind": "127.0.0.1:0", "tokens": ["shop"]}
        file = folder / "checked.json"
        file.write_text(json.dumps({"listeners": [listener], "tokens": tokens, **more}))
        return run(CREMA, "check", "--config", str(file), check=False)

    def test_mistakes_are_named(self):
        good = {"issuer": ISSUER, "audience": AUDIENCE, "keys": "keys.json", "algorithms": ["ES256"]}
        folder = self.broker.folder
        (folder / "empty.json").write_text('{"keys": []}')
        (folder / "open-secret").write_text("x" * 40)
        answer = self.check({"shop": good})
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn("token (JWT: shop)", answer.stdout)
        cases = [
            ({**good, "algorithms": ["none"]}, "there is no algorithm `none`"),
            ({**good, "algorithms": ["HS256"]}, "HS256 needs a `secretFile`, and `keys` has public keys"),
            ({**good, "algorithms": ["EdDSA"]}, "no key of the set is for EdDSA"),
            ({**good, "algorithms": []}, "must name one or more"),
            ({**good, "keys": "empty.json"}, "the set has no key that signatures can be checked with"),
            ({**good, "keys": "nowhere.json"}, "there is no such file"),
            ({**good, "keys": "http://issuer.example/keys"}, "Use https, or a file"),
            ({**good, "secretFile": "x"}, "needs either `keys`"),
            ({**good, "issuers": []}, "issuers"),
            ({"secretFile": "open-secret", "algorithms": ["HS256"]}, "lets others read the credentials; chmod 600 it"),
        ]
        for entry, text in cases:
            with self.subTest(text=text):
                answer = self.check({"shop": entry})
                self.assertEqual(answer.returncode, 2)
                self.assertIn(text, answer.stdout + answer.stderr)
                self.assertRegex(answer.stdout + answer.stderr, r"checked\.json:1:\d+")
        answer = self.check({"ship": good})
        self.assertIn("there is no entry `shop` under `tokens`; did you mean `ship`?", answer.stdout + answer.stderr)
        exposed = {"protocol": "mqtt", "bind": "0.0.0.0:0", "tokens": ["shop"]}
        self.assertIn("asks for passwords (`tokens`) without encryption", self.check({"shop": good}, exposed).stderr)
        self.assertEqual(self.check({"shop": good}, {**exposed, "insecure": True}).returncode, 0)

    def test_a_bearer_does_not_cross_a_network_in_the_open(self):
        good = {"issuer": ISSUER, "audience": AUDIENCE, "keys": "keys.json", "algorithms": ["ES256"]}
        (self.broker.folder / "shop-api.json").write_text(json.dumps(API))
        exposed = {"protocol": "http", "bind": "0.0.0.0:0", "anonymous": True}
        refused = self.check({"shop": good}, exposed, resources=["shop-api.json"])
        self.assertEqual(refused.returncode, 2, refused.stdout + refused.stderr)
        self.assertRegex(refused.stderr, r"0\.0\.0\.0:0 asks for tokens \(the security scheme `\w+` at .*\) without encryption")
        taken = self.check({"shop": good}, {**exposed, "insecure": True}, resources=["shop-api.json"])
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)

    def test_a_reload_that_fails_changes_nothing(self):
        broker = self.broker
        keys = broker.folder / "keys.json"
        good = keys.read_text()
        client = self.connect(self.ports["mqtt"], self.issuer.token(name="customer-9"))
        keys.write_text("{")
        broker.process.send_signal(signal.SIGHUP)
        broker.wait_for_log("reload: ", "the set of keys is not JSON")
        self.assertTrue(self.connect(self.ports["mqtt"], self.issuer.token()).is_in)
        self.assertTrue(client.ends.empty())
        # Another key takes the place of the client's.
        keys.write_text(key_set(rsa=self.issuer.keys["rsa"], ec=ec.generate_private_key(ec.SECP256R1())))
        stays = self.connect(self.ports["mqtt"], self.issuer.token(name="customer-8", key="rsa"))
        broker.reload()
        self.assertEqual(client.ends.get(timeout=WAIT_SECONDS).value, 0x87)
        self.assertTrue(stays.ends.empty())
        keys.write_text(good)
        broker.reload()


class TokenBroker(Broker):
    """A broker whose listeners take tokens, beside those of every broker here."""

    def __init__(self, tests):
        self.tests = tests
        super().__init__(limits={"tokenClockSkewSecondsMax": 1, "tokenKeysPauseSeconds": 1, "tokenKeysRefreshSeconds": 2})

    def start(self):
        settings = json.loads(self.configuration.read_text())
        if "tokens" not in settings:
            ports = self.tests.ports
            (self.folder / "keys.json").write_text(key_set(**self.tests.issuer.keys))
            (self.folder / "policy.yaml").write_text(POLICY)
            (self.folder / "api.json").write_text(json.dumps(API))
            secret = self.folder / "admin-secret"
            secret.touch(0o600)
            secret.write_text(self.tests.secret + "\n")
            entry = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256", "RS256"]}
            certificates = {"certificate": "certs/server.crt", "key": "certs/server.key"}
            listeners = [
                {"protocol": "mqtt", "bind": f"127.0.0.1:{ports['mqtt']}", "tokens": ["shop"]},
                {"protocol": "mqtts", "bind": f"127.0.0.1:{ports['mqtts']}", "tokens": ["shop"], **certificates},
                {"protocol": "ws", "bind": f"127.0.0.1:{ports['ws']}", "tokens": ["shop"]},
                {"protocol": "http", "bind": f"127.0.0.1:{ports['http']}", "tokens": ["shop"]},
                {"protocol": "mqtt", "bind": f"127.0.0.1:{ports['fetched']}", "tokens": ["fetched"]},
                {"protocol": "admin", "bind": f"127.0.0.1:{ports['admin']}", "adminToken": "admin-secret", "tokens": ["shop"]},
            ]
            self.configure(
                listeners=settings["listeners"] + listeners, resources=["policy.yaml", "api.json"],
                tokens={"shop": {**entry, "keys": "keys.json"}, "fetched": {**entry, "keys": self.tests.issuer.url}},
                policies=[{"principal": "*", "attach": ["Customers"]}, {"anonymous": True, "attach": ["Customers"]}])
        super().start()


if __name__ == "__main__":
    unittest.main()
