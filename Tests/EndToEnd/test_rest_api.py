"""A REST API by curl: its templates make events that reach a screen, and its mock answers what browsers ask beforehand."""

import json
import pathlib
import unittest

from broker import CREMA, SHOP, BrokerTestCase, run


class RESTAPITests(BrokerTestCase):
    resources = (SHOP / "shop.yaml", pathlib.Path(__file__).with_name("rest_api.yaml"))

    def curl(self, *arguments):
        """The status, the header fields and the body of one request."""
        output = run("curl", "--silent", "--show-error", "--include", *arguments).stdout
        head, body = output.replace("\r\n", "\n").split("\n\n", 1)
        lines = head.split("\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split(" ")[1]), fields, body

    def post(self, body, content_type="application/json"):
        return self.curl("--header", f"Content-Type: {content_type}", "--data", body, self.broker.url + "/rest/orders/NYC")

    def test_a_posted_order_reaches_its_user_by_a_template(self):
        topic = "serverlesspresso-user-rest"
        user = self.screen("rest", topic)
        status, fields, body = self.post(json.dumps({"orderId": "7", "userId": "rest", "drinks": ["latte", "Caff\u00e8"]}))
        self.assertEqual((status, json.loads(body)), (202, {"failed": 0}))
        self.assertEqual(fields["access-control-allow-origin"], "*")
        detail = {"orderId": "7", "userId": "rest", "eventId": "NYC", "drinks": ["latte", "Caff\u00e8"]}
        self.assertEqual(user.next(), (topic, {"type": "OrderManager.MakeOrder", "detail": detail}))

    def test_a_browser_may_ask_beforehand(self):
        status, fields, _ = self.curl(
            "--request", "OPTIONS", "--header", "Origin: https://shop.example", "--header", "Access-Control-Request-Method: POST",
            self.broker.url + "/rest/orders/NYC")
        self.assertEqual(status, 200)
        self.assertEqual(fields["access-control-allow-origin"], "*")
        self.assertEqual(fields["access-control-allow-methods"], "post,options")

    def test_what_is_no_order_is_refused_in_the_words_of_the_service(self):
        status, _, body = self.post('{"orderId": "7"}')
        self.assertEqual((status, json.loads(body)), (400, {"message": "Invalid request body"}))
        status, _, body = self.post("x", content_type="text/plain")
        self.assertEqual((status, json.loads(body)), (415, {"message": "Unsupported Media Type"}))
        status, _, body = self.curl(self.broker.url + "/nowhere")
        self.assertEqual((status, json.loads(body)), (403, {"message": "Missing Authentication Token"}))

    def test_a_service_that_is_not_there_is_named(self):
        status, _, body = self.curl(self.broker.url + "/rest/other")
        self.assertEqual(status, 501)
        self.assertIn("dynamodb:action/Query", body)
        report = run(CREMA, "check", "--config", str(self.broker.configuration)).stdout
        self.assertIn("GET /rest/other  dynamodb:action/Query", report)


if __name__ == "__main__":
    unittest.main()
