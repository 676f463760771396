"""Rules, targets, buses and topic rules by boto3 and the AWS CLI, with `mosquitto_sub` at the end of the chain."""

import json
import os
import pathlib
import unittest

import boto3
import botocore.config
import botocore.exceptions

from broker import CREMA, BrokerTestCase, run

RESOURCES = pathlib.Path(__file__).resolve().parent / "queues.yaml"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
EVENTS = "arn:aws:events:us-east-1:000000000000:"
TOPIC = "arn:aws:iot:us-east-1:000000000000:topic/"
RULE = {"sql": "SELECT temperature AS t, topic(2) AS place FROM 'sensors/+'", "awsIotSqlVersion": "2016-03-23"}


class ControlPlaneTests(BrokerTestCase):
    resources = (RESOURCES,)
    parameters = {}
    limits = {"rulesPerBusMax": 4, "targetsPerRuleMax": 2}

    def client(self, service):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        return session.client(
            service, endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def setUp(self):
        self.events = self.client("events")
        self.iot = self.client("iot")

    def refused(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        return error["Code"], error["Message"]

    def put(self, bus, source, **detail):
        entry = {"Source": source, "DetailType": "Ordered", "Detail": json.dumps(detail), "EventBusName": bus}
        self.assertEqual(self.events.put_events(Entries=[entry])["FailedEntryCount"], 0)

    def rules(self):
        output = run(CREMA, "rules", "--json", "--admin", f"http://127.0.0.1:{self.broker.admin}").stdout
        return {row["name"]: row for row in json.loads(output)["rows"]}

    def test_a_bus_a_rule_and_a_topic_from_beginning_to_end(self):
        arn = self.events.create_event_bus(Name="made", Description="by API", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
        self.assertEqual(arn, EVENTS + "event-bus/made")
        bus = self.events.describe_event_bus(Name="made")
        self.assertEqual((bus["Arn"], bus["Description"], bus["CreationTime"].year > 2020), (arn, "by API", True))
        self.assertEqual(self.events.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "k", "Value": "v"}])
        self.assertEqual([found["Name"] for found in self.events.list_event_buses(NamePrefix="m")["EventBuses"]], ["made"])

        pattern = json.dumps({"source": ["made.orders"], "detail": {"user": [{"exists": True}]}})
        rule = self.events.put_rule(Name="to-user", EventBusName="made", EventPattern=pattern, Description="d")["RuleArn"]
        self.assertEqual(rule, EVENTS + "rule/made/to-user")
        described = self.events.describe_rule(Name="to-user", EventBusName="made")
        self.assertEqual(
            {name: described[name] for name in ("Arn", "EventPattern", "State", "Description", "EventBusName", "CreatedBy")},
            {"Arn": rule, "EventPattern": pattern, "State": "ENABLED", "Description": "d", "EventBusName": "made",
             "CreatedBy": "000000000000"})
        self.assertEqual(self.events.list_tags_for_resource(ResourceARN=rule)["Tags"], [])
        target = {"Id": "user", "Arn": TOPIC + "users/<user>", "InputTransformer": {
            "InputPathsMap": {"user": "$.detail.user", "drink": "$.detail.drink"}, "InputTemplate": '{"drink": <drink>}'}}
        answer = self.events.put_targets(Rule="to-user", EventBusName="made", Targets=[target])
        self.assertEqual((answer["FailedEntryCount"], answer["FailedEntries"]), (0, []))
        self.assertEqual(self.events.list_targets_by_rule(Rule="to-user", EventBusName="made")["Targets"], [target])
        self.assertEqual(
            self.events.list_rule_names_by_target(TargetArn=target["Arn"], EventBusName="made")["RuleNames"], ["to-user"])

        user = self.screen("customer", "users/#", "end")
        self.put("made", "made.orders", user="ann", drink="latte")
        self.assertEqual(user.next(), ("users/ann", {"drink": "latte"}))
        self.assertTrue(self.rules()["to-user"]["location"].startswith("PutRule 20"))

        self.events.disable_rule(Name="to-user", EventBusName="made")
        self.assertEqual(self.events.describe_rule(Name="to-user", EventBusName="made")["State"], "DISABLED")
        self.put("made", "made.orders", user="ann", drink="none")
        self.events.enable_rule(Name="to-user", EventBusName="made")
        self.broker.reload()
        self.put("made", "made.orders", user="bob", drink="mocha")
        self.assertEqual(user.next(), ("users/bob", {"drink": "mocha"}))

        self.assertEqual(
            self.refused(self.events.delete_rule, Name="to-user", EventBusName="made"),
            ("ValidationException", "Rule can't be deleted since it has targets."))
        self.events.remove_targets(Rule="to-user", EventBusName="made", Ids=["user"])
        self.events.delete_rule(Name="to-user", EventBusName="made")
        self.events.delete_event_bus(Name="made")
        self.assertEqual(self.refused(self.events.describe_event_bus, Name="made")[0], "ResourceNotFoundException")
        self.assertNotIn("to-user", self.rules())

    def test_a_rule_sends_to_a_queue_made_by_api(self):
        queues = self.client("sqs")
        url = queues.create_queue(QueueName="made-queue")["QueueUrl"]
        self.events.put_rule(Name="to-queue", EventPattern=json.dumps({"source": ["made.queue"]}))
        arn = "arn:aws:sqs:us-east-1:000000000000:made-queue"
        self.events.put_targets(Rule="to-queue", Targets=[{"Id": "q", "Arn": arn, "InputPath": "$.detail"}])
        self.put("default", "made.queue", a=1)
        message, = queues.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
        self.assertEqual(json.loads(message["Body"]), {"a": 1})
        self.events.remove_targets(Rule="to-queue", Ids=["q"])
        self.events.delete_rule(Name="to-queue")

    def test_a_topic_rule_is_fired_by_a_device(self):
        actions = [{"republish": {"roleArn": "arn:aws:iam::000000000000:role/any", "topic": "places/${topic(2)}", "qos": 1}}]
        self.iot.create_topic_rule(ruleName="Places", topicRulePayload={**RULE, "description": "d", "actions": actions}, tags="a=b")
        place = self.screen("places", "places/#")
        self.broker.publish("sensor", "sensors/kitchen", '{"temperature": 21}')
        self.assertEqual(place.next(), ("places/kitchen", {"t": 21, "place": "kitchen"}))

        got = self.iot.get_topic_rule(ruleName="Places")
        self.assertEqual(got["ruleArn"], "arn:aws:iot:us-east-1:000000000000:rule/Places")
        created = got["rule"].pop("createdAt")
        self.assertEqual(
            got["rule"], {**RULE, "ruleName": "Places", "description": "d", "actions": actions, "ruleDisabled": False})
        self.assertEqual(self.iot.list_tags_for_resource(resourceArn=got["ruleArn"])["tags"], [{"Key": "a", "Value": "b"}])
        listed = {rule["ruleName"]: rule for rule in self.iot.list_topic_rules()["rules"]}
        self.assertEqual(
            listed["Places"],
            {"ruleArn": got["ruleArn"], "ruleName": "Places", "topicPattern": "sensors/+", "createdAt": created, "ruleDisabled": False})
        self.assertIn("DevicesIntoQueue", listed)
        self.assertTrue(self.rules()["Places"]["location"].startswith("CreateTopicRule 20"))
        self.assertIn("queues.yaml:", self.rules()["DevicesIntoQueue"]["location"])

        self.iot.disable_topic_rule(ruleName="Places")
        self.broker.publish("sensor", "sensors/hall", '{"temperature": 1}')
        self.iot.enable_topic_rule(ruleName="Places")
        self.broker.publish("sensor", "sensors/bar", '{"temperature": 2}')
        self.assertEqual(place.next()[0], "places/bar")
        other = {**RULE, "sql": RULE["sql"].replace("sensors/+", "others/+"), "actions": actions}
        self.iot.replace_topic_rule(ruleName="Places", topicRulePayload=other)
        self.broker.publish("sensor", "sensors/bar", '{"temperature": 3}')
        self.broker.publish("sensor", "others/cellar", '{"temperature": 4}')
        self.assertEqual(place.next()[0], "places/cellar")
        self.iot.delete_topic_rule(ruleName="Places")
        self.assertEqual(
            self.refused(self.iot.get_topic_rule, ruleName="Places"),
            ("UnauthorizedException", "Access to topic rule 'Places' was denied"))

    def test_refusals_have_the_codes_and_words_of_the_service(self):
        events, iot = self.events, self.iot
        pattern = json.dumps({"source": ["a"]})
        for code, message, call, arguments in (
            ("ResourceNotFoundException", "Rule x does not exist on EventBus default.", events.describe_rule, {"Name": "x"}),
            ("ResourceNotFoundException", "Event bus x does not exist.", events.put_rule,
             {"Name": "x", "EventBusName": "x", "EventPattern": pattern}),
            ("InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not an object", events.put_rule,
             {"Name": "x", "EventPattern": "[]"}),
            ("ManagedRuleException", "is declared at ", events.put_rule,
             {"Name": "AuditEverything", "EventBusName": "audit", "EventPattern": pattern}),
            ("ValidationException", "aws: prefixed tag key names are not allowed", events.create_event_bus,
             {"Name": "x", "Tags": [{"Key": "aws:x", "Value": "y"}]}),
            ("UnknownOperationException", "AWSEvents.ListEndpoints", events.list_endpoints, {}),
            ("SqlParseException", "Sql: ", iot.create_topic_rule,
             {"ruleName": "x", "topicRulePayload": {"sql": "SELECT", "actions": []}}),
            ("SqlParseException", "comments ('--') are not supported; two minus signs have a space between them (offset 26)",
             iot.create_topic_rule, {"ruleName": "x", "topicRulePayload": {
                 "sql": "SELECT * FROM 'a' WHERE n -- not 5", "actions": []}}),
            ("InvalidRequestException", "the action kinesis is not supported", iot.create_topic_rule,
             {"ruleName": "x", "topicRulePayload": {**RULE, "actions": [
                 {"kinesis": {"roleArn": "r", "streamName": "s"}}]}}),
            ("ConflictingResourceUpdateException", "is declared at ", iot.delete_topic_rule, {"ruleName": "DevicesIntoQueue"}),
            ("UnknownOperationException", "GET /jobs of AWS IoT", iot.list_jobs, {}),
        ):
            with self.subTest(message=message):
                refusal = self.refused(call, **arguments)
                self.assertEqual(refusal[0], code, refusal)
                self.assertIn(message, refusal[1])

    def test_an_empty_dead_letter_config_is_none(self):
        self.events.put_rule(Name="undead", EventPattern=json.dumps({"source": ["undead"]}))
        target = {"Id": "a", "Arn": "arn:aws:iot:us-east-1:000000000000:topic/undead", "DeadLetterConfig": {}}
        self.assertEqual(self.events.put_targets(Rule="undead", Targets=[target])["FailedEntryCount"], 0)
        listed, = self.events.list_targets_by_rule(Rule="undead")["Targets"]
        self.assertEqual((listed["Id"], listed.get("DeadLetterConfig", {})), ("a", {}))

    def test_limits_are_those_of_the_configuration(self):
        self.events.create_event_bus(Name="small")
        self.addCleanup(self.events.delete_event_bus, Name="small")
        for number in range(4):
            name = {"Name": f"r{number}", "EventBusName": "small"}
            self.events.put_rule(**name, EventPattern=json.dumps({"source": ["a"]}))
            self.addCleanup(self.events.delete_rule, **name)
        self.assertEqual(
            self.refused(self.events.put_rule, Name="r4", EventBusName="small", EventPattern=json.dumps({"source": ["a"]}))[0],
            "LimitExceededException")
        targets = [{"Id": str(number), "Arn": TOPIC + "t"} for number in range(3)]
        self.assertEqual(
            self.refused(self.events.put_targets, Rule="r0", EventBusName="small", Targets=targets),
            ("LimitExceededException", "The requested resource exceeds the maximum number allowed."))
        pages, token = [], {}
        while token is not None:
            page = self.events.list_rules(EventBusName="small", Limit=3, **token)
            pages.append([rule["Name"] for rule in page["Rules"]])
            token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
        self.assertEqual(pages, [["r0", "r1", "r2"], ["r3"]])

    def test_the_aws_cli_makes_a_rule_and_a_topic_rule(self):
        def aws(*arguments):
            output = run("aws", "--endpoint-url", self.broker.url, *arguments, env={**os.environ, **CREDENTIALS}).stdout
            return json.loads(output) if output else None

        made = aws("events", "put-rule", "--name", "cli", "--event-pattern", '{"source": ["cli"]}')
        self.assertEqual(made["RuleArn"], EVENTS + "rule/cli")
        aws("events", "put-targets", "--rule", "cli", "--targets", json.dumps([{"Id": "t", "Arn": TOPIC + "cli", "InputPath": "$.source"}]))
        self.assertIn("cli", [rule["Name"] for rule in aws("events", "list-rules")["Rules"]])
        event = {"id": "1", "account": "1", "source": "cli", "time": "t", "region": "r", "detail-type": "d"}
        tried = aws("events", "test-event-pattern", "--event", json.dumps(event), "--event-pattern", '{"source": ["cli"]}')
        self.assertIs(tried["Result"], True)
        payload = {**RULE, "sql": "SELECT 1 AS one FROM 'cli/in'", "actions": [{"republish": {"roleArn": "r", "topic": "cli/out"}}]}
        aws("iot", "create-topic-rule", "--rule-name", "Cli", "--topic-rule-payload", json.dumps(payload))
        screen = self.screen("cli", "cli", "cli/out")
        self.put("default", "cli")
        self.assertEqual(screen.line(), 'cli "cli"')
        self.broker.publish("device", "cli/in", "{}")
        self.assertEqual(screen.next(), ("cli/out", {"one": 1}))
        aws("iot", "delete-topic-rule", "--rule-name", "Cli")
        aws("events", "remove-targets", "--rule", "cli", "--ids", "t")
        aws("events", "delete-rule", "--name", "cli")


if __name__ == "__main__":
    unittest.main()
