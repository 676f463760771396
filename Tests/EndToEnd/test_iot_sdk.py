"""The AWS IoT SDK for Python, by mutual TLS and with a user name and a password; by signed WebSocket it is in test_signed_requests."""
import json
import threading
import unittest

from broker import CREMA, WAIT_SECONDS, Broker, free_port, run


class SDKTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.users = free_port()
        cls.broker = Broker(listeners=[
            {"protocol": "mqtts", "bind": f"127.0.0.1:{cls.users}", "certificate": "certs/server.crt", "key": "certs/server.key",
             "passwords": "passwords", "dialect": "aws"}], files={"passwords": ""})
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
