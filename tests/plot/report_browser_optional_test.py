#!/usr/bin/python3
"""Reports in a real browser (headless Chromium): no errors, no requests, layout at three widths, with scripts off,
dark, and on A4. Exit 77 where there is no chromium."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AXMUL, SOURCE = sys.argv[1], Path(sys.argv[2])
KEEP = Path(sys.argv[3]) if len(sys.argv) > 3 else None  # folder for screenshots


class Browser:
    """Chromium over its debugging pipe: file descriptors 3 and 4, messages that end in a zero byte."""

    def __init__(self, folder):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()

        def pipes():
            os.dup2(to_read, 63), os.dup2(from_write, 64)
            os.dup2(63, 3), os.dup2(64, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(from_write)
        self.number, self.buffer, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.from_read, 1 << 16)
            assert part, "chromium ended"
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def load(self, page):
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def value(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)["result"].get("value")

    def close(self):
        self.call("Browser.close")
        self.process.wait(30)


# Elements of text that stick out of the page; what scrolls in its own frame may.
STICKS_OUT = """[...document.querySelectorAll('h1,h2,p,figure,dl,nav,.scroll')].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""


def check(browser, page, name):
    for width, dark, scripts in ((360, False, True), (1280, False, True), (1920, True, True), (360, True, False)):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme",
                                                             "value": "dark" if dark else "light"}])
        browser.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        browser.load(page)
        what = (name, width, dark, scripts)
        bad = [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]
        assert not bad, (what, bad)
        requests = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
        assert all(url.startswith(("file:", "data:")) for url in requests), requests
        assert sum(url.startswith("file:") for url in requests) == 1, requests
        if scripts:
            assert browser.value("document.documentElement.scrollWidth") <= width, what
            assert browser.value(STICKS_OUT) == [], (what, browser.value(STICKS_OUT))
        if KEEP:
            shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
            (KEEP / f"{name}-{width}-{'dark' if dark else 'light'}{'' if scripts else '-noscript'}.png").write_bytes(
                base64.b64decode(shot["data"]))
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    pdf = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert pdf.startswith(b"%PDF") and (b"594.9" in pdf or b"595" in pdf), "not A4"
    if KEEP:
        (KEEP / f"{name}.pdf").write_bytes(pdf)


def interaction(browser, page):
    browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
    browser.load(page)
    wait = "new Promise(r => setTimeout(r, 300))"
    browser.value(wait)
    found = browser.value("""(() => { const svg = document.querySelector('figure[data-zoom] svg[tabindex]');
      svg.focus(); svg.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp'}));
      const before = svg.viewBox.baseVal.width;
      svg.closest('figure').querySelector('button').click();
      return [svg.closest('figure').querySelector('output').textContent, before / svg.viewBox.baseVal.width]; })()""")
    # drum(k=6) at (129, 128): what the table itself says
    assert found[0].startswith("a = 129, b = 128: 16512 + ("), found
    assert abs(found[1] - 1.5) < 1e-6, found


def main():
    if shutil.which("chromium") is None:
        print("no chromium (Debian package chromium)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = {"design": ["drum(k=6)", "--a", "uniform", "--a", "halfnormal(std=40)"],
                 "several": ["drum(k=6)", "mitchell", "--against", SOURCE / "luts/axmul-library.h5"],
                 "library": [SOURCE / "luts/axmul-library.h5"],
                 "run": [SOURCE / "bench/records/resnet20-lossless.json"]}
        browser = Browser(folder / "profile")
        for page, words in pages.items():
            subprocess.run([AXMUL, "report", *map(str, words), "-o", folder / f"{page}.html"], check=True,
                           stderr=subprocess.DEVNULL)
            check(browser, folder / f"{page}.html", page)
        interaction(browser, folder / "design.html")
        browser.close()
    print("ok")


main()
