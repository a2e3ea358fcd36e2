"""The reading page on the mock server: its layouts, its images as arrays, its places on screen."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests

STATIC = Path(__file__).resolve().parents[2] / "static"
# Which patient axis (x left, y posterior, z superior) slices, rows and columns run along.
AXES = {
    "axial": ((2, 1), (1, 1), (0, 1)),
    "coronal": ((1, 1), (2, -1), (0, 1)),
    "sagittal": ((0, 1), (2, -1), (1, 1)),
}


class Mock:
    """`npm run mock` on a port of its own."""

    def __init__(self, layout: str, dist: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        node = shutil.which("node") or "node"
        self.process = subprocess.Popen(
            [node, "dev/mock-server.mjs", f"--port={port}", f"--layout={layout}", f"--dist={dist}"],
            cwd=STATIC,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                requests.get(f"{self.url}/__mock", timeout=5)
                return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError("the mock server did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def state(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/api/read/enr1/state", timeout=10).json()

    def data(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/__mock", timeout=10).json()["data"]

    def volume(self, role: str) -> Volume:
        """The present case's image of a role, put together from its chunks."""
        state = self.state()
        slot = next(s for s in state["forms"][0]["layout"]["slots"] if s["role"] == role)
        token = state["reading"]["images"][role]
        array = np.zeros(slot["shape"], dtype="<i2")
        for number, (first, end) in enumerate(slot["chunks"]):
            raw = requests.get(f"{self.url}/i/{token}/{number}", timeout=30).content
            raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
            array[first:end] = np.frombuffer(raw, "<i2").reshape(-1, *slot["shape"][1:])
        return Volume(slot, array)


class Volume:
    """Levels of one slot with the position of each."""

    def __init__(self, slot: dict[str, Any], array: np.ndarray) -> None:
        self.slot = slot
        self.array = array

    def position(self, index: tuple[int, ...]) -> np.ndarray:
        at = np.array(self.slot["origin_mm"], dtype=float)
        for number, (axis, sign) in enumerate(AXES[self.slot["plane"]]):
            at[axis] += sign * index[number] * self.slot["spacing_mm"][number]
        return at

    def in_planes(self) -> np.ndarray:
        """Levels in the order z, y, x of an axial slab, whatever the slab's own plane."""
        assert self.slot["plane"] == "axial"
        return self.array


class Page:
    """The reading page in one tab; complaints of the console fail the test."""

    def __init__(self, chromium, mock: Mock, **context) -> None:
        self.mock = mock
        settings = {"viewport": {"width": 1440, "height": 900}, **context}
        self.context = chromium.new_context(**settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _console(self, message) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def read(self) -> Page:
        self.page.goto(f"{self.mock.url}/read/enr1/")
        self.page.get_by_role("button", name=re.compile("Begin")).click()
        self.page.get_by_text(re.compile("Next case")).wait_for(state="attached")
        self.settle()
        return self

    def settle(self) -> None:
        """Until what was asked for is painted: the panes draw in animation frames."""
        self.page.evaluate(
            "() => new Promise(done => { let n = 0;"
            " const next = () => ++n < 6 ? requestAnimationFrame(next) : done();"
            " requestAnimationFrame(next); })"
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def pane(self, number: int):
        return self.page.locator(".pane:visible").nth(number)

    def box(self, number: int = 0) -> dict[str, float]:
        return self.pane(number).bounding_box()

    def text(self, kind: str, number: int = 0) -> str:
        return self.pane(number).locator(f".pane__text--{kind}").inner_text()

    def slice_shown(self, number: int = 0) -> int:
        return int(re.search(r"(\d+) / \d+", self.text("slice", number))[1])

    def go_to(self, wanted: int, number: int = 0) -> None:
        shown = self.slice_shown(number)
        key = "ArrowDown" if wanted > shown else "ArrowUp"
        self.press(*[key] * abs(wanted - shown))
        assert self.slice_shown(number) == wanted

    def scale(self, number: int, spacing: float) -> float:
        """CSS pixels per mm, from the zoom and the scale bar, which is exact."""
        bar = self.pane(number).locator(".scale-bar")
        label = bar.locator("span").inner_text().split()
        millimetres = float(label[0]) * (10 if label[1] == "cm" else 1)
        # The bar may be rounded to a pixel by its border; the style is not.
        width = bar.locator("i").evaluate("bar => parseFloat(bar.style.width)")
        assert spacing > 0
        return width / millimetres

    def grey(self) -> np.ndarray:
        """What is on screen, as an array of rows, columns, colours."""
        from io import BytesIO

        from PIL import Image

        return np.asarray(Image.open(BytesIO(self.page.screenshot())).convert("RGB"))

    def drag(self, start, end, button: str = "left") -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down(button=button)
        mouse.move(*end, steps=4)
        mouse.up(button=button)
        self.settle()

    def sent(self) -> dict[str, Any]:
        """The last answer that the mock server took."""
        answers = [r["answers"][-1] for r in self.mock.data()["readings"] if r["answers"]]
        return json.loads(answers[-1]["text"])
