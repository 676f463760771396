"""Queues by a boto3 that speaks Amazon SQS's query protocol, as Debian 12's does: botocore did until 1.31.81.

Arguments: the endpoint, an access key, its secret, and what to do. Ends with 0 when all was as it should be.
"""

import hashlib
import sys

import boto3
import botocore
import botocore.config
import botocore.exceptions

NAMES = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


def code(call, **arguments):
    """The name of the error that a call ends with, and nothing else."""
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return error.response["Error"]["Code"]
    raise AssertionError(f"not refused: {answer}")


def messages(sqs):
    url = sqs.create_queue(QueueName="old", Attributes={"VisibilityTimeout": "30"}, tags={"a": "1 & 2"})["QueueUrl"]
    assert sqs.get_queue_url(QueueName="old")["QueueUrl"] == url
    assert sqs.list_queues(QueueNamePrefix="ol")["QueueUrls"] == [url]
    sqs.tag_queue(QueueUrl=url, Tags={"b": "<é>"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "<é>"}
    attributes = {
        "count": {"DataType": "Number", "StringValue": "12"}, "zone": {"DataType": "String", "StringValue": "bar & <é>"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff\n"}}
    body = '{"drink": "Caffè ☕ & <more>"}\r\n\tend '
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest(), sent
    # botocore compares the digest of each body by itself.
    message, = sqs.receive_message(
        QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=1)["Messages"]
    assert message["Body"] == body and message["MessageId"] == sent["MessageId"], message
    assert message["MessageAttributes"] == attributes and message["Attributes"]["ApproximateReceiveCount"] == "1", message
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=60)
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(NAMES))["Attributes"]
    assert counts == dict(zip(NAMES, ["0", "1"])), counts
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    return url


def batches(sqs, url):
    entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(3)] + [
        {"Id": "bad", "MessageBody": "m", "DelaySeconds": 901}]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "1", "2"], answer
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [("bad", "InvalidParameterValue", True)]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["m0", "m1", "m2"], received
    handles = [{"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]} for message in received]
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 9} for entry in handles])
    assert len(changed["Successful"]) == 3 and "Failed" not in changed, changed
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]) == 3


def queues(sqs, url):
    dead = sqs.create_queue(QueueName="old-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": '{"deadLetterTargetArn": "%s", "maxReceiveCount": "3"}' % arn, "DelaySeconds": "0"})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.add_permission(QueueUrl=url, Label="bar", AWSAccountIds=["111111111111"], Actions=["SendMessage", "ReceiveMessage"])
    assert '"bar"' in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.remove_permission(QueueUrl=url, Label="bar")
    first = sqs.list_queues(QueueNamePrefix="old", MaxResults=1)
    second = sqs.list_queues(QueueNamePrefix="old", MaxResults=1, NextToken=first["NextToken"])
    assert first["QueueUrls"] + second["QueueUrls"] == [url, dead], (first, second)
    fifo = sqs.create_queue(QueueName="old.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d")
    message, = sqs.receive_message(QueueUrl=fifo, AttributeNames=["SequenceNumber"])["Messages"]
    assert message["Attributes"] == {"SequenceNumber": sent["SequenceNumber"]}, message
    if hasattr(sqs, "start_message_move_task"):
        task = sqs.start_message_move_task(SourceArn=arn)["TaskHandle"]
        assert sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]["SourceArn"] == arn
        assert code(sqs.cancel_message_move_task, TaskHandle=task + "x") == "ResourceNotFoundException"
    sqs.purge_queue(QueueUrl=fifo)
    for gone in (url, fifo):
        sqs.delete_queue(QueueUrl=gone)
    assert code(sqs.send_message, QueueUrl=url, MessageBody="m") == "AWS.SimpleQueueService.NonExistentQueue"
    try:
        sqs.purge_queue(QueueUrl=url)
    except sqs.exceptions.QueueDoesNotExist:
        pass


def main(endpoint, key, secret, what):
    assert tuple(map(int, botocore.__version__.split("."))) < (1, 31, 81), botocore.__version__
    sqs = boto3.client(
        "sqs", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}))
    assert sqs.meta.service_model.metadata["protocol"] == "query"
    if what == "all":
        url = messages(sqs)
        batches(sqs, url)
        queues(sqs, url)
    else:
        # `QUEUE=CODE`: what a message to that queue is answered.
        queue, wanted = what.split("=")
        url = f"{endpoint}/000000000000/{queue}"
        if wanted == "sent":
            sqs.send_message(QueueUrl=url, MessageBody="by form")
        else:
            assert code(sqs.send_message, QueueUrl=url, MessageBody="by form") == wanted, wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
