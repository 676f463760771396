"""Threats 49 and 65: requests that botocore signs, and what is changed in them; who may call what; and AWS IoT's own client over WebSocket."""

import base64
import datetime
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock
from urllib.parse import quote, urlsplit

import boto3
import botocore.auth
import botocore.config
import botocore.exceptions
import paho.mqtt.client as paho
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from broker import CREMA, WAIT_SECONDS, Broker, run, unconfigured

# A key that AWS's documentation publishes.
BARISTA = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
VISITOR = ("ASIDEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY", "session/token+EXAMPLE==")
KEYS = [
    {"id": BARISTA[0], "secret": BARISTA[1], "principal": "barista"},
    {"id": VISITOR[0], "secretFile": "visitor.secret", "sessionToken": VISITOR[2], "principal": "visitor"},
]
TEMPLATE = pathlib.Path(__file__).with_name("signed_requests.yaml")
API = pathlib.Path(__file__).with_name("signed_api.yaml")
EVERYTHING = [{"principal": "barista", "attach": ["Everything"]}, {"principal": "visitor", "attach": ["Visitor"]}]


class SignedBroker(Broker):
    """A broker whose HTTP and WebSocket listeners take signed requests and no others."""

    def __init__(self, **settings):
        super().__init__(TEMPLATE, API, more={"policies": EVERYTHING})
        secret = self.folder / "visitor.secret"
        secret.write_text(VISITOR[1] + "\n")
        secret.chmod(0o600)
        listeners = json.loads(self.configuration.read_text())["listeners"]
        for listener in listeners:
            if listener["protocol"] in ("http", "ws", "wss"):
                listener["accessKeys"] = True
                for key in ("anonymous", "requireClientCertificate", "clientCA", "origins", "path"):
                    listener.pop(key, None)
        self.configure(listeners=listeners, accessKeys=KEYS, **settings)
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        self.start()
        self.wait_until_ready()

    def client(self, service, key=BARISTA, region="us-east-1"):
        return boto3.client(
            service, endpoint_url=self.url, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
            aws_session_token=key[2] if len(key) > 2 else None,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False))


def signed(method, url, service, body=b"", headers=(), key=BARISTA, region="us-east-1", seconds=0, presigned=None):
    """A request as botocore signs it, as many seconds from now."""
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(seconds=seconds)
    signer = botocore.auth.SigV4QueryAuth if presigned else botocore.auth.SigV4Auth
    options = {"expires": presigned} if presigned else {}
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: now):
        signer(Credentials(*key), service, region, **options).add_auth(request)
    parts = urlsplit(request.url)
    return {
        "method": method, "target": (parts.path or "/") + ("?" + parts.query if parts.query else ""), "body": body,
        "headers": [("Host", parts.netloc), *request.headers.items()], "address": (parts.hostname, parts.port),
    }


def answer(request):
    """Sends a request with exactly these headers: the status, the headers and the text."""
    with socket.create_connection(request["address"], timeout=WAIT_SECONDS) as connection:
        lines = [f"{request['method']} {request['target']} HTTP/1.1", *(f"{name}: {value}" for name, value in request["headers"])]
        lines += [f"Content-Length: {len(request['body'])}", "Connection: close", "", ""]
        connection.sendall("\r\n".join(lines).encode() + request["body"])
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.headers, response.read().decode()


def until_logged(broker, call, *parts):
    """Calls until the log has a line with all the parts: of refusals it has one for each caller and second."""
    for _ in range(WAIT_SECONDS):
        call()
        if any(all(part in line for part in parts) for line in broker.log().splitlines()):
            return
        time.sleep(1.1)
    raise AssertionError(f"no line with {parts} in the log:\n{broker.log()}")


class SignedRequestTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = SignedBroker()
        cls.addClassCleanup(cls.broker.end)

    def setUp(self):
        # What another test has sent there is none of this one's.
        sqs = self.broker.client("sqs")
        sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName="visits")["QueueUrl"])

    def refusal(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.exception.response
        return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]

    def entry(self, bus="orders"):
        return {"Source": "shop", "DetailType": "Order", "Detail": "{}", "EventBusName": bus}

    # MARK: What is signed

    def test_calls_of_every_service_are_taken(self):
        events, sqs, iot = (self.broker.client(name) for name in ("events", "sqs", "iot"))
        self.assertEqual(events.put_events(Entries=[self.entry()])["FailedEntryCount"], 0)
        self.assertIn("orders", [bus["Name"] for bus in events.list_event_buses()["EventBuses"]])
        self.assertEqual(self.broker.client("events", region="eu-central-1").list_rules(EventBusName="orders")["Rules"], [])
        url = sqs.get_queue_url(QueueName="visits")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="café ☕")
        self.assertEqual(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], "café ☕")
        iot.create_topic_rule(ruleName="signed", topicRulePayload={"sql": "SELECT * FROM 'a/b'", "actions": []}, tags="a=b%20c")
        self.assertEqual([rule["ruleName"] for rule in iot.list_topic_rules(topic="a/b", maxResults=5)["rules"]], ["signed"])
        self.assertEqual(iot.get_topic_rule(ruleName="signed")["rule"]["sql"], "SELECT * FROM 'a/b'")
        arn = "arn:aws:iot:us-east-1:000000000000:rule/signed"
        self.assertEqual(iot.list_tags_for_resource(resourceArn=arn)["tags"], [{"Key": "a", "Value": "b c"}])
        iot.delete_topic_rule(ruleName="signed")
        data = self.broker.client("iot-data")
        data.publish(topic="menu/a b/é//x", qos=1, retain=True, payload="ready")
        self.assertEqual(data.get_retained_message(topic="menu/a b/é//x")["payload"], b"ready")
        self.assertEqual([found["topic"] for found in data.list_retained_messages()["retainedTopics"]], ["menu/a b/é//x"])

    def test_requests_to_routes_are_taken_with_paths_queries_and_bodies_of_all_kinds(self):
        url = self.broker.url
        for method, path, body, headers in (
                ("POST", "/visits/flat%20white?size=l&note=a%20b%2Bc&a=2&a=10", b'{"a": 1}', [("Content-Type", "application/json")]),
                ("POST", "/visits/caf%C3%A9%2F~?empty=&size=s", b"{}", [("X-Shop", " two   spaces ")]),
                ("POST", "/visits/a%25b?size=", "{\"a\": \"é\"}".encode(), [("X-Shop", "b"), ("X-Shop", "a")])):
            status, _, text = answer(signed(method, url + path, "execute-api", body, headers))
            self.assertEqual(status, 200, f"{path}: {text}")
        status, _, text = answer(signed("POST", url + "/visits/x?size=m", "execute-api", b"", presigned=60))
        self.assertEqual(status, 200, text)

    def test_threat_65_whoever_signs_rightly_may_name_any_host(self):
        for path, service in (("/retainedMessage", "iotdata"), ("/rules", "iot")):
            request = signed("GET", f"http://broker.example:{self.broker.http}{path}", service)
            request["address"] = ("127.0.0.1", self.broker.http)
            self.assertEqual(answer(request)[0], 200)
            request["headers"] = [field for field in request["headers"] if field[0] != "Authorization"]
            self.assertEqual(answer(request)[0], 403)

    def test_a_temporary_key_needs_its_token(self):
        self.assertEqual(self.broker.client("events", VISITOR).put_events(Entries=[self.entry("visitors")])["FailedEntryCount"], 0)
        for key in (VISITOR[:2], (*VISITOR[:2], "another"), (*BARISTA, "any")):
            code, _, status = self.refusal(self.broker.client("events", key).list_event_buses)
            self.assertEqual((code, status), ("UnrecognizedClientException", 403))

    # MARK: What is not, or wrongly

    def test_boto3_raises_what_the_services_say(self):
        wrong, unknown = (BARISTA[0], BARISTA[1][:-1] + "Z"), ("AKIDUNKNOWN", BARISTA[1])
        for service, call, key, code in (
                ("events", "list_event_buses", wrong, "InvalidSignatureException"),
                ("events", "list_event_buses", unknown, "UnrecognizedClientException"),
                ("sqs", "list_queues", wrong, "SignatureDoesNotMatch"), ("sqs", "list_queues", unknown, "InvalidClientTokenId"),
                ("iot", "list_topic_rules", wrong, "InvalidSignatureException"),
                ("iot", "list_topic_rules", unknown, "UnrecognizedClientException")):
            found, text, status = self.refusal(getattr(self.broker.client(service, key), call))
            self.assertEqual((found, status), (code, 403), service)
            self.assertIn("security token" if key == unknown else "The request signature we calculated does not match", text)
        unsigned = boto3.client(
            "events", endpoint_url=self.broker.url, region_name="us-east-1",
            config=botocore.config.Config(signature_version=botocore.UNSIGNED))
        self.assertEqual(self.refusal(unsigned.list_event_buses)[0], "MissingAuthenticationTokenException")
        self.assertNotIn(BARISTA[1], self.broker.log())

    def test_the_aws_cli_prints_the_error(self):
        for secret, succeeds, text in ((BARISTA[1], True, "orders"), ("wrong/wrong/wrong/wrong", False, "(InvalidSignatureException)")):
            result = subprocess.run(
                [sys.executable, "-m", "awscli", "events", "list-event-buses", "--endpoint-url", self.broker.url, "--region", "us-east-1"],
                env={**os.environ, "AWS_ACCESS_KEY_ID": BARISTA[0], "AWS_SECRET_ACCESS_KEY": secret, "AWS_MAX_ATTEMPTS": "1"},
                capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode == 0, succeeds, result.stderr)
            self.assertIn(text, result.stdout + result.stderr)

    def test_threat_49_a_request_is_refused_when_one_thing_in_it_is_changed(self):
        for name, request in mutations(self.broker.url):
            status, headers, text = answer(request)
            # Two hosts are no request at all.
            self.assertIn(status, (400,) if name.startswith("host") and "host" != name else (403,), f"{name}: {text}")
            if status == 403:
                # A call of a queue that says no target is one in its older protocol, and so is the answer.
                self.assertTrue("Exception" in headers.get("x-amzn-ErrorType", "") or "<Code>" in text, name)
        queue = self.broker.client("sqs").get_queue_url(QueueName="visits")["QueueUrl"]
        self.assertNotIn("Messages", self.broker.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["mutated"]))

    def test_threat_49_a_signature_is_good_for_five_minutes_and_a_signed_url_until_its_time_is_over(self):
        url = self.broker.url + "/visits/x?size=m"
        for seconds, presigned, status in (
                (-290, None, 200), (290, None, 200), (-310, None, 403), (310, None, 403), (-50, 60, 200), (-70, 60, 403), (310, 600, 403),
                (0, 604_801, 403)):
            found, _, text = answer(signed("POST", url, "execute-api", b"", seconds=seconds, presigned=presigned))
            self.assertEqual(found, status, f"{seconds} {presigned}: {text}")
        until_logged(self.broker, lambda: answer(signed("POST", url, "execute-api", seconds=-310)), "request refused", "Signature expired: ")

    # MARK: Who may do what

    def test_a_caller_may_what_its_policies_allow_and_nothing_else(self):
        events, sqs, iot = (self.broker.client(name, VISITOR) for name in ("events", "sqs", "iot"))
        self.assertEqual(events.put_events(Entries=[self.entry("visitors")])["FailedEntryCount"], 0)
        bus = "arn:aws:events:us-east-1:000000000000:event-bus/orders"
        for entries in ([self.entry("orders")], [self.entry("visitors"), self.entry(bus)]):
            code, text, status = self.refusal(events.put_events, Entries=entries)
            self.assertEqual((code, status), ("AccessDeniedException", 403))
            self.assertEqual(
                text, f"User: arn:aws:iam::000000000000:user/visitor is not authorized to perform: events:PutEvents on resource: {bus}")
        until_logged(
            self.broker, lambda: self.refusal(events.put_events, Entries=[self.entry("orders")]), "request refused",
            f"events:PutEvents on {bus} is allowed by no policy")
        url = self.broker.client("sqs").get_queue_url(QueueName="visits")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}])
        for call, arguments in (
                (sqs.receive_message, {"QueueUrl": url}), (sqs.purge_queue, {"QueueUrl": url}), (sqs.list_queues, {}),
                (sqs.send_message, {"QueueUrl": url.replace("visits", "secrets"), "MessageBody": "x"}),
                (sqs.send_message_batch, {"QueueUrl": url.replace("visits", "secrets"), "Entries": [{"Id": "a", "MessageBody": "x"}]})):
            self.assertEqual(self.refusal(call, **arguments)[0], "AccessDenied", call)
        for call, arguments in (
                (iot.list_topic_rules, {}), (iot.delete_topic_rule, {"ruleName": "x"}), (events.delete_event_bus, {"Name": "orders"}),
                (events.put_rule, {"Name": "x", "EventPattern": "{\"source\":[\"a\"]}"}), (events.list_event_buses, {})):
            self.assertEqual(self.refusal(call, **arguments)[0], "AccessDeniedException", call)
        data = self.broker.client("iot-data", VISITOR)
        for call, arguments in (
                (data.publish, {"topic": "users/visitor", "payload": b"x"}), (data.get_retained_message, {"topic": "menu/x"}),
                (data.list_retained_messages, {})):
            code, _, status = self.refusal(call, **arguments)
            self.assertEqual((code, status), ("ForbiddenException", 403), call)
        for path, status in (("/visits/x?size=m", 200), ("/visits/sec%72et?size=m", 403), ("/visits/secret?size=m", 403), ("/private", 403)):
            found, headers, text = answer(signed("POST", self.broker.url + path, "execute-api", b"", key=VISITOR))
            self.assertEqual(found, status, f"{path}: {text}")
            if status == 403:
                self.assertEqual(headers["x-amzn-ErrorType"], "AccessDeniedException")

    def test_the_statement_that_decides_is_named(self):
        for arguments, code, text in (
                (("visitor", "events:PutEvents", "event-bus/visitors"), 0, "of the policy Visitor"),
                (("visitor", "events:putevents", "arn:aws:events:us-east-1:000000000000:event-bus/orders"), 4, "no statement allows it, of Visitor"),
                (("visitor", "execute-api:Invoke", "crema/$default/POST/visits/secret"), 4, "by statement NoSecrets of the policy Visitor"),
                (("visitor", "sqs:SendMessage", "visits"), 0, "allowed: sqs:SendMessage on arn:aws:sqs:us-east-1:000000000000:visits")):
            result = run(CREMA, "acl", "explain", "--config", str(self.broker.configuration), *arguments, check=False)
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertIn(text, result.stdout)


def mutations(base):
    """Requests that were signed rightly and then changed in one thing each, with what that is."""
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "AmazonSQS.SendMessage"), ("X-Shop", "b"), ("X-Shop", "a")]
    body = json.dumps({"QueueUrl": base + "/000000000000/visits", "MessageBody": "mutated"}).encode()
    call = signed("POST", base + "/", "sqs", body, headers)
    route = signed("POST", base + "/visits/a%2Fb?size=l&note=x", "execute-api", b'{"a": 1}', [("Content-Type", "application/json")])
    url = signed("POST", base + "/visits/a%2Fb?size=l&note=x", "execute-api", b"", presigned=60)

    def changed(request, **parts):
        return {**request, **parts}

    def header(request, name, change):
        return changed(request, headers=[(n, change(v) if n == name else v) for n, v in request["headers"]])

    def authorization(request, text, other):
        return header(request, "Authorization", lambda value: value.replace(text, other, 1))

    def without(request, name):
        return changed(request, headers=[(n, v) for n, v in request["headers"] if n != name])

    def added(request, name, value):
        return changed(request, headers=[*request["headers"], (name, value)])

    yield "host", header(call, "Host", lambda value: "localhost:" + value.split(":")[1])
    yield "host twice", added(call, "Host", base.removeprefix("http://"))
    yield "body", changed(call, body=body.replace(b"mutated", b"mutates"))
    yield "body longer", changed(call, body=body + b" ")
    yield "body empty", changed(call, body=b"")
    yield "body said to be unsigned", added(call, "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")
    yield "operation", header(call, "X-Amz-Target", lambda value: "AmazonSQS.PurgeQueue")
    yield "operation twice", added(call, "X-Amz-Target", "AmazonSQS.SendMessage")
    yield "media type", header(call, "Content-Type", lambda value: value + "; charset=utf-8")
    yield "order of values", changed(call, headers=sorted(call["headers"], key=lambda pair: pair[1]))
    yield "value added", added(call, "X-Shop", "c")
    yield "date", header(call, "X-Amz-Date", lambda value: value[:-2] + ("1Z" if value[-2] != "1" else "2Z"))
    yield "date removed", without(call, "X-Amz-Date")
    yield "date twice", added(call, "X-Amz-Date", dict(call["headers"])["X-Amz-Date"])
    yield "date at last midnight", header(call, "X-Amz-Date", lambda value: value[:9] + "000000Z")
    for name in ("X-Amz-Meta-A", "x-amz-security-token", "X-AMZ-EXPECTED"):
        yield f"unsigned {name}", added(call, name, "x")
    yield "signature removed", without(call, "Authorization")
    yield "signature twice", added(call, "Authorization", dict(call["headers"])["Authorization"])
    for name, text, other in (
            ("key", BARISTA[0], VISITOR[0]), ("unknown key", BARISTA[0], "AKIDOTHER"), ("region", "/us-east-1/", "/us-west-1/"),
            ("service", "/sqs/", "/events/"), ("other service", "/sqs/", "/iot/"), ("day", "/20", "/30"),
            ("terminator", "aws4_request", "aws4"), ("scope too short", "/sqs/", "/"), ("algorithm", "SHA256", "SHA512"),
            ("asymmetric", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), ("no host", "host;", ""),
            ("no operation", ";x-amz-target", ""), ("no date", "x-amz-date;", ""), ("no media type", "content-type;", ""),
            ("a header that is not there", "content-type;", "content-typf;"), ("order of headers", "content-type;host", "host;content-type"),
            ("header twice", "host;", "host;host;"), ("upper case", "host;", "Host;"), ("no key", "Credential=", "Creds="),
            ("no headers", "SignedHeaders=", "Headers="), ("no signature", "Signature=", "Sig="), ("longer", "Signature=", "Signature=0"),
            ("key twice", "SignedHeaders=", f"Credential={BARISTA[0]}, SignedHeaders=")):
        yield f"authorization: {name}", authorization(call, text, other)
    yield "authorization: last digit", header(call, "Authorization", lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"))
    yield "authorization: shorter", header(call, "Authorization", lambda value: value[:-1])
    yield "authorization: upper case", header(call, "Authorization", lambda value: value[:-64] + value[-64:].upper())
    for request, kind in ((route, "route"), (url, "url")):
        for name, text, other in (
                ("level", "a%2Fb", "a%2Fc"), ("case of an escape", "%2F", "%2f"), ("no escape", "visits/a%2Fb", "visits/%61%2Fb"),
                ("two slashes", "/visits", "//visits"), ("a dot", "/visits", "/./visits"), ("two dots", "/visits", "/x/../visits"),
                ("value", "size=l", "size=s"), ("name", "note=", "notes="), ("no value", "size=l&", ""), ("twice", "size=l", "size=l&size=l"),
                ("plus", "note=x", "note=+x"), ("empty", "size=l", "size=l&")):
            yield f"{kind}: {name}", changed(request, target=request["target"].replace(text, other, 1))
        yield f"{kind}: added", changed(request, target=request["target"] + "&x=1")
        yield f"{kind}: method", changed(request, method="PUT")
        yield f"{kind}: body", changed(request, body=b"x")
    for name, text, other in (
            ("expiry", "Expires=60", "Expires=600"), ("no expiry", "&X-Amz-Expires=60", ""), ("key", BARISTA[0], VISITOR[0]),
            ("region", "us-east-1", "us-east-2"), ("service", "execute-api", "events"), ("headers", "SignedHeaders=host", "SignedHeaders="),
            ("algorithm", "SHA256", "SHA1"), ("no algorithm", "X-Amz-Algorithm=", "X-Amz-Algo="), ("signature", "Signature=", "Signature=0"),
            ("no signature", "X-Amz-Signature=", "X-Amz-Sig=")):
        yield f"url: {name}", changed(url, target=url["target"].replace(text, other, 1))
    yield "url: token", changed(url, target=url["target"] + "&X-Amz-Security-Token=x")
    yield "url: signed twice", added(url, "Authorization", dict(call["headers"])["Authorization"])


class SignedWebSocketTests(unittest.TestCase):
    def setUp(self):
        self.broker = SignedBroker()
        self.addCleanup(self.broker.end)

    def url(self, scheme, port, key=BARISTA, service="iotdevicegateway", **options):
        request = signed("GET", f"{scheme}://localhost:{port}/mqtt", service, key=key[:2], presigned=options.pop("expires", 60), **options)
        return request["target"] + ("&X-Amz-Security-Token=" + quote(key[2], safe="") if len(key) > 2 else "")

    def upgrade(self, port, target):
        nonce = base64.b64encode(os.urandom(16)).decode()
        with socket.create_connection(("localhost", port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(
                f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n".encode())
            return connection.recv(65_536).decode()

    def connect(self, port, key=BARISTA, client_id="phone-1"):
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, transport="websockets", protocol=paho.MQTTv5)
        client.ws_set_options(path=self.url("http", port, key))
        connected, ended = threading.Event(), threading.Event()
        client.on_connect = lambda *arguments: connected.set()
        client.on_disconnect = lambda *arguments: ended.set()
        client.connect("localhost", port)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.assertTrue(connected.wait(WAIT_SECONDS))
        return client, ended

    def test_a_request_that_is_not_signed_rightly_opens_nothing(self):
        for port in (self.broker.ws, self.broker.http):
            good = self.url("http", port)
            self.assertIn("101 Switching", self.upgrade(port, good).splitlines()[0])
            for name, target in (
                    ("signature", good.replace("Signature=", "Signature=0")), ("key", good.replace(BARISTA[0], VISITOR[0])),
                    ("region", good.replace("us-east-1", "us-east-2")), ("expiry", good.replace("Expires=60", "Expires=61")),
                    ("parameter", good + "&x=1"), ("service", self.url("http", port, service="events")),
                    ("time", self.url("http", port, seconds=-600)), ("token", good + "&X-Amz-Security-Token=x"),
                    ("no token", self.url("http", port, VISITOR[:2])), ("another secret", self.url("http", port, (BARISTA[0], "x" * 40)))):
                self.assertIn(" 403 ", self.upgrade(port, target).splitlines()[0], name)
            self.assertIn("101 Switching", self.upgrade(port, self.url("http", port, VISITOR)).splitlines()[0])
        until_logged(
            self.broker, lambda: self.upgrade(self.broker.ws, self.url("http", self.broker.ws, seconds=-600)), "request refused",
            "status=403", "Signature expired: ")
        self.assertNotIn(self.url("http", self.broker.ws)[-64:], self.broker.log())

    def test_a_connection_is_its_signers_until_the_key_is_gone(self):
        barista, _ = self.connect(self.broker.ws)
        visitor, ended = self.connect(self.broker.http, VISITOR, "phone-2")
        listed = json.loads(run(CREMA, "clients", "--json", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout)
        clients = {client["clientID"]: client["principal"] for client in listed["rows"]}
        self.assertEqual((clients["phone-1"], clients["phone-2"]), ("barista", "visitor"))
        received = threading.Event()
        visitor.on_message = lambda *arguments: received.set()
        for topic, code in (("users/visitor", 0), ("users/barista", 0x87)):
            answered, codes = threading.Event(), []
            visitor.on_subscribe = lambda client, data, mid, reasons, properties: (codes.extend(r.value for r in reasons), answered.set())
            visitor.subscribe(topic)
            self.assertTrue(answered.wait(WAIT_SECONDS))
            self.assertEqual(codes, [code], topic)
        barista.publish("users/visitor", "ready", qos=1).wait_for_publish(WAIT_SECONDS)
        self.assertTrue(received.wait(WAIT_SECONDS))
        # A reload that fails changes nothing, and one that takes a key away ends who came by it.
        self.broker.configure(accessKeys=[KEYS[0], {"id": "short", "secret": "short", "principal": "x"}])
        self.broker.process.send_signal(1)
        self.broker.wait_for_log("reload failed: nothing has changed")
        self.assertFalse(ended.is_set())
        self.broker.configure(accessKeys=KEYS[:1])
        self.broker.reload()
        self.assertTrue(ended.wait(WAIT_SECONDS))
        self.broker.wait_for_log("client_id=phone-2", "reason=not_permitted", "the access key by which the request was signed is gone")
        self.assertTrue(barista.is_connected())
        code = None
        try:
            self.broker.client("events", VISITOR).list_event_buses()
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
        self.assertEqual(code, "UnrecognizedClientException")

    def test_a_client_that_signs_nothing_is_taken_nowhere(self):
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="x", transport="websockets", protocol=paho.MQTTv5)
        client.ws_set_options(path="/mqtt")
        codes, answered = [], threading.Event()
        client.on_connect = lambda client, data, flags, reason, properties: (codes.append(reason.value), answered.set())
        client.connect("localhost", self.broker.ws)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.assertTrue(answered.wait(WAIT_SECONDS))
        self.assertEqual(codes[0], 0x87)

    def test_the_device_sdk_of_aws_connects_publishes_and_subscribes_under_policies(self):
        from awscrt import auth, mqtt
        from awsiot import mqtt_connection_builder

        def connection(key, client_id):
            provider = auth.AwsCredentialsProvider.new_static(*key)
            made = mqtt_connection_builder.websockets_with_default_aws_signing(
                region="us-east-1", credentials_provider=provider, endpoint="localhost", port=self.broker.wss,
                ca_filepath=str(self.broker.certificates / "ca.crt"), client_id=client_id, clean_session=True)
            made.connect().result(WAIT_SECONDS)
            self.addCleanup(lambda: made.disconnect().result(WAIT_SECONDS))
            return made

        visitor, barista = connection(VISITOR, "sdk-visitor"), connection(BARISTA, "sdk-barista")
        received, messages = threading.Event(), []
        subscribed, _ = visitor.subscribe(
            "users/visitor", mqtt.QoS.AT_LEAST_ONCE, lambda topic, payload, **more: (messages.append((topic, payload)), received.set()))
        self.assertEqual(subscribed.result(WAIT_SECONDS)["qos"], mqtt.QoS.AT_LEAST_ONCE)
        barista.publish("users/visitor", b"ready", mqtt.QoS.AT_LEAST_ONCE)[0].result(WAIT_SECONDS)
        self.assertTrue(received.wait(WAIT_SECONDS))
        self.assertEqual(messages, [("users/visitor", b"ready")])
        denied, _ = visitor.subscribe("users/barista", mqtt.QoS.AT_LEAST_ONCE, lambda **more: None)
        with self.assertRaises(mqtt.SubscribeError):
            denied.result(WAIT_SECONDS)
        with self.assertRaises(Exception):
            connection((BARISTA[0], "x" * 40), "sdk-wrong")


class AccessKeyConfigurationTests(unittest.TestCase):
    def check(self, text, **environment):
        with tempfile.TemporaryDirectory(prefix="crema-") as folder:
            path = pathlib.Path(folder) / "crema.yaml"
            path.write_text(text.replace("FOLDER", folder))
            (pathlib.Path(folder) / "open").write_text(BARISTA[1])
            (pathlib.Path(folder) / "secret").write_text(BARISTA[1] + "\n")
            (pathlib.Path(folder) / "secret").chmod(0o600)
            variables = {name: value.replace("FOLDER", folder) for name, value in environment.items()}
            return run(CREMA, "check", "--config", str(path), env=unconfigured() | variables, check=False)

    def test_mistakes_are_refused_with_their_place_and_without_the_secret(self):
        listener = "listeners:\n- {protocol: http, bind: '127.0.0.1:8080', accessKeys: true}\n"
        for text, expected in (
                (listener, "2:3: the listener takes signed requests (`accessKeys: true`), but there are no `accessKeys`"),
                (f"{listener}accessKeys:\n- {{id: A, secret: {BARISTA[1]}}}\n", "4:3: an access key lacks `principal`"),
                (f"{listener}accessKeys:\n- {{id: A/B, secret: {BARISTA[1]}, principal: p}}\n", "4:3: an access key cannot be used: its `id` must be"),
                (f"{listener}accessKeys:\n- {{id: A, secret: short, principal: p}}\n", "the secret of A must have 16 to 1024 bytes"),
                (f"{listener}accessKeys:\n- {{id: A, principal: p}}\n", "an access key has a `secret`, or a `secretFile` that holds it"),
                (f"{listener}accessKeys:\n- {{id: A, secretFile: open, principal: p}}\n", "lets others read the credentials; chmod 600 it"),
                (f"{listener}accessKeys:\n- {{id: A, secretFile: none, principal: p}}\n", "there is no such file"),
                (f"{listener}accessKeys:\n" + f"- {{id: A, secret: {BARISTA[1]}, principal: p}}\n" * 2, "the access key A is there twice"),
                ("listeners:\n- {protocol: mqtt, bind: '127.0.0.1:1883', accessKeys: true}\n", "`accessKeys` is for the protocols http, ws and wss")):
            result = self.check(text)
            self.assertEqual(result.returncode, 2, text)
            self.assertIn(expected, result.stdout + result.stderr)
            self.assertNotIn(BARISTA[1], result.stdout + result.stderr)

    def test_a_secret_that_others_may_read_is_warned_of(self):
        text = f"listeners:\n- {{protocol: http, bind: '127.0.0.1:8080', accessKeys: true}}\naccessKeys:\n- {{id: A, secret: %s, principal: p}}\n"
        result = self.check(text % BARISTA[1])
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("4:3", result.stdout + result.stderr)
        self.assertIn("the secret of the access key A stands in a file of mode 644", result.stdout + result.stderr)
        self.assertNotIn(BARISTA[1], result.stdout + result.stderr)

    def test_what_can_be_shown_again_does_not_cross_a_network_in_the_open(self):
        keys = f"accessKeys: [{{id: A, secret: {BARISTA[1]}, principal: p}}]\n"
        for protocol in ("http", "ws"):
            listener = f"listeners: [{{protocol: {protocol}, bind: '0.0.0.0:8080', accessKeys: true%s}}]\n"
            refused = self.check(listener % "" + keys)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("0.0.0.0:8080 takes signatures that can be shown again (`accessKeys`) without encryption", refused.stdout + refused.stderr)
            self.assertEqual(self.check(listener % ", insecure: true" + keys).returncode, 0)

    def test_secrets_come_by_file_and_by_environment(self):
        listener = "listeners:\n- {protocol: http, bind: '127.0.0.1:8080', accessKeys: true}\n"
        for text, environment in (
                (f"{listener}accessKeys: [{{id: A, secretFile: secret, principal: p}}]\n", {}),
                (f"{listener}accessKeys: [{{id: A, principal: p}}]\n", {"CREMA_ACCESSKEYS__0__SECRET_FILE": "FOLDER/secret"}),
                (listener, {"CREMA_ACCESS_KEYS__0__ID": "A", "CREMA_ACCESS_KEYS__0__PRINCIPAL": "p", "CREMA_ACCESS_KEYS__0__SECRET": BARISTA[1]})):
            result = self.check(text, **environment)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn("signed requests (AWS Signature Version 4)", result.stdout)


class MixedListenerTests(unittest.TestCase):
    """`anonymous: true` beside `accessKeys: true`."""

    def setUp(self):
        self.broker = Broker(TEMPLATE, API, more={"policies": [{"anonymous": True, "attach": ["Visitor"]}, *EVERYTHING], "accessKeys": KEYS[:1]})
        self.addCleanup(self.broker.end)
        listeners = json.loads(self.broker.configuration.read_text())["listeners"]
        for listener in listeners:
            if listener["protocol"] == "http":
                listener["accessKeys"] = True
        self.broker.configure(listeners=listeners)
        self.broker.process.terminate()
        self.broker.process.wait(WAIT_SECONDS)
        self.broker.start()
        self.broker.wait_until_ready()

    def test_that_signatures_are_not_to_be_taken_any_more_needs_a_restart_and_is_named(self):
        listeners = json.loads(self.broker.configuration.read_text())["listeners"]
        for listener in listeners:
            listener.pop("accessKeys", None)
        self.broker.configure(listeners=listeners)
        self.broker.reload()
        self.broker.wait_for_log("a change needs a restart", "`accessKeys` of the listener")

    def test_who_signs_nothing_is_anonymous_and_who_signs_must_sign_rightly(self):
        url = self.broker.url + "/visits/x?size=m"
        plain = {"method": "POST", "target": "/visits/x?size=m", "body": b"", "address": ("127.0.0.1", self.broker.http),
                 "headers": [("Host", f"127.0.0.1:{self.broker.http}")]}
        self.assertEqual(answer(plain)[0], 200)
        status, headers, text = answer({**plain, "target": "/private"})
        self.assertEqual((status, headers["x-amzn-ErrorType"]), (403, "AccessDeniedException"))
        self.assertIn("User: anonymous is not authorized to perform: execute-api:Invoke on resource: ", text)
        self.assertEqual(answer(signed("POST", self.broker.url + "/private", "execute-api"))[0], 200)
        self.assertEqual(answer(signed("POST", url, "execute-api", key=(BARISTA[0], "x" * 40)))[0], 403)
        self.assertEqual(answer(signed("POST", url, "execute-api", key=("UNKNOWN", "x" * 40)))[0], 403)
