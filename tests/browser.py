"""A headless Chromium without a network, to open pages in as a reader would."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # for root, as in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
DRIVERS = ("chromedriver", "chromium.chromedriver")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser:
    """Pages in Chromium, what they print to the console and what they request."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver, self.scheme = driver, "light"

    def open(self, page: Path) -> None:
        """Opens a file and forgets what earlier pages said."""
        self.driver.get("about:blank")
        self.console()
        self.requests()
        self.driver.get(page.resolve().as_uri())
        loaded = "return document.readyState === 'complete'"
        WebDriverWait(self.driver, 60).until(lambda _: self.run(loaded))

    def run(self, script: str, *arguments: object) -> object:
        """Runs JavaScript, the body of a function, and returns what it returns."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """What the page printed since the last call, with errors and policy violations."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses outside the page that it requested since the last call."""
        messages = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        urls = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("file:", "data:", "about:", "blob:"))]

    def resize(self, width: int, height: int = 800) -> None:
        """Sets the size of the viewport in CSS pixels, also below a window's least width."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def emulate(self, scheme: str = "light", media: str = "screen") -> None:
        """Sets the preferred colour scheme, light or dark, and the medium, screen or print."""
        self.scheme = scheme
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """Saves a picture of the page as PNG; only what is in the viewport unless `whole`."""
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole}
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, path: Path) -> None:
        """Prints the page to a PDF on A4, in the colour scheme that it is viewed in."""
        self.emulate(self.scheme, "print")
        options = {"paperWidth": 8.27, "paperHeight": 11.69}
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", options)
        path.write_bytes(base64.b64decode(printed["data"]))


def _first(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """The driver of one Chromium for all tests; they are skipped where there is none."""
    browser, driver = _first(BROWSERS), _first(DRIVERS)
    if not browser or not driver:
        missing = "Chromium" if not browser else "chromedriver"
        pytest.skip(f"{missing} is not installed: apt-get install chromium chromium-driver")
    os.environ["SE_OFFLINE"] = "true"
    options = Options()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    profile = f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"
    for argument in (*ARGUMENTS, profile):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=Service(driver))
    try:
        started.set_page_load_timeout(60)
        yield started
    finally:
        started.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Iterator[Browser]:
    """The browser, with a desktop's viewport, light and on screen."""
    opened = Browser(chromium)
    opened.resize(1280)
    opened.emulate()
    yield opened
    chromium.get("about:blank")
