"""Image bytes and small answers of the server against a bare application on the same gunicorn.

    python benchmarks/bench_serving.py [--requests 200]

Both servers run at the same time and are asked in turn, so that a busy machine slows both. The
bare application sends bytes of the same length from memory: it is the floor.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from viewer_site import PASSWORD, ROOT, Site, free_port, wait_for

FORM = "application/x-www-form-urlencoded"
JSON = {"Content-Type": "application/json"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "queue").mkdir()
        site = Site(Path(folder), cases=2, repeats=0)
        bare = None
        try:
            client = Client(site.url)
            client.sign_in()
            path, body = client.largest_image()
            (Path(folder) / "body").write_bytes(body)
            bare = Bare(Path(folder) / "body")
            floor = Client(bare.url)
            images = measured(client, path, floor, "/body", count)
            small = measured(client, client.state_path, floor, "/hello", count)
        finally:
            site.stop()
            if bare:
                bare.process.terminate()
    report(len(body), images, small)


class Bare:
    """`bare_app` on the same kind of server as the site's."""

    def __init__(self, body: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "benchmarks.bare_app:application"),
                *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8"),
                *("--log-level", "error"),
            ],
            env={**os.environ, "BARE_BODY": str(body), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )
        wait_for(f"{self.url}/hello")


class Client:
    """One kept connection, as a browser holds it."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        self.cookies: dict[str, str] = {}
        self.state_path = ""

    def call(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body or None, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.read()

    def sign_in(self) -> None:
        """Sign in as the reader and begin the sitting."""
        self.call("GET", "/sign-in/")
        token = self.cookies["csrftoken"]
        form = {"username": "reader", "password": PASSWORD, "csrfmiddlewaretoken": token}
        body = urllib.parse.urlencode(form)
        self.call("POST", "/sign-in/", body, **{"Content-Type": FORM})
        _, home = self.call("GET", "/")
        at = home.index(b"/read/") + len(b"/read/")
        token = home[at : home.index(b"/", at)].decode()
        self.state_path = f"/api/read/{token}/state"
        self.post(f"/api/read/{token}/resume", {})

    def post(self, path: str, document: dict[str, str]) -> tuple[int, bytes]:
        token = {"X-CSRFToken": self.cookies.get("csrftoken", "")}
        return self.call("POST", path, json.dumps(document), **JSON, **token)

    def largest_image(self) -> tuple[str, bytes]:
        """Return the address and bytes of the longest part of the present case."""
        _, text = self.call("GET", self.state_path)
        state = json.loads(text)
        image = next(iter(state["reading"]["images"].values()))
        chunks = state["forms"][state["reading"]["form"]]["layout"]["slots"][0]["chunks"]
        parts = [f"/i/{image}/{number}" for number in range(len(chunks))]
        bodies = {part: self.image(part) for part in parts}
        return max(bodies.items(), key=lambda item: len(item[1]))

    def image(self, path: str) -> bytes:
        status, body = self.call("GET", path, **{"Accept-Encoding": "zstd"})
        if status != 200:
            raise SystemExit(f"{path} answered {status}: {body[:200]!r}")
        return body


def measured(
    ours: Client, path: str, floor: Client, floor_path: str, count: int
) -> tuple[list[float], list[float]]:
    """Return milliseconds of both, asked in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(count):
        for client, address, kept in ((ours, path, times[0]), (floor, floor_path, times[1])):
            start = time.perf_counter()
            client.call("GET", address, **{"Accept-Encoding": "zstd"})
            kept.append(1000 * (time.perf_counter() - start))
    return times


def report(
    length: int,
    images: tuple[list[float], list[float]],
    small: tuple[list[float], list[float]],
) -> None:
    print(f"{'':30}{'ours':>10}{'floor':>10}{'ratio':>8}")
    for label, (ours, floor) in (
        (f"image part of {length / 1024:.0f} kB, ms", images),
        ("state of the page, ms", small),
    ):
        middle = [statistics.median(one) for one in (ours, floor)]
        print(f"{label:30}{middle[0]:10.2f}{middle[1]:10.2f}{middle[0] / middle[1]:8.2f}")
    rates = [length / statistics.median(one) / 1048.576 for one in images]
    print(f"{'image bytes, MB/s':30}{rates[0]:10.1f}{rates[1]:10.1f}{rates[0] / rates[1]:8.2f}")
    for label, (ours, _) in (("image", images), ("state", small)):
        ordered = sorted(ours)
        spread = ordered[int(0.99 * len(ordered))] / statistics.median(ordered)
        print(f"{label + ', p99 / p50':30}{spread:10.2f}")


if __name__ == "__main__":
    main()
