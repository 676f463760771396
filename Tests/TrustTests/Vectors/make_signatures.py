"""Writes signatures.json: requests as botocore signs them, at one moment, with a key that AWS's documentation publishes.

Usage: make_signatures.py > signatures.json
"""

import datetime
import json
import sys
from unittest import mock
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 11, 26, 20, 29, 18)
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = ("ASIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+EXAMPLE==")


def vector(name, method, url, service, headers=(), body="", region="us-east-1", key=KEY, signer=botocore.auth.SigV4Auth, **more):
    request = AWSRequest(method=method, url=url, data=body.encode())
    for header, value in headers:
        request.headers.add_header(header, value)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: NOW):
        signer(Credentials(*key), service, region, **more).add_auth(request)
    parts = urlsplit(request.url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return {
        "name": name, "service": service, "method": method, "target": target, "body": body,
        "headers": [[header, value] for header, value in request.headers.items()] + [["Host", parts.netloc]],
    }


def main():
    host = "http://127.0.0.1:8080"
    target = [("X-Amz-Target", "AWSEvents.PutEvents"), ("Content-Type", "application/x-amz-json-1.1")]
    vectors = [
        vector("a call with a body", "POST", host + "/", "events", target, '{"Entries":[]}'),
        vector("a call without a body", "POST", host + "/", "sqs", [("X-Amz-Target", "AmazonSQS.ListQueues")]),
        vector("a host without a port", "GET", "http://localhost", "execute-api"),
        vector("a region elsewhere", "GET", host + "/rules", "iot", region="eu-west-1"),
        vector("a path that is encoded", "GET", host + "/rules/a%20b%2Fc%C3%A9~d", "iot"),
        vector("a path with an encoded per cent", "GET", host + "/orders/100%25", "execute-api"),
        vector("a path with what may stand unencoded", "GET", host + "/a:b@c!$&'()*+,;=d/", "execute-api"),
        vector("a query", "GET", host + "/rules?topic=a%2Fb&maxResults=10", "iot"),
        vector("a query that is not in order", "GET", host + "/orders?b=2&a=2&a=10&a=1&B=3&c&a-b=4&ab=%20%2B", "execute-api"),
        vector("an empty value in the query", "GET", host + "/tags?resourceArn=", "iot"),
        vector("headers with spaces", "POST", host + "/order", "execute-api",
               [("X-Shop", "  two   spaces "), ("Content-Type", "application/json")], '{"a":1}'),
        vector("a header that stands twice", "POST", host + "/order", "execute-api", [("X-Shop", "b"), ("X-Shop", "a")], "x"),
        vector("a body beyond ASCII", "POST", host + "/order", "execute-api", [], "café"),
        vector("everything at once", "POST", host + "/rules/a%2Fb?topic=a%2Fb&maxResults=10", "iot",
               target + [("X-Shop", "b"), ("X-Shop", "a")], '{"a":1}'),
        vector("a session token", "POST", host + "/", "events", target, "{}", key=TEMPORARY),
        vector("a date in the header Date", "POST", host + "/", "events", target + [("Date", "x")], "{}"),
        vector("a hash of the body in a header", "POST", host + "/", "events",
               target + [("X-Amz-Content-SHA256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")], "{}"),
        vector("a signed URL", "GET", host + "/orders?drink=flat%20white", "execute-api", signer=botocore.auth.SigV4QueryAuth, expires=60),
        vector("a signed URL with a session token", "GET", host + "/orders", "execute-api", key=TEMPORARY,
               signer=botocore.auth.SigV4QueryAuth, expires=60),
        vector("a signed URL for WebSocket", "GET", "https://127.0.0.1:8084/mqtt", "iotdevicegateway",
               signer=botocore.auth.SigV4QueryAuth, expires=86400),
    ]
    token = vector("a signed URL for WebSocket with a session token", "GET", "https://127.0.0.1:8084/mqtt", "iotdevicegateway",
                   key=(TEMPORARY[0], TEMPORARY[1]), signer=botocore.auth.SigV4QueryAuth, expires=86400)
    token["target"] += "&X-Amz-Security-Token=session%2Ftoken%2BEXAMPLE%3D%3D"
    json.dump(vectors + [token], sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
