"""The AWS IoT SDK for Python: mutual TLS, and custom authorizers by TCP and WebSocket; by signed WebSocket it is in test_signed_requests."""
import base64
import json
import threading
import time
import unittest

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from broker import CREMA, WAIT_SECONDS, Broker, free_port, run


SECRET = "a secret of this test alone, 32 bytes and more"


def token(name):
    return jwt.encode({"sub": name, "aud": "shop", "exp": int(time.time()) + 600}, SECRET, "HS256")


class SDKTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.users, cls.web = free_port(), free_port()
        cls.signer = rsa.generate_private_key(65537, 2048)
        public = cls.signer.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        common = {"certificate": "certs/server.crt", "key": "certs/server.key", "passwords": "passwords", "tokens": ["customers"],
                  "dialect": "aws", "authorizers": {
                      "till": {}, "shop": {"tokenKey": "token"}, "signed": {"tokenKey": "token", "signingKeys": "authorizer.pem"}}}
        cls.broker = Broker(
            listeners=[{"protocol": "mqtts", "bind": f"127.0.0.1:{cls.users}", **common},
                       {"protocol": "wss", "bind": f"127.0.0.1:{cls.web}", **common}],
            files={"passwords": "", "authorizer.pem": public.decode(), "token.secret": SECRET},
            more={"tokens": {"customers": {"secretFile": "token.secret", "algorithms": ["HS256"], "audience": "shop"}}})
        cls.addClassCleanup(cls.broker.end)
        run(CREMA, "users", "add", "ann", "--passwords", str(cls.broker.folder / "passwords"), input="flat white\n")
        run(CREMA, "certs", "issue", "till-7", "--directory", str(cls.broker.certificates))
        cls.broker.reload()

    def setUp(self):
        try:
            from awsiot import mqtt_connection_builder
        except ImportError:
            self.skipTest("there is no awsiotsdk")
        self.builder = mqtt_connection_builder
        self.ca = str(self.broker.certificates / "ca.crt")

    def connected(self, connection):
        connection.connect().result(WAIT_SECONDS)
        self.addCleanup(lambda: connection.disconnect().result(WAIT_SECONDS))
        return connection

    def clients(self):
        return {row["clientID"]: row for row in json.loads(self.broker.asks("/api/v1/clients"))["rows"]}

    def by_certificate(self, client_id, name="till-7"):
        folder = self.broker.certificates / "clients"
        return self.builder.mtls_from_path(
            cert_filepath=str(folder / f"{name}.crt"), pri_key_filepath=str(folder / f"{name}.key"), endpoint="localhost",
            port=self.broker.mqtts, ca_filepath=self.ca, client_id=client_id, clean_session=True)

    def by_password(self, client_id, password, **more):
        connection = self.builder.direct_with_custom_authorizer(
            auth_username="ann", auth_password=password, endpoint="localhost", ca_filepath=self.ca, client_id=client_id,
            clean_session=True, **more)
        # The SDK insists on 443, where only root could listen here.
        connection.port = self.users
        return connection

    def mqtt5(self, client_id, web=False, **authorizer):
        """Whether a client of MQTT 5 that asks for an authorizer is let in, by the SDK's own builders."""
        from awscrt import mqtt5
        from awsiot import mqtt5_client_builder
        ended, outcome = threading.Event(), []

        def tell(is_in):
            return lambda _: (outcome.append(is_in), ended.set())

        build = mqtt5_client_builder.websockets_with_custom_authorizer if web else mqtt5_client_builder.direct_with_custom_authorizer
        client = build(
            endpoint="localhost", port=self.web if web else self.users, ca_filepath=self.ca, client_id=client_id,
            on_lifecycle_connection_success=tell(True), on_lifecycle_connection_failure=tell(False),
            session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN, **authorizer)
        client.start()
        self.addCleanup(client.stop)
        self.assertTrue(ended.wait(WAIT_SECONDS))
        return outcome[0]

    def signature(self, text):
        return base64.b64encode(self.signer.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()

    def test_a_custom_authorizer_is_whoever_the_listener_asks(self):
        shown = token("customer-7")
        ways = (
            ("password", {"auth_authorizer_name": "till", "auth_username": "ann", "auth_password": "flat white"}, "ann"),
            ("token", {"auth_authorizer_name": "shop", "auth_token_key_name": "token", "auth_token_value": shown}, "customer-7"),
            ("signed", {"auth_authorizer_name": "signed", "auth_token_key_name": "token", "auth_token_value": shown,
                        "auth_authorizer_signature": self.signature(shown), "auth_username": "phone"}, "customer-7"))
        for name, authorizer, principal in ways:
            for web in (False, True):
                client_id = f"sdk-{name}-{web}"
                with self.subTest(client_id):
                    self.assertTrue(self.mqtt5(client_id, web, **authorizer), self.broker.log())
                    self.assertEqual(self.clients()[client_id]["principal"], principal)
                    self.assertNotIn(shown, self.broker.asks("/api/v1/clients"))
        connection = self.by_password("sdk-3", None, auth_authorizer_name="shop", auth_token_key_name="token", auth_token_value=shown)
        self.connected(connection)
        self.assertEqual(self.clients()["sdk-3"]["principal"], "customer-7")
        self.assertNotIn(shown, self.broker.log())

    def test_what_a_custom_authorizer_does_not_take_is_refused(self):
        shown = token("customer-7")
        by_key = {"auth_token_key_name": "token", "auth_token_value": shown}
        refusals = (
            ("wrong", {"auth_authorizer_name": "till", "auth_username": "ann", "auth_password": "espresso"}, "wrong user name or password"),
            ("none", {"auth_authorizer_name": "shop", "auth_username": "ann", "auth_password": "flat white"}, "the user name has none"),
            ("unsigned", {"auth_authorizer_name": "signed", **by_key}, "asks for a signature"),
            ("other", {"auth_authorizer_name": "signed", "auth_authorizer_signature": self.signature(token("customer-8") + "x"), **by_key},
             "by no key of the custom authorizer"),
            ("unknown", {"auth_authorizer_name": "kiosk", **by_key}, "the custom authorizer 'kiosk', and the listener has till, shop, signed"))
        for name, authorizer, reason in refusals:
            for web in (False, True):
                client_id = f"sdk-no-{name}-{web}"
                with self.subTest(client_id):
                    self.assertFalse(self.mqtt5(client_id, web, **authorizer))
                    self.broker.wait_for_log("client refused", client_id, reason)
        self.assertNotIn(shown, self.broker.log())

    def test_by_mutual_tls_a_message_goes_the_whole_way(self):
        from awscrt import mqtt
        sender, reader = self.connected(self.by_certificate("sdk-sender")), self.connected(self.by_certificate("sdk-reader"))
        received, messages = threading.Event(), []
        subscribed, _ = reader.subscribe(
            "orders/7", mqtt.QoS.AT_LEAST_ONCE, lambda topic, payload, **more: (messages.append((topic, payload)), received.set()))
        self.assertEqual(subscribed.result(WAIT_SECONDS)["qos"], mqtt.QoS.AT_LEAST_ONCE)
        sender.publish("orders/7", b"ready", mqtt.QoS.AT_LEAST_ONCE)[0].result(WAIT_SECONDS)
        self.assertTrue(received.wait(WAIT_SECONDS))
        self.assertEqual(messages, [("orders/7", b"ready")])
        self.assertEqual(self.clients()["sdk-reader"]["principal"], "till-7")

    def test_by_user_name_and_password_what_the_sdk_adds_is_no_part_of_the_name(self):
        self.connected(self.by_password("sdk-password", "flat white"))
        client = self.clients()["sdk-password"]
        self.assertEqual(client["principal"], "ann")
        self.assertEqual(client["userName"], "ann", "what follows may be a token or a signature, and is shown nowhere")
        self.assertFalse([line for line in self.broker.log().splitlines() if "sdk-password" in line and "?SDK=" in line])

    def test_a_wrong_password_and_an_authorizer_that_is_not_there_are_refused(self):
        for client_id, password, more, reason in (
                ("sdk-wrong", "espresso", {}, "wrong user name or password"),
                ("sdk-authorizer", "flat white", {"auth_authorizer_name": "shop"}, "custom authorizer 'shop'")):
            with self.assertRaises(Exception):
                self.by_password(client_id, password, **more).connect().result(WAIT_SECONDS)
            self.broker.wait_for_log("client refused", client_id, reason)


if __name__ == "__main__":
    unittest.main()
