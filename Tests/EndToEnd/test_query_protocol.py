"""Queues by an older boto3 and an older AWS CLI, which speak Amazon SQS's query protocol, and by forms that are signed by hand."""

import json
import os
import pathlib
import subprocess
import unittest

from broker import BrokerTestCase, run
from test_signed_requests import BARISTA, VISITOR, SignedBroker, answer, signed

PROGRAM = pathlib.Path(__file__).parent / "clients" / "query_protocol.py"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FORM = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]


def older_python():
    """A Python whose boto3 speaks the query protocol: `.ci/endtoend.sh` makes one, and Debian 12's own has one."""
    for python in (os.environ.get("CREMA_OLDER_PYTHON"), REPOSITORY / ".build/venv-query/bin/python", "/usr/bin/python3"):
        ask = "import boto3, botocore; print(tuple(map(int, botocore.__version__.split('.'))) < (1, 31, 81))"
        if python and os.path.exists(python):
            told = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
            if told.stdout.strip() == "True":
                return str(python)
    return None


OLDER = older_python()


@unittest.skipUnless(OLDER, "no boto3 of before November 2023 (.ci/endtoend.sh installs one)")
class OlderClientTests(BrokerTestCase):
    resources, parameters = (), {}

    def test_boto3(self):
        run(OLDER, str(PROGRAM), self.broker.url, "any", "any", "all")

    def test_the_aws_cli(self):
        aws = pathlib.Path(OLDER).with_name("aws")
        if not aws.exists():
            self.skipTest("no AWS CLI beside the older boto3")
        environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true"}

        def sqs(*arguments):
            told = run(str(aws), "--endpoint-url", self.broker.url, "--output", "json", "sqs", *arguments, env=environment).stdout
            return json.loads(told) if told else {}

        url = sqs("create-queue", "--queue-name", "cli")["QueueUrl"]
        sqs("send-message", "--queue-url", url, "--message-body", "by the CLI & more")
        message, = sqs("receive-message", "--queue-url", url, "--attribute-names", "All")["Messages"]
        self.assertEqual(message["Body"], "by the CLI & more")
        sqs("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
        self.assertEqual(sqs("receive-message", "--queue-url", url), {})


class SignedFormTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = SignedBroker()
        cls.addClassCleanup(cls.broker.end)

    def form(self, text, path="/", key=BARISTA, service="sqs", change=lambda request: request):
        request = change(signed("POST", self.broker.url + path, service, body=text.encode(), headers=FORM, key=key))
        status, _, body = answer(request)
        return status, body

    def test_forms_are_signed_and_their_signers_asked_for_rights(self):
        status, body = self.form("Action=SendMessage&MessageBody=m", "/000000000000/visits")
        self.assertEqual((status, "<MessageId>" in body), (200, True), body)
        self.assertEqual(self.form("Action=SendMessage&QueueUrl=visits&MessageBody=m", key=VISITOR)[0], 200)
        for arguments in [
                {"text": "Action=SendMessage&QueueUrl=secrets&MessageBody=m"}, {"text": "Action=ReceiveMessage&QueueUrl=visits"},
                {"text": "Action=SendMessage&MessageBody=m", "path": "/000000000000/secrets"},
                {"text": "Action=ListQueues"}, {"text": "Action=CreateQueue&QueueName=visits"}]:
            status, body = self.form(**arguments, key=VISITOR)
            self.assertEqual((status, "<Code>AccessDenied</Code>" in body), (403, True), body)

    def test_a_form_that_is_changed_is_not_its_signers(self):
        def changed(request):
            return {**request, "body": request["body"].replace(b"=m", b"=n")}

        status, body = self.form("Action=SendMessage&QueueUrl=visits&MessageBody=m", change=changed)
        self.assertEqual((status, "<Code>SignatureDoesNotMatch</Code>" in body), (403, True), body)
        status, body = self.form("Action=SendMessage&QueueUrl=visits&MessageBody=m", key=("AKIDNOBODY", "secret"))
        self.assertEqual((status, "<Code>InvalidClientTokenId</Code>" in body), (403, True), body)
        status, body = self.form("Action=SendMessage&QueueUrl=visits&MessageBody=m", service="events")
        self.assertEqual((status, "<Code>SignatureDoesNotMatch</Code>" in body), (403, True), body)

        def unsigned(request):
            return {**request, "headers": [header for header in request["headers"] if header[0] != "Authorization"]}

        status, body = self.form("Action=ListQueues", change=unsigned)
        self.assertEqual((status, "<Code>MissingAuthenticationToken</Code>" in body), (403, True), body)

    @unittest.skipUnless(OLDER, "no boto3 of before November 2023 (.ci/endtoend.sh installs one)")
    def test_an_older_boto3(self):
        run(OLDER, str(PROGRAM), self.broker.url, *BARISTA, "all")
        run(OLDER, str(PROGRAM), self.broker.url, *BARISTA, "secrets=sent")
        run(OLDER, str(PROGRAM), self.broker.url, BARISTA[0], "another", "visits=SignatureDoesNotMatch")


if __name__ == "__main__":
    unittest.main()
