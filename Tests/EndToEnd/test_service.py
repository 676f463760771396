"""Crema as a service: what it tells systemd, the unit, the manual pages and the completions."""
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from broker import CREMA, run, unconfigured

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = """
listeners:
- {protocol: mqtt, bind: '127.0.0.1:0', anonymous: true}
- {protocol: admin, bind: '127.0.0.1:0', anonymous: true}
"""


class ServiceManagerTests(unittest.TestCase):
    """The protocol of sd_notify(3), with this test in systemd's place."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(str(self.folder / "notify"))
        self.socket.settimeout(60)
        (self.folder / "crema.yaml").write_text(CONFIGURATION)

    def start(self, **environment):
        log = open(self.folder / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [CREMA, "serve", "--config", str(self.folder / "crema.yaml")], stderr=log,
            env={**unconfigured(), "NOTIFY_SOCKET": str(self.folder / "notify"), **environment})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def told(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4_096).decode().split("\n"))

    def logged(self, pattern):
        """What the log has by a pattern, once it is there: lines are written behind what happens."""
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, (self.folder / "log").read_text())):
            self.assertLess(time.monotonic(), deadline, pattern)
            time.sleep(0.01)
        return found

    def test_it_says_when_it_serves_reloads_and_stops(self):
        process = self.start()
        self.assertEqual(self.told()["READY"], "1")
        self.logged("ready")
        process.send_signal(signal.SIGHUP)
        reloading = self.told()
        self.assertEqual(reloading["RELOADING"], "1")
        self.assertLess(abs(int(reloading["MONOTONIC_USEC"]) / 1e6 - time.clock_gettime(time.CLOCK_MONOTONIC)), 30)
        self.assertEqual(self.told()["READY"], "1")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told()["STOPPING"], "1")
        self.assertEqual(process.wait(60), 0)

    def test_a_stop_that_comes_twice_at_once_is_one(self):
        # As of `timeout`, which signals its child and then the group that the child is in.
        process = self.start()
        self.assertEqual(self.told()["READY"], "1")
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.005)
        self.assertEqual(self.told()["STOPPING"], "1")
        self.assertEqual(process.wait(60), 0)

    def test_a_second_signal_after_a_moment_ends_at_once(self):
        process = self.start()
        self.assertEqual(self.told()["READY"], "1")
        port = int(self.logged(r"listening on 127.0.0.1:(\d+): mqtt")[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(bytes.fromhex("100d00044d5154540402003c000161"))
            self.assertEqual(client.recv(4), bytes.fromhex("20020000"))
            # A client that does not close its side holds the end up for a while.
            process.terminate()
            time.sleep(0.6)
            self.assertIsNone(process.poll())
            process.terminate()
            self.assertEqual(process.wait(30), 128 + signal.SIGTERM)

    def test_it_gives_signs_of_life_while_its_loops_answer(self):
        process = self.start(WATCHDOG_USEC="200000")
        self.assertEqual(self.told()["READY"], "1")
        for _ in range(3):
            self.assertEqual(self.told(), {"WATCHDOG": "1"})
        process.send_signal(signal.SIGSTOP)
        self.socket.settimeout(1)
        with self.assertRaises(TimeoutError):
            # What was on its way may still come.
            for _ in range(10):
                self.told()
        process.send_signal(signal.SIGCONT)
        self.socket.settimeout(60)
        self.assertEqual(self.told(), {"WATCHDOG": "1"})

    def test_a_watchdog_for_another_process_is_not_its_own(self):
        self.start(WATCHDOG_USEC="100000", WATCHDOG_PID="1")
        self.assertEqual(self.told()["READY"], "1")
        self.socket.settimeout(1)
        with self.assertRaises(TimeoutError):
            self.told()

    def test_a_manager_that_is_not_there_costs_a_line_of_the_log(self):
        for path, reason in ((str(self.folder / "none"), "cannot be told"), ("@abstract", "no path")):
            process = self.start(NOTIFY_SOCKET=path)
            deadline = time.monotonic() + 60
            while "ready" not in (self.folder / "log").read_text():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            self.assertIn(reason, (self.folder / "log").read_text())
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)


class InstallationTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="crema-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        run(str(ROOT / ".ci/install.sh"), CREMA, "/opt/crema", str(cls.root))
        cls.share = cls.root / "opt/crema/share"

    def test_every_command_has_a_page_that_roff_takes(self):
        listed = set(re.findall(r"^  ([a-z]+) +\S", run(CREMA, "--help").stdout, re.MULTILINE)) - {"help"}
        pages = {path.stem for path in (self.share / "man/man1").iterdir()}
        self.assertEqual(pages, {"crema"} | {f"crema-{name}" for name in listed})
        self.assertIn("serve", listed)
        if not shutil.which("groff"):
            self.skipTest("there is no groff")
        for path in (self.share / "man/man1").iterdir():
            result = run("groff", "-K", "utf8", "-T", "utf8", "-P", "-cbou", "-man", "-ww", str(path))
            self.assertEqual(result.stderr, "", path.name)
            self.assertIn("NAME", result.stdout)

    def test_completions_are_scripts(self):
        run("bash", "-n", str(self.share / "bash-completion/completions/crema"))
        self.assertIn("#compdef crema", (self.share / "zsh/site-functions/_crema").read_text())
        self.assertIn("complete -c 'crema'", (self.share / "fish/vendor_completions.d/crema.fish").read_text())

    def test_the_unit_is_one_and_names_the_program(self):
        unit = self.root / "opt/crema/lib/systemd/system/crema.service"
        self.assertIn("ExecStart=/opt/crema/bin/crema serve --config /etc/crema/crema.yaml\n", unit.read_text())
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        # Here the program is below the root, and the manual is not where man looks.
        checked = self.root / "crema.service"
        checked.write_text(unit.read_text().replace("/opt/crema", f"{self.root}/opt/crema").replace("Documentation=man:crema(1)\n", ""))
        self.assertEqual(run("systemd-analyze", "verify", str(checked)).stderr, "")

    def test_the_configuration_is_taken_and_stays_when_it_is_there(self):
        file = self.root / "etc/crema/crema.yaml"
        result = run(CREMA, "check", "--config", str(file), env={**unconfigured(), "CREMA_DATA": str(self.root / "data")})
        self.assertIn("9090", result.stdout)
        file.write_text("listeners: []\n")
        run(str(ROOT / ".ci/install.sh"), CREMA, "/opt/crema", str(self.root))
        self.assertEqual(file.read_text(), "listeners: []\n")


if __name__ == "__main__":
    unittest.main()
