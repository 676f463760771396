"""`$SYS` has the names that mosquitto gives it, and nothing of it but what Crema's pages say besides."""

import pathlib
import subprocess
import tempfile
import time
import unittest

from broker import WAIT_SECONDS, Broker, free_port, run

# What mosquitto has no name for.
OWN = {
    "$SYS/broker/connections/turned away/count", "$SYS/broker/connections/refused/count", "$SYS/broker/authentications/failed/count",
}


def system_topics(port):
    """What a new subscriber gets of `$SYS` within three seconds."""
    result = run("mosquitto_sub", "-p", str(port), "-t", "$SYS/#", "-F", "%t\t%p", "-W", "3", check=False)
    return dict(line.split("\t", 1) for line in result.stdout.splitlines())


class SystemTopicTests(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.end)

    def mosquitto(self):
        folder = tempfile.TemporaryDirectory(prefix="mosquitto-")
        self.addCleanup(folder.cleanup)
        port = free_port()
        file = pathlib.Path(folder.name) / "mosquitto.conf"
        file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n")
        process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        deadline = time.monotonic() + WAIT_SECONDS
        while run("mosquitto_pub", "-p", str(port), "-t", "a", "-m", "b", check=False).returncode != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        return port

    def test_the_names_are_those_of_mosquitto(self):
        theirs = set(system_topics(self.mosquitto()))
        self.assertGreater(len(theirs), 45)
        ours = system_topics(self.broker.mqtt)
        self.assertEqual(set(ours) - theirs, OWN)
        self.assertEqual(theirs - set(ours), set())
        self.assertRegex(ours["$SYS/broker/version"], r"^crema version ")
        self.assertRegex(ours["$SYS/broker/uptime"], r"^\d+ seconds$")
        for name, value in ours.items():
            if "/load/" in name:
                self.assertRegex(value, r"^\d+\.\d\d$", name)
            elif not name.endswith(("/version", "/uptime")):
                self.assertRegex(value, r"^\d+$", name)
        self.assertGreater(int(ours["$SYS/broker/heap/current"]), 1_000_000)


if __name__ == "__main__":
    unittest.main()
