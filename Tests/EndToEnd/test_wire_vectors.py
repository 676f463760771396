"""The conversations of Tests/WireVectors with `crema serve`: the same transcript however the bytes come."""

import concurrent.futures
import itertools
import ssl
import threading
import unittest

import vectors
from broker import BrokerTestCase
from links import Link, TLSLink, WebSocketLink

# Vectors under way at once; each has client identifiers and topics of its own.
AT_ONCE = 8


class WireVectorTests(BrokerTestCase):
    # One event loop: with several, what two connections do close together may come to a third in another order.
    resources, parameters, limits = (), {}, {"eventLoopsMax": 1}
    vectors = vectors.load()
    tags = (format(number, "04d").encode() for number in itertools.count())
    tag_lock = threading.Lock()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.mutual_tls("vectors")
        cls.context = ssl.create_default_context(cafile=cls.broker.certificates / "ca.crt")
        client = cls.broker.certificates / "clients" / "vectors"
        cls.context.load_cert_chain(f"{client}.crt", f"{client}.key")
        cls.transports = {
            "TCP": lambda: Link(cls.broker.mqtt),
            "TLS": lambda: TLSLink(cls.broker.mqtts, cls.context),
            "WebSocket": lambda: WebSocketLink(cls.broker.ws),
        }

    def tag(self):
        with self.tag_lock:
            return next(self.tags)

    def play_all(self, transport, copies=1, **how):
        """Every vector, over a transport, and in `copies` side by side."""
        opening = self.transports[transport]

        def one(vector):
            vectors.play(*(vectors.Play(vector, self.tag(), opening, **how) for _ in range(copies)))

        failures = []
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for future in [pool.submit(one, vector) for vector in self.vectors]:
                try:
                    future.result()
                except AssertionError as error:
                    failures.append(str(error))
        if failures:
            self.fail(f"{len(failures)} of {len(self.vectors)} over {transport}:\n" + "\n".join(failures))

    def test_whole(self):
        for transport in self.transports:
            with self.subTest(transport):
                self.play_all(transport)

    def test_one_byte_at_a_time(self):
        for transport in self.transports:
            with self.subTest(transport):
                self.play_all(transport, bytewise=True)

    def test_doubled(self):
        """Twice at the same time on one broker, step by step, with client identifiers and topics of their own."""
        for transport in self.transports:
            with self.subTest(transport):
                self.play_all(transport, copies=2)

    def test_coalesced(self):
        """All packets that a connection sends until another one has its turn, in one write."""
        for transport in self.transports:
            with self.subTest(transport):
                self.play_all(transport, coalesced=True)


if __name__ == "__main__":
    unittest.main()
