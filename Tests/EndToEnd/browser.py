"""Chromium without a window, driven by its DevTools protocol over two pipes: no driver, no port and no library in between."""

import base64
import fcntl
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

# Where CI runs, a browser that is missing is a failure, and nothing to skip.
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ("chromium" if os.environ.get("CI") else None)
WAIT_SECONDS = 20


class PageError(AssertionError):
    """What a page did not do, or a script threw."""


class Browser:
    """One Chromium with a folder of its own, which ends with it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crema-chromium-"))
        reading, to_browser = os.pipe()
        from_browser, writing = os.pipe()
        # The browser reads from 3 and writes to 4, whatever the numbers are here.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 64) for end in (reading, writing)]
        environment = {**os.environ, "HOME": str(self.folder)}
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", CHROMIUM, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-background-timer-throttling", "--hide-scrollbars", "--force-color-profile=srgb", f"--user-data-dir={self.folder}",
             "--lang=en-US"],
            pass_fds=high, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for end in (reading, writing, *high):
            os.close(end)
        self._output = os.fdopen(to_browser, "wb", buffering=0)
        self._input = os.fdopen(from_browser, "rb", buffering=0)
        self._lock = threading.Lock()
        self._number = 0
        self._answers = {}
        self.pages = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        waiting = b""
        while chunk := self._input.read(65536):
            *messages, waiting = (waiting + chunk).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers.pop(message["id"]).put(message)
                elif page := self.pages.get(message.get("sessionId")):
                    page._happened(message["method"], message["params"])

    def call(self, method, session=None, **parameters):
        """One command of the protocol, and its result."""
        answer = queue.Queue()
        with self._lock:
            self._number += 1
            self._answers[self._number] = answer
            message = {"id": self._number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
            self._output.write(json.dumps(message).encode() + b"\0")
        result = answer.get(timeout=WAIT_SECONDS * 3)
        if "error" in result:
            raise PageError(f"{method}: {result['error']['message']}")
        return result["result"]

    def open(self, url, width=1280, height=800, dark=False, phone=False):
        """A page in a context of its own: it shares nothing with the others, as on another machine."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        page.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}, {"name": "prefers-reduced-motion", "value": "reduce"}])
        page.goto(url)
        return page

    def end(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, PageError, queue.Empty, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """One page, with all that it asked for and complained about."""

    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target
        self.errors, self.requests, self.sockets = [], [], []

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def _happened(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(argument.get("value", argument.get("description"))) for argument in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.sockets.append(parameters["url"])

    def goto(self, url):
        # A link that differs in its fragment only would load nothing.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script):
        """The value of an expression, promises awaited."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in result:
            raise PageError(result["exceptionDetails"].get("exception", {}).get("description", str(result["exceptionDetails"])))
        return result["result"].get("value")

    def wait(self, script, seconds=WAIT_SECONDS):
        """Waits until an expression is true, and answers with it."""
        deadline = time.monotonic() + seconds
        problem = None
        while time.monotonic() < deadline:
            try:
                # An element has no value in JSON.
                if value := self.evaluate(f"(async () => {{ const value = await ({script}); return value instanceof Node ? true : value; }})()"):
                    return value
            except PageError as error:
                problem = error
            time.sleep(0.05)
        raise PageError(f"never came true: {script}\n{problem or ''}\nerrors: {self.errors}\nthe page says: {self.text()[:2000]}")

    def text(self):
        try:
            return self.evaluate("document.body.innerText") or ""
        except PageError as error:
            return str(error)

    def click(self, selector):
        """Clicks as a person does: in the middle of what is seen there, once it stands still and nothing covers it."""
        place = self.wait(f"""(async () => {{ const node = document.querySelector({json.dumps(selector)}); if (!node || node.disabled) return null;
            node.scrollIntoView({{ block: 'center' }}); const frame = () => new Promise(requestAnimationFrame);
            const before = node.getBoundingClientRect(); await frame(); await frame(); const box = node.getBoundingClientRect();
            if (!box.width || box.x !== before.x || box.y !== before.y) return null;
            const place = {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; const seen = document.elementFromPoint(place.x, place.y);
            return node.contains(seen) ? place : null; }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def type(self, selector, text):
        self.wait(f"(() => {{ const node = document.querySelector({json.dumps(selector)}); node?.focus(); node?.select?.(); return !!node }})()")
        self.call("Input.insertText", text=text)

    def press(self, key, code=None, **more):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowRight": 39, "ArrowLeft": 37, "ArrowUp": 38, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key)
        common = {"key": key, "code": code or {" ": "Space"}.get(key, key), "windowsVirtualKeyCode": codes.get(key, 0), **more}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path, whole=False):
        more = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            more = {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"]))

    def foreign_requests(self, *allowed):
        """What the page asked for elsewhere than at the origins that it may."""
        origins = tuple(allowed)
        return [url for url in self.requests + self.sockets if not url.startswith((*origins, "data:", "about:", "blob:"))]

    def close(self):
        if self.browser.pages.pop(self.session, None):
            self.browser.call("Target.closeTarget", targetId=self.target)
