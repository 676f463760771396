"""The coffee shop of `make serve` on free ports: its own configuration, templates and pages, with users made by `crema demo --links`."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from broker import CREMA, SHOP, WAIT_SECONDS, free_port, run, unconfigured


class Shop:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-shop-"))
        self.certificates = self.folder / "certs"
        run(CREMA, "certs", "init", "--directory", str(self.certificates))
        for name in ("customer", "neighbour", "barista", "device-1"):
            run(CREMA, "certs", "issue", "--directory", str(self.certificates), name)
        self.ports = {port: free_port() for port in (1883, 8883, 8080, 9090)}
        self.http, self.admin = self.ports[8080], self.ports[9090]
        self.origin = f"http://localhost:{self.http}"
        text = (SHOP / "crema.yaml").read_text()
        for port, free in self.ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
        text = text.replace("../../../certs", str(self.certificates)).replace("pages: pages", f"pages: {SHOP / 'pages'}")
        text = re.sub(r"\b(\w+\.yaml)(?=[,\]])", lambda match: str(SHOP / match[1]), text)
        self.configuration = self.folder / "crema.yaml"
        self.configuration.write_text(text)
        printed = run(CREMA, "demo", "--links", "--config", str(self.configuration), "--certificates", str(self.certificates)).stdout
        links = re.findall(r"http://\S+#(\w+):\S+", printed)
        self.links = dict(zip(links, re.findall(r"http://\S+", printed)))
        self._log = (self.folder / "crema.log").open("w")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [CREMA, "serve", "--config", str(self.configuration)], env=unconfigured(), stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"the shop does not open:\n{(self.folder / 'crema.log').read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.terminate()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self.folder)
