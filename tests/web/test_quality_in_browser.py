"""The quality report in a real browser: nothing is asked for, and no width makes the page scroll sideways."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import quality_document
from vardag.water.publish.quality.page import POLICY, quality_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-extensions", "--virtual-time-budget=3000",
)  # fmt: skip
MEASURE = (
    "<script>addEventListener('load', () => { const root = document.documentElement; "
    "root.dataset.sideways = root.scrollWidth - root.clientWidth; })</script>"
)

pytestmark = pytest.mark.skipif(
    BROWSER is None and os.environ.get("CI") != "true",
    reason="chromium is not installed (apt-get install chromium)",
)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Address of a server that serves the page, and the list of every path that was asked for."""
    paths: list[str] = []

    class Visitor(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            tempted = '<img src="/stolen.png"><link rel="stylesheet" href="/x.css"><script src="/x.js"></script>'
            page = quality_page(quality_document.document(), language="sv")
            self.wfile.write(page.replace("</main>", tempted + "</main>").encode())

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Visitor) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/quality.html", paths
        running.shutdown()
        thread.join()


def dom(address: str, folder: Path, *more: str) -> str:
    assert BROWSER, "chromium is missing, and CI=true forbids skipping"
    command = [BROWSER, *OPTIONS, *more, f"--user-data-dir={folder / 'profile'}", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, timeout=90, check=True).stdout.decode("utf-8")


def test_no_request_leaves_the_page(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = asked
    page = dom(address, tmp_path)
    assert 'class="difference sure"' in page
    assert [path for path in paths if path != "/favicon.ico"] == ["/quality.html"]


@pytest.mark.parametrize("width", [500, 800, 1280])
def test_no_width_makes_the_page_scroll_sideways(width: int, tmp_path: Path) -> None:
    path = tmp_path / "quality.html"
    page = quality_page(quality_document.document(), language="sv").replace("</main>", MEASURE + "</main>")
    policy = POLICY.replace("'", "&#39;")
    assert policy in page
    path.write_text(page.replace(policy, policy + "; script-src &#39;unsafe-inline&#39;"), encoding="utf-8")
    found = re.search(r'data-sideways="(-?\d+)"', dom(path.as_uri(), tmp_path, f"--window-size={width},900"))
    assert found, "the page was not measured"
    assert int(found[1]) <= 0
