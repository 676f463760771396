"""The broker goes on serving when nobody reads its log."""

import re
import socket
import unittest

from broker import WAIT_SECONDS, Broker

CONNECT = bytes.fromhex("101000044d51545404020000000464726f70")
CONNACK = bytes.fromhex("20020000")
DISCONNECT = bytes.fromhex("e000")


class UnreadLogTests(unittest.TestCase):
    def test_a_log_that_nobody_reads_stops_no_client(self):
        broker = Broker(log_is_read=False)
        self.addCleanup(broker.process.stderr.close)
        self.addCleanup(broker.end)
        # Two lines for each client: more than the pipe and what waits for it.
        for _ in range(6_000):
            with socket.create_connection(("127.0.0.1", broker.mqtt), WAIT_SECONDS) as client:
                client.sendall(CONNECT)
                self.assertEqual(client.recv(4), CONNACK)
                client.sendall(DISCONNECT)
        dropped = re.search(r"^crema_log_lines_dropped_total (\d+)$", broker.asks("/metrics"), re.MULTILINE)
        self.assertGreater(int(dropped.group(1)), 0)


if __name__ == "__main__":
    unittest.main()
