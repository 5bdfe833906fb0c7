"""Pages in a headless Chromium, driven through its DevTools protocol over two pipes, which needs no package."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WORDS = ["--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe", "--hide-scrollbars"]
WORDS += ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_S = 60
CODES = {"Enter": 13, "Escape": 27, "Home": 36}
AXE = Path(__file__).parent / "browser/node_modules/axe-core/axe.min.js"


@contextmanager
def chromium(profile: Path) -> Iterator["Browser"]:
    """A `Browser` while it is needed; skips the tests where no Chromium is installed."""
    try:
        browser = Browser(profile)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    yield browser
    browser.close()


def close_clean(page: "Page") -> None:
    """Close a page, which must have logged no error and requested nothing outside."""
    page.close()
    assert not page.errors
    assert {address.partition(":")[0] for address in page.addresses} <= {"file", "data", "blob"}


class Browser:
    """A running Chromium; `open` gives a page. Raises FileNotFoundError if there is none."""

    def __init__(self, profile: Path):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            raise FileNotFoundError("no Chromium is installed")
        theirs_in, self.to = os.pipe()
        self.of, theirs_out = os.pipe()
        # Chromium reads the descriptor 3 and writes the descriptor 4.
        passed = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]
        words = [program, *WORDS, f"--user-data-dir={profile}"]
        shell = ["bash", "-c", f'exec "$@" 3<&{passed[0]} 4>&{passed[1]}', "browser", *words]
        self.process = subprocess.Popen(shell, pass_fds=passed, stderr=subprocess.DEVNULL)
        for end in (theirs_in, theirs_out, *passed):
            os.close(end)
        self.buffer, self.last, self.pages = b"", 0, {}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.of)

    def ask(self, method: str, session: str | None = None, **parameters) -> dict:
        """Send a command of the protocol; returns its result, and hands the events before it to their pages."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def read(self) -> dict:
        """The next message; an event is also handed to its page."""
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self.buffer:
            assert select.select([self.of], [], [], max(0, end - time.monotonic()))[0], "the browser does not answer"
            self.buffer += os.read(self.of, 1 << 20)
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        if message.get("sessionId") in self.pages and "method" in message:
            self.pages[message["sessionId"]].event(message["method"], message["params"])
        return message

    def open(self, path: Path, width: int = 1440, dark: bool = False) -> "Page":
        """Load a file in a window of this width, and wait until it has loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        page.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.ask("Emulation.setEmulatedMedia", features=[scheme, {"name": "prefers-reduced-motion", "value": "reduce"}])
        page.load("Page.navigate", url=path.resolve().as_uri())
        return page


class Page:
    """A page of a `Browser`; errors: what it wrote to the console as errors; addresses: what it requested."""

    def __init__(self, browser: Browser, session: str, target: str):
        self.browser, self.session, self.target = browser, session, target
        self.errors: list[str] = []
        self.addresses: list[str] = []
        self.loaded = False

    def event(self, method: str, content: dict) -> None:
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent":
            self.addresses.append(content["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(content["exceptionDetails"]))
        elif (method == "Runtime.consoleAPICalled" and content["type"] == "error") or (
            method == "Log.entryAdded" and content["entry"]["level"] == "error"
        ):
            self.errors.append(str(content))

    def ask(self, method: str, **parameters) -> dict:
        return self.browser.ask(method, self.session, **parameters)

    def load(self, method: str = "Page.reload", **parameters) -> None:
        """Go to an address, or load the page again, and wait until the new document has loaded.

        A script that leaves the page itself returns while the old document still answers.
        """
        self.loaded = False
        self.ask(method, **parameters)
        while not self.loaded:
            self.browser.read()

    def value(self, code: str):
        """The value of an expression in JavaScript, awaited if it is a promise."""
        found = self.ask("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, code: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.value(code):
            assert time.monotonic() < end, f"never true: {code}"
            time.sleep(0.1)

    def key(self, name: str) -> None:
        for kind in ("keyDown", "keyUp"):
            # Only a key with a text presses a button.
            text = {"text": "\r"} if (kind, name) == ("keyDown", "Enter") else {}
            code = CODES[name]
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)

    def wheel(self, x: float, y: float, down: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=down)

    def picture(self, x: float, y: float, width: float, height: float) -> bytes:
        """A PNG of a part of the page, in its own pixels."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(found["data"])

    def serious(self) -> list[str]:
        """Violations that axe-core calls serious or critical; skips the test where it is not installed."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed; run `npm ci --prefix tests/browser`")
        self.value(AXE.read_text() + ";true")
        found = self.value("axe.run().then(found => found.violations)")
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def close(self) -> None:
        del self.browser.pages[self.session]
        self.browser.ask("Target.closeTarget", targetId=self.target)
