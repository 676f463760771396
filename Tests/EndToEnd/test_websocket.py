"""MQTT over WebSocket, as paho-mqtt speaks it: plain, with a client certificate, and beside the HTTP of programs."""

import json
import ssl
import time
import unittest
import urllib.error
import urllib.request

import paho.mqtt.client as paho

from broker import CREMA, WAIT_SECONDS, BrokerTestCase, run
from test_clients import Client

SHOP_PAGE = "https://shop.example"


class WebSocketTests(BrokerTestCase):
    def client(self, name, port=None, path="/mqtt", headers=None, **options):
        client = Client(
            self.broker, name, transport="websockets", port=port or self.broker.ws,
            prepare=lambda paho_client: paho_client.ws_set_options(path, headers), **options)
        self.addCleanup(client.end)
        return client

    def certified(self, name, **options):
        """A client over wss with a certificate of its own, on a page of the shop."""
        run(CREMA, "certs", "issue", name, "--directory", str(self.broker.certificates))
        files = self.broker.certificates / "clients" / name

        def prepare(client):
            client.tls_set(str(self.broker.certificates / "ca.crt"), f"{files}.crt", f"{files}.key", tls_version=ssl.PROTOCOL_TLS_CLIENT)
            client.ws_set_options("/broker", {"Origin": SHOP_PAGE})

        client = Client(
            self.broker, name, transport="websockets", port=self.broker.wss, host="localhost", prepare=prepare, **options)
        self.addCleanup(client.end)
        return client

    def test_every_qos_and_size_in_both_versions(self):
        for version in (paho.MQTTv311, paho.MQTTv5):
            client = self.client(f"page-{version}", version=version)
            topic = f"sizes/{version}"
            self.assertEqual(client.subscribe(topic, 2), [2])
            # Around the three forms of a frame's length, and more than one read.
            for size in (0, 1, 100, 125, 126, 127, 65_535, 65_536, 300_000):
                for qos in (0, 1, 2):
                    payload = bytes(index % 251 for index in range(size))
                    client.publish(topic, payload, qos=qos)
                    message = client.next()
                    self.assertEqual((message.payload == payload, message.qos), (True, qos), size)

    def test_pages_and_devices_meet(self):
        page, device = self.client("page"), Client(self.broker, "device")
        self.addCleanup(device.end)
        page.subscribe("orders/#", 1)
        device.publish("orders/1", "ready", qos=1)
        self.assertEqual(page.next().payload, b"ready")

    def test_a_page_on_the_listener_for_programs_sees_an_order(self):
        path = "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=any"
        page = self.client("page-http", port=self.broker.http, path=path)
        page.subscribe("serverlesspresso-user-ann", 1)
        detail = {"orderId": "1", "userId": "ann", "eventId": "NYC"}
        request = urllib.request.Request(
            self.broker.url + "/order", data=json.dumps({"detail": detail}).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(page.next().payload)["detail"], detail)

    def test_a_certificate_names_the_client_over_wss(self):
        client = self.certified("till-1")
        client.subscribe("wss", 1)
        client.publish("wss", "hello", qos=1)
        self.assertEqual(client.next().payload, b"hello")
        found = [row for row in json.loads(self.broker.asks("/api/v1/clients"))["rows"] if row["clientID"] == "till-1"]
        self.assertEqual([(row["principal"], row["listener"]) for row in found], [("till-1", f"wss 127.0.0.1:{self.broker.wss}")])

    def test_without_a_certificate_wss_is_closed(self):
        context = ssl.create_default_context(cafile=str(self.broker.certificates / "ca.crt"))
        with self.assertRaises((OSError, urllib.error.URLError)):
            urllib.request.urlopen(f"https://localhost:{self.broker.wss}/broker", context=context, timeout=5)
        self.broker.wait_for_log("TLS handshake failed", "sent no certificate", "wss")

    def test_a_page_of_elsewhere_is_refused_and_named(self):
        with self.assertRaises(paho.WebsocketConnectionError):
            self.client("evil", headers={"Origin": "https://evil.example"})
        self.broker.wait_for_log("request refused", "status=403", "https://evil.example")

    def test_a_wrong_path_is_refused_and_named(self):
        with self.assertRaises(paho.WebsocketConnectionError):
            self.client("lost", path="/nowhere")
        self.broker.wait_for_log("request refused", "status=404", "path=/nowhere")

    def test_a_silent_client_is_kept_by_its_pings(self):
        client = self.client("patient", keepalive=1)
        time.sleep(3)
        client.subscribe("patient", 0)
        client.publish("patient", "still here", qos=1)
        self.assertEqual(client.next().payload, b"still here")

    def test_the_brokers_end_is_a_goodbye(self):
        client = self.client("leaving")
        client.client.disconnect()
        self.assertEqual(client.ends.get(timeout=WAIT_SECONDS), 0)


if __name__ == "__main__":
    unittest.main()
