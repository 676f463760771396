"""Connections, API destinations, policies of buses and archives by boto3 and the AWS CLI, with an HTTP server at the end of the chain."""

import json
import os
import pathlib
import signal
import tempfile
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

from broker import CREMA, Broker, run
from test_deliveries import WAIT_SECONDS, Target

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
EVENTS = "arn:aws:events:us-east-1:000000000000:"
KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}}


def template(port, more=None):
    """A connection, an API destination, a bus and an archive of a template."""
    return {"Resources": {
        "Declared": {"Type": "AWS::Events::Connection", "Properties": {
            "Name": "declared", "AuthorizationType": "BASIC",
            "AuthParameters": {"BasicAuthParameters": {"Username": "ann", "Password": "t0psecret"}}}},
        "Till": {"Type": "AWS::Events::ApiDestination", "Properties": {
            "Name": "till", "ConnectionArn": {"Fn::GetAtt": "Declared.Arn"}, "HttpMethod": "POST",
            "InvocationEndpoint": f"http://127.0.0.1:{port}/till?token=t0psecret"}},
        "Shop": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop"}},
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "failed"}},
        "Kept": {"Type": "AWS::Events::Archive", "Properties": {"ArchiveName": "kept", "SourceArn": {"Fn::GetAtt": "Shop.Arn"}}},
        **(more or {})}}


class APIDestinationTests(unittest.TestCase):
    def setUp(self):
        self.target = Target()
        self.addCleanup(self.target.end)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.resources = pathlib.Path(folder.name) / "calls.json"
        self.resources.write_text(json.dumps(template(self.target.port)))
        self.broker = Broker(
            self.resources, limits={"deliveryFirstWaitMillisecondsMax": 50, "eventConnectionsMax": 3},
            more={"http": {"allow": ["127.0.0.1/32"]}})
        self.addCleanup(self.broker.end)
        self.events = self.client("events")

    def client(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(
            service, endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def crema(self, *arguments, check=True):
        return run(CREMA, *arguments, "--admin", f"http://127.0.0.1:{self.broker.admin}", check=check)

    def refused(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        return error["Code"], error["Message"]

    def until(self, condition):
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline, self.broker.log())
            time.sleep(0.02)
        return found

    def put(self, source, **detail):
        entry = {"Source": source, "DetailType": "d", "Detail": json.dumps(detail)}
        self.assertEqual(self.events.put_events(Entries=[entry])["FailedEntryCount"], 0)

    def connect(self, name="login", **more):
        return self.events.create_connection(
            Name=name, AuthorizationType="API_KEY", AuthParameters={**KEY, **more})["ConnectionArn"]

    def destination(self, connection, path, name="orders"):
        return self.events.create_api_destination(
            Name=name, ConnectionArn=connection, HttpMethod="POST",
            InvocationEndpoint=f"http://127.0.0.1:{self.target.port}{path}")["ApiDestinationArn"]

    def rule(self, arn, source="orders", identifier="api", **more):
        self.events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
        target = {"Id": identifier, "Arn": arn, "InputPath": "$.detail", **more}
        self.assertEqual(self.events.put_targets(Rule=source, Targets=[target])["FailedEntryCount"], 0)

    def outcomes(self):
        rows = json.loads(self.broker.asks("/api/v1/statistics"))["events"]
        return {name: rows[name] for name in ("deliveriesPending", "deliveriesDropped", "deliveries", "deliveriesFailed")}

    def dead_letter(self):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
        message, = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"])["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}

    def test_a_call_from_beginning_to_end(self):
        common = {
            "HeaderParameters": [{"Key": "X-Shop", "Value": "nyc", "IsValueSecret": False}],
            "QueryStringParameters": [{"Key": "pin", "Value": "h1dden", "IsValueSecret": True}]}
        connection = self.connect(InvocationHttpParameters=common)
        self.assertRegex(connection, "^" + EVENTS + "connection/login/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        arn = self.destination(connection, "/orders")
        self.assertRegex(arn, "^" + EVENTS + "api-destination/orders/[0-9a-f-]{36}$")
        self.rule(arn)
        self.put("orders", n=1)
        path, body, headers = self.until(lambda: self.target.took("/orders"))[0]
        self.assertEqual((path, json.loads(body)), ("/orders?pin=h1dden", {"n": 1}))
        self.assertEqual((headers["X-Key"], headers["X-Shop"]), ("s3cret", "nyc"))
        self.assertEqual((headers["User-Agent"], headers["Range"]), ("Amazon/EventBridge/ApiDestinations", "bytes=0-1048575"))

        described = self.events.describe_connection(Name="login")
        self.assertEqual(
            (described["ConnectionArn"], described["ConnectionState"], described["AuthorizationType"]),
            (connection, "AUTHORIZED", "API_KEY"))
        self.assertEqual(described["AuthParameters"], {
            "ApiKeyAuthParameters": {"ApiKeyName": "X-Key"},
            "InvocationHttpParameters": {
                "HeaderParameters": [{"Key": "X-Shop", "Value": "nyc", "IsValueSecret": False}],
                "QueryStringParameters": [{"Key": "pin", "IsValueSecret": True}]}})
        destination = self.events.describe_api_destination(Name="orders")
        self.assertEqual(
            {name: destination[name] for name in (
                "ApiDestinationArn", "ApiDestinationState", "ConnectionArn", "HttpMethod", "InvocationRateLimitPerSecond")},
            {"ApiDestinationArn": arn, "ApiDestinationState": "ACTIVE", "ConnectionArn": connection, "HttpMethod": "POST",
             "InvocationRateLimitPerSecond": 300})

        # What came by API stays over a reload, and takes on what changes.
        self.broker.reload()
        self.events.update_connection(
            Name="login", AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "n3w"}})
        self.events.update_api_destination(Name="orders", InvocationEndpoint=f"http://127.0.0.1:{self.target.port}/moved")
        self.put("orders", n=2)
        path, _, headers = self.until(lambda: self.target.took("/moved"))[0]
        self.assertEqual((path, headers["X-Key"], headers["X-Shop"]), ("/moved?pin=h1dden", "n3w", "nyc"))

        listing = self.crema("destinations").stdout
        self.assertRegex(listing, r"till +active +POST +http://127.0.0.1:\d+/till +declared +\S+calls.json:\d+")
        self.assertRegex(listing, r"orders +active +POST +http://127.0.0.1:\d+/moved +login +UpdateApiDestination 20")
        self.assertRegex(listing, r"login +authorized +API_KEY +UpdateConnection 20")
        for text in (self.broker.log(), self.broker.asks("/metrics"), self.broker.asks("/api/v1/destinations"), listing,
                     str(described), str(self.events.list_connections())):
            for secret in ("s3cret", "n3w", "h1dden", "t0psecret"):
                self.assertNotIn(secret, text)

    def test_what_is_used_and_goes_fails_with_a_reason(self):
        arn = self.destination(self.connect(), "/orders")
        self.rule(arn, DeadLetterConfig={"Arn": "arn:aws:sqs:us-east-1:000000000000:failed"})
        answer = self.events.deauthorize_connection(Name="login")
        self.assertEqual(answer["ConnectionState"], "DEAUTHORIZED")
        self.assertNotIn("AuthParameters", self.events.describe_connection(Name="login"))
        self.assertEqual(self.events.describe_api_destination(Name="orders")["ApiDestinationState"], "INACTIVE")
        self.put("orders", n=1)
        letter = self.dead_letter()
        self.assertEqual((letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"]), ("NO_PERMISSIONS", "0"))
        self.assertIn("its connection login is deauthorized", letter["ERROR_MESSAGE"])
        self.events.update_connection(
            Name="login", AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": {"Username": "ann", "Password": "b"}})
        self.assertEqual(self.events.describe_api_destination(Name="orders")["ApiDestinationState"], "ACTIVE")
        self.put("orders", n=2)
        self.until(lambda: self.target.took("/orders"))

        self.assertEqual(self.events.delete_connection(Name="login")["ConnectionState"], "DELETING")
        self.put("orders", n=3)
        self.assertEqual(self.dead_letter()["ERROR_CODE"], "NO_RESOURCE")
        # Another connection of the same name is not this one: its ARN has another end.
        self.connect()
        self.assertEqual(self.events.describe_api_destination(Name="orders")["ApiDestinationState"], "INACTIVE")
        self.events.delete_api_destination(Name="orders")
        self.put("orders", n=4)
        self.assertIn("the API destination orders is not called: it was deleted", self.dead_letter()["ERROR_MESSAGE"])
        self.assertEqual(self.events.list_targets_by_rule(Rule="orders")["Targets"][0]["Arn"], arn)
        self.broker.reload()
        self.assertEqual(
            self.refused(self.events.put_targets, Rule="orders", Targets=[{"Id": "other", "Arn": arn}])[0], "ValidationException")
        self.assertEqual(len(self.target.tried("/orders")), 1)

    def test_what_waits_follows_its_target_and_goes_with_it(self):
        connection = self.connect()
        self.rule(self.destination(connection, "/later", "slow"))
        self.put("orders", n=1)
        self.until(lambda: self.target.tried("/later"))
        self.put("orders", n=2)
        self.until(lambda: self.outcomes()["deliveriesPending"] == 2)
        # Another target in its place is not held up by what the old one asked for, and what waited for that is dropped.
        self.rule(self.destination(connection, "/good", "quick"))
        self.until(lambda: self.outcomes()["deliveriesDropped"] == 2)
        self.put("orders", n=3)
        self.assertEqual(json.loads(self.until(lambda: self.target.took("/good"))[0][1]), {"n": 3})
        self.until(lambda: self.outcomes()["deliveriesPending"] == 0)

        # What waits for one that is called elsewhere now is called there, and at once.
        slow = self.events.describe_api_destination(Name="slow")["ApiDestinationArn"]
        self.rule(slow, "moving")
        self.put("moving", n=4)
        self.until(lambda: len(self.target.tried("/later")) == 2)
        self.events.update_api_destination(Name="slow", InvocationEndpoint=f"http://127.0.0.1:{self.target.port}/moved")
        self.assertEqual(json.loads(self.until(lambda: self.target.took("/moved"))[0][1]), {"n": 4})

        self.events.update_api_destination(Name="slow", InvocationEndpoint=f"http://127.0.0.1:{self.target.port}/later")
        for source in ("removed", "left"):
            self.rule(slow, source)
            self.put(source, n=5)
        self.until(lambda: len(self.target.tried("/later")) == 4)
        self.events.remove_targets(Rule="removed", Ids=["api"])
        self.until(lambda: self.outcomes()["deliveriesDropped"] == 3)
        self.assertEqual(self.outcomes()["deliveriesPending"], 1)
        self.events.delete_connection(Name="login")
        self.until(lambda: self.outcomes()["deliveriesFailed"] == 1)
        self.assertEqual(self.outcomes()["deliveriesPending"], 0)
        self.broker.wait_for_log("pending delivery dropped: its target is gone")

    def test_refusals_have_the_codes_and_words_of_the_service(self):
        connection = self.connect()
        self.destination(connection, "/orders")
        events = self.events
        login = {"Name": "x", "AuthorizationType": "API_KEY", "AuthParameters": KEY}
        place = {"Name": "x", "ConnectionArn": connection, "HttpMethod": "POST", "InvocationEndpoint": "https://shop.example/x"}
        oauth = {
            "ClientParameters": {"ClientID": "i", "ClientSecret": "s3cret"}, "AuthorizationEndpoint": "https://a.example", "HttpMethod": "POST"}
        for code, message, call, arguments in (
            ("ResourceAlreadyExistsException", "Connection login already exists.", events.create_connection, {**login, "Name": "login"}),
            ("ResourceNotFoundException", "Failed to describe the connection(s). Connection 'x' does not exist.",
             events.describe_connection, {"Name": "x"}),
            ("ResourceNotFoundException", "Failed to describe the api-destination(s). An api-destination 'x' does not exist.",
             events.describe_api_destination, {"Name": "x"}),
            ("ValidationException", "AuthorizationType OAUTH_CLIENT_CREDENTIALS is not supported by Crema", events.create_connection,
             {**login, "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": {"OAuthParameters": oauth}}),
            ("ValidationException", "Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]",
             events.create_connection, {**login, "AuthorizationType": "NONE"}),
            ("ValidationException", "lacks `BasicAuthParameters`", events.create_connection, {**login, "AuthorizationType": "BASIC"}),
            ("ValidationException", "KmsKeyIdentifier is not supported by Crema in CreateConnection", events.create_connection,
             {**login, "KmsKeyIdentifier": "k"}),
            ("ValidationException", "is declared at ", events.update_connection, {"Name": "declared", "Description": "d"}),
            ("ValidationException", "is declared at ", events.delete_api_destination, {"Name": "till"}),
            ("ValidationException", "10.0.0.1 has the private address 10.0.0.1, which is not called", events.create_api_destination,
             {**place, "InvocationEndpoint": "https://10.0.0.1/x?pin=s3cret"}),
            ("ValidationException", "the URL must not name a user", events.create_api_destination,
             {**place, "InvocationEndpoint": "https://ann:s3cret@shop.example/"}),
            ("ValidationException", "at 'connectionArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn",
             events.create_api_destination, {**place, "ConnectionArn": "login"}),
            ("ResourceNotFoundException", "Connection 'none' does not exist.", events.create_api_destination,
             {**place, "ConnectionArn": connection.replace("login", "none")}),
            ("ValidationException", "[HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS]", events.create_api_destination,
             {**place, "HttpMethod": "TRACE"}),
        ):
            with self.subTest(message=message):
                refusal = self.refused(call, **arguments)
                self.assertEqual(refusal[0], code, refusal)
                self.assertIn(message, refusal[1])
                self.assertNotIn("s3cret", refusal[1])
        # Those of the template count, too.
        self.connect("third")
        self.assertEqual(
            self.refused(events.create_connection, **login),
            ("LimitExceededException", "The requested resource exceeds the maximum number allowed."))
        self.assertNotIn("s3cret", self.broker.log())

        first = events.list_connections(Limit=2)
        rest = events.list_connections(NextToken=first["NextToken"])
        self.assertEqual([found["Name"] for found in first["Connections"] + rest["Connections"]], ["declared", "login", "third"])
        events.deauthorize_connection(Name="third")
        self.assertEqual([found["Name"] for found in events.list_connections(ConnectionState="DEAUTHORIZED")["Connections"]], ["third"])
        self.assertEqual([found["Name"] for found in events.list_connections(NamePrefix="lo")["Connections"]], ["login"])
        self.assertEqual([found["Name"] for found in events.list_api_destinations()["ApiDestinations"]], ["orders", "till"])
        found = events.list_api_destinations(ConnectionArn=connection)["ApiDestinations"]
        self.assertEqual([row["Name"] for row in found], ["orders"])

    def test_the_aws_cli_makes_a_connection_and_a_destination(self):
        def aws(*arguments):
            output = run("aws", "--endpoint-url", self.broker.url, "events", *arguments, env={**os.environ, **CREDENTIALS}).stdout
            return json.loads(output) if output.strip() else None

        login = {"BasicAuthParameters": {"Username": "ann", "Password": "s3cret"}}
        made = aws("create-connection", "--name", "cli", "--authorization-type", "BASIC", "--auth-parameters", json.dumps(login))
        self.assertEqual(made["ConnectionState"], "AUTHORIZED")
        # As one document: of a URL in an option of its own this version of the client would send what is there.
        place = aws("create-api-destination", "--cli-input-json", json.dumps({
            "Name": "cli", "ConnectionArn": made["ConnectionArn"], "HttpMethod": "PUT", "InvocationRateLimitPerSecond": 50,
            "InvocationEndpoint": f"http://127.0.0.1:{self.target.port}/cli/*"}))
        self.assertEqual(place["ApiDestinationState"], "ACTIVE")
        self.rule(place["ApiDestinationArn"], "cli", HttpParameters={"PathParameterValues": ["$.detail.n"]})
        self.put("cli", n=7)
        self.assertEqual(self.until(lambda: self.target.took("/cli"))[0][0], "/cli/7")
        described = aws("describe-connection", "--name", "cli")
        self.assertEqual(described["AuthParameters"], {"BasicAuthParameters": {"Username": "ann"}})
        # An endpoint that a target does not fit is refused, and nothing has changed.
        error = self.refused(
            self.events.update_api_destination, Name="cli", InvocationEndpoint=f"http://127.0.0.1:{self.target.port}/cli")
        self.assertIn("the endpoint of cli has 0 `*`, but PathParameterValues has 1 values", error[1])
        self.put("cli", n=8)
        self.until(lambda: self.target.took("/cli/8"))
        aws("deauthorize-connection", "--name", "cli")
        aws("delete-api-destination", "--name", "cli")
        self.assertEqual(aws("delete-connection", "--name", "cli")["ConnectionState"], "DELETING")

    def test_the_policy_of_a_bus_is_kept_and_told(self):
        events = self.events
        for bus in ("default", "shop"):
            events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal="111122223333", StatementId="other")
        condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"}
        events.put_permission(Action="events:PutEvents", Principal="*", StatementId="all", Condition=condition)
        arn = EVENTS + "event-bus/default"
        other = {"Sid": "other", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                 "Action": "events:PutEvents", "Resource": arn}
        everybody = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": arn,
                     "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
        policy = json.loads(events.describe_event_bus()["Policy"])
        self.assertEqual(policy, {"Version": "2012-10-17", "Statement": [other, everybody]})
        self.broker.wait_for_log("bus policy kept, not enforced", "bus=default")
        self.broker.reload()
        events.remove_permission(StatementId="other")
        self.assertEqual(json.loads(events.describe_event_bus()["Policy"])["Statement"], [everybody])
        self.assertEqual(
            self.refused(events.remove_permission, StatementId="other"),
            ("ResourceNotFoundException", "Statement with the provided id does not exist."))
        events.put_permission(Policy=json.dumps({"Version": "2012-10-17", "Statement": other}))
        self.assertEqual(json.loads(events.describe_event_bus()["Policy"])["Statement"], [other])
        code, message = self.refused(
            events.put_permission, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**other, "Effect": "Deny"}]}))
        self.assertEqual(code, "ValidationException")
        self.assertIn("Effect Deny of statement other is not supported by Crema", message)
        self.assertEqual(
            self.refused(
                events.put_permission, Policy=json.dumps({"Statement": [{**other, "Sid": "x" * 11_000}]}))[0],
            "PolicyLengthExceededException")
        self.assertEqual(
            self.refused(events.put_permission, EventBusName="none", Action="events:PutEvents", Principal="*", StatementId="s"),
            ("ResourceNotFoundException", "Event bus none does not exist."))
        events.remove_permission(RemoveAllPermissions=True)
        self.assertNotIn("Policy", events.describe_event_bus())
        self.assertIn("Policy", events.list_event_buses(NamePrefix="shop")["EventBuses"][0])

    def test_an_archive_has_one_owner(self):
        events = self.events
        for call, arguments in ((events.delete_archive, {}), (events.update_archive, {"RetentionDays": 1})):
            code, message = self.refused(call, ArchiveName="kept", **arguments)
            self.assertEqual(code, "ValidationException")
            self.assertRegex(message, r"Archive kept is declared at \S+calls.json:\d+:\d+, and changed only there.")
        events.create_event_bus(Name="made")
        events.create_archive(ArchiveName="mine", EventSourceArn=EVENTS + "event-bus/made")
        self.assertEqual(
            self.refused(events.delete_event_bus, Name="made"),
            ("ValidationException", "Event bus can't be deleted since it has archives: mine."))
        taken = {"Mine": {"Type": "AWS::Events::Archive", "Properties": {"ArchiveName": "mine", "SourceArn": {"Fn::GetAtt": "Shop.Arn"}}}}
        self.resources.write_text(json.dumps(template(self.target.port, taken)))
        self.broker.process.send_signal(signal.SIGHUP)
        self.broker.wait_for_log("reload: ", "the archive `mine` exists already, by CreateArchive 20")
        self.broker.wait_for_log("reload failed: nothing has changed")
        self.assertEqual(events.describe_archive(ArchiveName="mine")["EventSourceArn"], EVENTS + "event-bus/made")

        self.events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}", "EventBusName": "shop"}])
        events.start_replay(
            ReplayName="again", EventSourceArn=EVENTS + "archive/kept", EventStartTime=0, EventEndTime=time.time() + 60,
            Destination={"Arn": EVENTS + "event-bus/shop"})
        self.until(lambda: events.describe_replay(ReplayName="again")["State"] == "COMPLETED")
        listing = self.crema("archive").stdout
        self.assertRegex(listing, r"kept +shop +1 +\d+ +- +- +\S+calls.json:\d+")
        self.assertRegex(listing, r"mine +made +0 +0 +- +- +CreateArchive 20")
        self.assertRegex(listing, r"again +kept +completed +1970-01-01T00:00:00Z ")
        document = json.loads(self.crema("archive", "--json").stdout)
        self.assertEqual([(row["name"], row["events"]) for row in document["archives"]], [("kept", 1), ("mine", 0)])
        self.assertEqual([(row["name"], row["state"]) for row in document["replays"]], [("again", "COMPLETED")])
        events.delete_archive(ArchiveName="mine")
        events.delete_event_bus(Name="made")

    def test_rules_that_came_by_api_are_tried(self):
        self.events.put_rule(Name="large", EventPattern=json.dumps({"detail": {"size": ["L"]}}))
        self.client("iot").create_topic_rule(ruleName="Hot", topicRulePayload={
            "sql": "SELECT t FROM 'ovens/+' WHERE t > 200", "awsIotSqlVersion": "2016-03-23", "actions": []})
        with tempfile.TemporaryDirectory() as folder:
            event = pathlib.Path(folder) / "event.json"
            event.write_text(json.dumps({"detail": {"size": "L"}}))
            self.assertIn("default/large matches", self.crema("rules", "test", "large", str(event)).stdout)
            event.write_text(json.dumps({"detail": {"size": "S"}}))
            missed = self.crema("rules", "test", "large", str(event), "--json", check=False)
            self.assertEqual((missed.returncode, json.loads(missed.stdout)["matches"]), (1, False))
            event.write_text('{"t": 240}')
            tried = self.crema("rules", "test", "Hot", str(event), "--topic", "ovens/1")
            self.assertIn('selects {"t":240}', tried.stdout)
            unknown = self.crema("rules", "test", "none", str(event), check=False)
            self.assertEqual(unknown.returncode, 2)
            self.assertIn("there are large, Hot", unknown.stderr)
            self.assertEqual(run(CREMA, "rules", "test", "a", str(event), "--admin", "http://127.0.0.1:1", check=False).returncode, 3)
            elsewhere = {**os.environ, "CREMA_ADMIN": "http://127.0.0.1:1"}
            self.assertEqual(run(CREMA, "rules", "test", "a", str(event), env=elsewhere, check=False).returncode, 3)
            both = self.crema("rules", "test", "a", str(event), "--config", str(self.broker.configuration), check=False)
            self.assertEqual(both.returncode, 2)


if __name__ == "__main__":
    unittest.main()
