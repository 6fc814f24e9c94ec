"""The report in a real browser: it draws, both languages work, and no request leaves."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import publishing
from vardag.water.publish import report
from vardag.water.publish.card import card_html

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
SILENT = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
)

pytestmark = pytest.mark.skipif(
    BROWSER is None and os.environ.get("CI") != "true",
    reason="chromium is not installed (apt-get install chromium)",
)


class Visitor(BaseHTTPRequestHandler):
    """Serves one page and writes down every path that was asked for."""

    page = b""
    asked: list[str] = []  # noqa: RUF012 - reset by the fixture

    def do_GET(self) -> None:
        self.asked.append(self.path)
        found = self.path == "/report.html"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.page if found else b"")

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Visitor.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Visitor) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def dom(address: str, folder: Path, *more: str) -> str:
    """What the page has become after its scripts have run."""
    assert BROWSER, "chromium is missing, and CI=true forbids skipping"
    command = [
        BROWSER,
        *QUIET,
        *SILENT,
        *more,
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=3000",
    ]
    done = subprocess.run([*command, "--dump-dom", address], capture_output=True, timeout=90, check=True)
    return done.stdout.decode("utf-8")


def made(language: str, **changes: object) -> str:
    return report(
        predictions=publishing.predictions(),
        evaluation=publishing.evaluation(),
        context=publishing.context(plots={"capture": "<svg></svg>"}, **changes),
        language=language,
    )


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_map_draws_every_pipe_with_a_place_and_the_list_is_taken_over(language: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(made(language), encoding="utf-8")
    page = dom(path.as_uri(), tmp_path)
    root = re.search(r"<html[^>]*>", page)
    assert root
    assert f'lang="{language}"' in root[0]
    assert 'data-pipes-drawn="118"' in root[0]
    assert re.search(r'class="ranked"[^>]*data-rows="12"', page)
    assert re.search(r'class="map-scale"[^>]*style="width: [\d.]+px;"[^>]*>[\d ,\u00a0]+ k?m<', page)
    assert {"sv": "Visa 50", "en": "Show 50"}[language] in page


def test_a_pipe_tells_its_chance_of_the_top(tmp_path: Path) -> None:
    """The page's own script shows the card of the pipe that was chosen in the list."""
    html = made("en").replace("start();", 'start(); document.querySelector(".ranked .rank").click();')
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    path = tmp_path / "report.html"
    path.write_text(re.sub(r"sha256-[^&']+", f"sha256-{digest}", html, count=1), encoding="utf-8")
    card = dom(path.as_uri(), tmp_path).split('class="map-card"', 1)[1].split("</div>", 1)[0]
    chance = r"(?:&[gl]t; )?\d+%"
    assert re.search(rf"In the worst 5 % of length with {chance} probability, in the worst 1 % with {chance}", card)


def test_no_request_leaves_the_page(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    tempted = f"{address}/stolen.png"
    html = made("sv").replace(
        "</main>", f'<img src="{tempted}"><link rel="stylesheet" href="{address}/x.css"></main>'
    )
    Visitor.page = html.encode()
    page = dom(f"{address}/report.html", tmp_path)
    assert 'data-pipes-drawn="118"' in page
    assert [path for path in Visitor.asked if path != "/favicon.ico"] == ["/report.html"]


def test_a_script_that_slipped_in_would_not_run(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(
        made("sv").replace("</main>", "<script>document.title = 'taken'</script></main>"), encoding="utf-8"
    )
    page = dom(path.as_uri(), tmp_path)
    assert "<title>taken</title>" not in page
    assert 'data-pipes-drawn="118"' in page


def test_without_scripts_the_still_map_and_the_whole_list_stand(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(
        made("sv")
        .replace("script-src 'sha256-", "script-src 'sha256-x")
        .replace("script-src &#39;sha256-", "script-src &#39;sha256-x"),
        encoding="utf-8",
    )
    page = dom(path.as_uri(), tmp_path)
    assert "data-pipes-drawn" not in page
    assert 'class="map-still"' in page
    assert page.split('class="ranked"', 1)[1].split("</tbody>", 1)[0].count('<td class="why">') == 50


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_model_card_asks_for_nothing(language: str, server: ThreadingHTTPServer, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    html = card_html(publishing.context(), publishing.evaluation(), language)
    Visitor.page = html.replace("</main>", f'<img src="{address}/stolen.png"></main>').encode()
    page = dom(f"{address}/report.html", tmp_path)
    assert page.count("<section") == 10
    assert [path for path in Visitor.asked if path != "/favicon.ico"] == ["/report.html"]
