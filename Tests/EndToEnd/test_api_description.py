"""The admin API against its own description: schemathesis makes requests of it, good ones and bad ones, and judges the answers."""
import os
import shutil
import subprocess
import sys
import unittest

from broker import Broker

# They answer until their reader goes.
STREAMS = ["/api/v1/tail", "/api/v1/live", "/api/v1/log", "/api/v1/clients/{id}/trace"]


class APIDescriptionTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.end)

    def test_every_answer_is_what_the_description_says(self):
        program = shutil.which("schemathesis", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]))
        if program is None:
            self.skipTest("there is no schemathesis")
        exclude = [word for path in STREAMS for word in ("--exclude-path", path)]
        result = subprocess.run(
            [program, "run", f"http://127.0.0.1:{self.broker.admin}/api/v1/openapi.json", "--max-examples", os.environ.get("CREMA_EXAMPLES", "20"),
             "--phases", "examples,coverage,fuzzing", "--checks", "all", "--no-color", "--generation-database", "none",
             "--exclude-checks", "unsupported_method", "--seed", os.environ.get("CREMA_SEED", "1"), "--workers", "1", *exclude],
            capture_output=True, text=True, timeout=1_200,
            # What it remembers of its runs goes with the broker's folder.
            cwd=self.broker.folder)
        self.assertEqual(result.returncode, 0, result.stdout[-6_000:] + result.stderr[-2_000:])


if __name__ == "__main__":
    unittest.main()
