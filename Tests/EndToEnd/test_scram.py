"""Enhanced authentication: a client of MQTT 5 that proves its password by SCRAM-SHA-256, spoken byte by byte."""

import base64
import hashlib
import hmac
import os
import socket
import unittest

from broker import WAIT_SECONDS, BrokerTestCase

METHOD = b"SCRAM-SHA-256"


def text(value):
    return len(value).to_bytes(2, "big") + value


def packet(first, body):
    assert len(body) < 16_384
    length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) % 128 | 0x80, len(body) // 128])
    return bytes([first]) + length + body


def block(data):
    fields = b"\x15" + text(METHOD) + b"\x16" + text(data)
    assert len(fields) < 128
    return bytes([len(fields)]) + fields


class ScramTests(BrokerTestCase):
    def exchange(self, user, password):
        """Answers the reason code of CONNACK."""
        connection, code = self.open(user, password)
        connection.close()
        return code

    def open(self, user, password):
        """Answers the connection, and the reason code of CONNACK."""
        connection = socket.create_connection(("127.0.0.1", self.broker.scram), WAIT_SECONDS)
        self.addCleanup(connection.close)
        first = b"n=" + user + b",r=" + base64.b64encode(os.urandom(12))
        connection.sendall(packet(0x10, text(b"MQTT") + b"\x05\x02\x00\x3c" + block(b"n,," + first) + text(b"scram-" + user)))
        challenge = self.receive(connection)
        self.assertEqual((challenge[0], challenge[2]), (0xF0, 0x18))
        server = challenge[challenge.index(b"r="):]
        found = dict(part.split(b"=", 1) for part in server.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(found[b"s"]), int(found[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        last = b"c=biws,r=" + found[b"r"]
        signature = hmac.digest(hashlib.sha256(key).digest(), first + b"," + server + b"," + last, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))
        fields = b"\x15" + text(METHOD) + b"\x16" + text(last + b",p=" + proof)
        length = bytes([len(fields) % 128 | 0x80, len(fields) // 128]) if len(fields) > 127 else bytes([len(fields)])
        connection.sendall(packet(0xF0, b"\x18" + length + fields))
        connack = self.receive(connection)
        self.assertEqual(connack[0], 0x20)
        return connection, connack[3 if connack[1] < 128 else 4]

    def receive(self, connection):
        return connection.recv(4_096)

    def test_the_right_password_and_wrong_ones(self):
        self.assertEqual(self.exchange(b"ann", b"espresso"), 0)
        self.assertEqual(self.exchange(b"ann", b"latte"), 0x87)
        self.assertEqual(self.exchange(b"nobody", b"espresso"), 0x87)

    def test_a_user_added_later_is_taken_after_a_reload(self):
        self.broker.add_user("bob", "mocha")
        self.broker.reload()
        self.assertEqual(self.exchange(b"bob", b"mocha"), 0)

    def test_who_is_taken_out_of_the_file_or_gets_another_password_is_closed_by_a_reload(self):
        for name in ("gone", "changed", "stays"):
            self.broker.add_user(name, "mocha")
        self.broker.reload()
        clients = {}
        for name in (b"gone", b"changed", b"stays"):
            clients[name], code = self.open(name, b"mocha")
            self.assertEqual(code, 0)
        lines = self.broker.users.read_text().splitlines(keepends=True)
        self.broker.users.write_text("".join(line for line in lines if not line.startswith("gone:")))
        self.broker.add_user("changed", "latte")
        self.broker.reload()
        for name in (b"gone", b"changed"):
            answer = self.receive(clients[name])
            self.assertEqual((answer[0], answer[2]), (0xE0, 0x87))  # DISCONNECT: not authorized
            self.assertEqual(self.receive(clients[name]), b"")
        clients[b"stays"].sendall(b"\xc0\x00")
        self.assertEqual(self.receive(clients[b"stays"]), b"\xd0\x00")
        self.broker.wait_for_log("connection closed", "client_id=scram-gone", "reason=not_permitted", "not in the listener's file any more")


if __name__ == "__main__":
    unittest.main()
