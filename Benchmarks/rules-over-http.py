#!/usr/bin/env python3
"""What PutRule and DeleteRule take while a bus has many rules: the time of calls over HTTP, and the broker's CPU time.

Usage: CREMA=/path/to/crema rules-over-http.py [RULES...]   as many rules as each number says, 10,000 unless told
"""

import http.client
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEnd"))

from broker import Broker  # noqa: E402

CALLS = 300


class Events:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def call(self, operation, **arguments):
        headers = {
            "X-Amz-Target": f"AWSEvents.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0",
        }
        self.connection.request("POST", "/", json.dumps(arguments), headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{operation}: {response.status} {body!r}")

    def put(self, number):
        pattern = {"source": ["shop"], "detail": {"userId": [f"user-{number}"]}}
        self.call("PutRule", Name=f"rule-{number}", EventPattern=json.dumps(pattern))

    def delete(self, number):
        self.call("DeleteRule", Name=f"rule-{number}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(pid, call, numbers):
    times = []
    before = cpu_seconds(pid)
    for number in numbers:
        start = time.perf_counter()
        call(number)
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    cpu = (cpu_seconds(pid) - before) * 1e3 / len(times)
    return f"median {statistics.median(times):.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms, CPU {cpu:.2f} ms a call"


def main():
    for count in [int(argument) for argument in sys.argv[1:]] or [10_000]:
        broker = Broker(limits={"rulesPerBusMax": count + CALLS})
        try:
            events = Events(broker.http)
            start = time.perf_counter()
            for number in range(count):
                events.put(number)
            print(f"{count} rules put in {time.perf_counter() - start:.1f} s")
            print(f"  another:    {timed(broker.process.pid, events.put, range(count, count + CALLS))}")
            print(f"  the same:   {timed(broker.process.pid, events.put, range(count // 2, count // 2 + CALLS))}")
            print(f"  deletion:   {timed(broker.process.pid, events.delete, range(CALLS))}")
        finally:
            broker.end()


if __name__ == "__main__":
    main()
