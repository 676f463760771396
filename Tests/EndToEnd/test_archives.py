"""Archives, replays and scheduled rules by boto3 and the AWS CLI, with `mosquitto_sub` at the end of the chain."""

import datetime
import json
import os
import pathlib
import tempfile
import time

import boto3
import botocore.config
import botocore.exceptions

from broker import BrokerTestCase, run

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
BUS = "arn:aws:events:us-east-1:000000000000:event-bus/shop"
TEMPLATE = """
Resources:
  Shop: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
  Kept: { Type: AWS::Events::Archive, Properties: { ArchiveName: kept, SourceArn: !GetAtt Shop.Arn, RetentionDays: 3 } }
  Orders:
    Type: AWS::Events::Rule
    Properties:
      Name: orders
      EventBusName: !Ref Shop
      EventPattern: { source: [shop] }
      Targets:
        - Id: t
          Arn: arn:aws:iot:us-east-1:000000000000:topic/orders
          InputTransformer:
            InputPathsMap: { n: $.detail.n, replay: $.replay-name }
            InputTemplate: '{"n": <n>, "replay": <replay>}'
"""


class ArchiveTests(BrokerTestCase):
    parameters = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name) / "archives.yaml"
        path.write_text(TEMPLATE)
        cls.resources = (path,)
        cls.addClassCleanup(cls.folder.cleanup)
        super().setUpClass()

    def setUp(self):
        session = boto3.session.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
        self.events = session.client(
            "events", endpoint_url=self.broker.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def put(self, *numbers):
        answer = self.events.put_events(
            Entries=[
                {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"n": n}), "EventBusName": "shop"} for n in numbers
            ])
        self.assertEqual(answer["FailedEntryCount"], 0)

    def ended(self, replay):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            state = self.events.describe_replay(ReplayName=replay)
            if state["State"] in ("COMPLETED", "CANCELLED", "FAILED"):
                return state
            time.sleep(0.1)
        self.fail(f"{replay} does not end")

    def test_what_was_archived_is_replayed(self):
        screen = self.screen("barista", "orders")
        before = self.events.describe_archive(ArchiveName="kept")["EventCount"]
        started = datetime.datetime.now(datetime.timezone.utc)
        self.put(1, 2, 3)
        live = [screen.next()[1] for _ in range(3)]
        self.assertEqual(live, [{"n": n, "replay": ""} for n in (1, 2, 3)])
        archive = self.events.describe_archive(ArchiveName="kept")
        self.assertEqual((archive["EventSourceArn"], archive["RetentionDays"], archive["State"]), (BUS, 3, "ENABLED"))
        self.assertEqual(archive["EventCount"], before + 3)
        answer = self.events.start_replay(
            ReplayName="again", EventSourceArn=archive["ArchiveArn"], EventStartTime=started,
            EventEndTime=started + datetime.timedelta(hours=1), Destination={"Arn": BUS})
        self.assertEqual(answer["State"], "STARTING")
        again = [screen.next()[1] for _ in range(3)]
        self.assertEqual(again, [{"n": n, "replay": "again"} for n in (1, 2, 3)])
        state = self.ended("again")
        self.assertEqual(state["State"], "COMPLETED")
        self.assertEqual(state["Destination"], {"Arn": BUS})
        # Events have whole seconds in their envelopes, but the archive knows more.
        self.assertGreater(state["EventLastReplayedTime"], started - datetime.timedelta(milliseconds=1))
        self.assertEqual(self.events.describe_archive(ArchiveName="kept")["EventCount"], before + 3)
        self.assertEqual([r["ReplayName"] for r in self.events.list_replays(NamePrefix="ag")["Replays"]], ["again"])

    def test_a_replay_goes_to_the_rules_that_it_names(self):
        self.events.put_rule(Name="late", EventBusName="shop", EventPattern='{"detail":{"n":[4]}}')
        rule = self.events.describe_rule(Name="late", EventBusName="shop")["Arn"]
        target = {"Id": "t", "Arn": "arn:aws:iot:us-east-1:000000000000:topic/late", "InputPath": "$.detail"}
        self.events.put_targets(Rule="late", EventBusName="shop", Targets=[target])
        late, others = self.screen("late", "late"), self.screen("others", "orders")
        started = datetime.datetime.now(datetime.timezone.utc)
        self.put(4, 5)
        self.assertEqual(late.next()[1], {"n": 4})
        self.assertEqual([others.next()[1]["n"] for _ in range(2)], [4, 5])
        replay = {
            "ReplayName": "late", "EventSourceArn": self.events.describe_archive(ArchiveName="kept")["ArchiveArn"], "EventStartTime": started,
            "EventEndTime": started + datetime.timedelta(hours=1)}
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.events.start_replay(**replay, Destination={"Arn": BUS, "FilterArns": [rule, rule + "r"]})
        self.assertEqual(caught.exception.response["Error"]["Code"], "ResourceNotFoundException")
        self.events.start_replay(**replay, Destination={"Arn": BUS, "FilterArns": [rule]})
        self.assertEqual(late.next()[1], {"n": 4})
        self.assertEqual(self.ended("late")["Destination"], {"Arn": BUS, "FilterArns": [rule]})
        # What comes next is not of the replay.
        self.put(6)
        self.assertEqual(others.next()[1], {"n": 6, "replay": ""})

    def test_an_archive_by_the_command_line(self):
        def aws(*arguments):
            environment = {**os.environ, **CREDENTIALS}
            output = run("aws", "--endpoint-url", self.broker.url, "events", *arguments, env=environment).stdout
            return json.loads(output) if output.strip() else None

        made = aws(
            "create-archive", "--archive-name", "twos", "--event-source-arn", BUS, "--event-pattern", '{"detail":{"n":[2]}}',
            "--retention-days", "1")
        self.assertEqual(made["ArchiveArn"], "arn:aws:events:us-east-1:000000000000:archive/twos")
        self.put(1, 2)
        self.assertEqual(aws("describe-archive", "--archive-name", "twos")["EventCount"], 1)
        aws("update-archive", "--archive-name", "twos", "--description", "only twos")
        described = aws("describe-archive", "--archive-name", "twos")
        self.assertEqual((described["Description"], described["EventPattern"]), ("only twos", '{"detail":{"n":[2]}}'))
        self.assertEqual([a["ArchiveName"] for a in aws("list-archives", "--name-prefix", "tw")["Archives"]], ["twos"])
        aws("delete-archive", "--archive-name", "twos")
        self.assertEqual(aws("list-archives", "--name-prefix", "tw")["Archives"], [])

    def test_mistakes_have_the_services_names(self):
        def refused(code, message, call, **arguments):
            with self.assertRaises(botocore.exceptions.ClientError) as caught:
                call(**arguments)
            error = caught.exception.response["Error"]
            self.assertEqual((error["Code"], error["Message"]), (code, message))

        now = datetime.datetime.now(datetime.timezone.utc)
        refused(
            "ResourceAlreadyExistsException", "Archive kept already exists.", self.events.create_archive, ArchiveName="kept",
            EventSourceArn=BUS)
        refused("ResourceNotFoundException", "Archive none does not exist.", self.events.describe_archive, ArchiveName="none")
        refused("ResourceNotFoundException", "Replay none does not exist.", self.events.cancel_replay, ReplayName="none")
        refused(
            "ValidationException", "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
            self.events.start_replay, ReplayName="r", EventSourceArn="arn:aws:events:us-east-1:000000000000:archive/kept",
            EventStartTime=now, EventEndTime=now, Destination={"Arn": BUS})
