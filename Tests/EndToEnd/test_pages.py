"""The folder of pages of an http listener: what is served, what is refused when the configuration is read, and what a reload takes."""

import json
import os
import pathlib
import socket
import tempfile
import unittest
import urllib.error
import urllib.request

from broker import Broker, CREMA, free_port, run


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="crema-pages-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.pages = self.folder / "pages"
        (self.pages / "shop").mkdir(parents=True)
        (self.pages / "index.html").write_text("<!doctype html><title>front</title>")
        (self.pages / "shop/app.js").write_text("export const a = 1;")
        (self.folder / "secret.txt").write_text("not a page")

    def check(self, **limits):
        configuration = self.folder / "crema.yaml"
        configuration.write_text(json.dumps({
            "listeners": [{"protocol": "http", "bind": "127.0.0.1:0", "anonymous": True, "pages": "pages"}], "limits": limits}))
        return run(CREMA, "check", "--config", str(configuration), check=False)

    def serve(self):
        port = free_port()
        broker = Broker(listeners=[{"protocol": "http", "bind": f"127.0.0.1:{port}", "anonymous": True, "pages": str(self.pages)}])
        self.addCleanup(broker.end)
        return broker, port

    def raw(self, port, target):
        """The whole answer to a request whose target nobody tidies up."""
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def test_pages_are_served_and_nothing_leads_out_of_the_folder(self):
        """Threat 62"""
        broker, port = self.serve()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            self.assertIn("front", answer.read().decode())
            self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        # What comes into the folder later is nobody's until a reload, a link least of all.
        os.symlink(self.folder / "secret.txt", self.pages / "link.txt")
        for target in ("/../secret.txt", "/shop/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/shop/..%5c..%5csecret.txt",
                       "/link.txt", "/./index.html", "//secret.txt", "/%00", f"{self.folder}/secret.txt", "http://127.0.0.1/../secret.txt"):
            answer = self.raw(port, target)
            self.assertNotIn(b"200 OK", answer, target)
            self.assertNotIn(b"not a page", answer, target)

    def test_a_reload_takes_other_pages_all_or_none(self):
        broker, port = self.serve()
        (self.pages / "new.txt").write_text("new")
        broker.reload()
        self.assertIn(b"new", self.raw(port, "/new.txt"))
        self.assertIn("new.txt", broker.log())
        (self.pages / ".hidden").write_text("x")
        (self.pages / "index.html").write_text("changed")
        broker.process.send_signal(1)
        broker.wait_for_log("reload failed")
        self.assertIn(b"front", self.raw(port, "/"))

    def test_what_cannot_be_served_is_refused_by_name(self):
        self.assertEqual(self.check().returncode, 0)
        self.assertIn("2 files are more than 1 (pageFilesMax)", self.check(pageFilesMax=1).stderr)
        self.assertIn("more than 20 bytes together (pageBytesInAllMax)", self.check(pageBytesInAllMax=20).stderr)
        for name, reason in ((".git", "does not begin with `.`"), ("with space.html", "letters, digits"), ("ä.html", "letters, digits")):
            (self.pages / name).write_text("x")
            result = self.check()
            self.assertEqual(result.returncode, 2)
            self.assertIn(reason, result.stderr)
            (self.pages / name).unlink()
        for target in (self.folder / "secret.txt", self.folder):
            os.symlink(target, self.pages / "link")
            self.assertIn("link is no regular file; links are not followed", self.check().stderr)
            (self.pages / "link").unlink()
        os.rename(self.pages, self.folder / "elsewhere")
        self.assertIn("there is no such folder", self.check().stderr)
        self.pages.write_text("a file")
        result = self.check()
        self.assertEqual(result.returncode, 2)
        self.assertIn("this is a file, and no folder", result.stderr)


if __name__ == "__main__":
    unittest.main()
