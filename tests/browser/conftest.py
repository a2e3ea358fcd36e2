"""A real server, a real worker and the system Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from playwright.sync_api import sync_playwright

from tests.scenario import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SHOWCASE = os.environ.get("READERSTUDY_SCREENSHOTS")
CASES_PER_CLASS = 4


class Site:
    """The embedded mode on a port of its own; the web server can be killed and started."""

    def __init__(self, var: Path) -> None:
        self.var = var
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "READERSTUDY_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "readerstudy.settings.dev",
            "PYTHONPATH": str(ROOT),
        }
        self.processes: dict[str, subprocess.Popen] = {}

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        log = (self.var / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def start_web(self) -> None:
        bind = f"127.0.0.1:{self.port}"
        self.start(
            "web",
            "gunicorn",
            "readerstudy.wsgi",
            "--bind",
            bind,
            "--threads",
            "8",
            "--no-control-socket",
        )
        for _ in range(300):
            try:
                requests.get(f"{self.url}/sign-in/", timeout=5)
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError("the web server did not start")

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def new_site(folder: Path) -> Site:
    """Return the embedded mode in a folder of its own, nothing started."""
    if not (ROOT / "static/dist/manifest.json").exists():
        pytest.skip("the front end is not built: run make setup")
    for name in ("queue", "queue-control"):
        (folder / name).mkdir()
    return Site(folder)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    made = new_site(tmp_path_factory.mktemp("site"))
    spacing = "2,1,1" if SHOWCASE else "5,2.5,2.5"
    script = str(ROOT / "tests/browser/prepare.py")
    made.python(script, str(made.var / "phantoms"), str(CASES_PER_CLASS), spacing)
    made.start_web()
    made.start("worker", "celery", "-A", "readerstudy.celery", "worker", "-c", "1", "-Q", "default")
    yield made
    for name in list(made.processes):
        made.kill(name)


@pytest.fixture(scope="session")
def chromium():
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page of one person, with what the console and the network complained about."""

    def __init__(self, chromium, site: Site) -> None:
        self.context = chromium.new_context(viewport={"width": 1440, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.site = site
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message) -> None:
        network = "Failed to load resource" in message.text
        if message.type == "error" and not network:
            self.complaints.append(message.text)

    def _request(self, request) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.outside.append(request.url)

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.go("/sign-in/")
        self.page.get_by_label("E-mail or user name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def open_reading(self, name: str) -> None:
        """Follow the link to a study; a display that was not checked is read on without."""
        self.page.get_by_role("link", name=name).click()
        self.page.wait_for_url(re.compile(r"/check-display/|/read/[^/]+/"))
        if "/check-display/" in self.page.url:
            self.page.get_by_role("button", name="Read without the check").click()
            self.page.wait_for_url(re.compile(r"/read/[^/]+/"))

    def confirm(self) -> None:
        self.page.locator("dialog[open] .button--primary").click()

    def picture(self, name: str) -> None:
        if SHOWCASE:
            self.page.screenshot(path=str(Path(SHOWCASE) / f"{name}.png"))

    def close(self) -> None:
        """End, and fail where the page complained or asked something of another machine."""
        self.context.close()
        assert self.complaints == []
        assert self.outside == [], "a page asked something outside this server"


@pytest.fixture
def tab(chromium, site):
    tabs: list[Tab] = []

    def make() -> Tab:
        tabs.append(Tab(chromium, site))
        return tabs[-1]

    yield make
    for one in tabs:
        one.close()


@pytest.fixture(scope="session")
def notes(tmp_path_factory) -> Path:
    """What one step of the road leaves for the next, as JSON."""
    path = tmp_path_factory.mktemp("notes") / "notes.json"
    path.write_text(json.dumps({}))
    return path
