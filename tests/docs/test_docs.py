"""What the README and the docs show is what the program does."""

import doctest
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vardag
from vardag.app.reference import HEAD, pages

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^\s*(?:\$ )?vardag ((?:water |db )?(?:scorecard |review )?[a-z]+)", re.MULTILINE)


def run(*arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from vardag.app.cli import main; main()", *arguments]
    environment = {"VARDAG_LANGUAGE": language, "PATH": "/usr/bin:/bin", "TERM": "dumb", "COLUMNS": "160"}
    return subprocess.run(program, capture_output=True, text=True, env=environment, check=False)


MODULES = [module.name for module in pkgutil.walk_packages(vardag.__path__, "vardag.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize(
    "command",
    ["water init", "water load", "water check", "water predict", "water evaluate", "water publish", "demo",
     "water scorecard lock", "water scorecard check", "water presets", "water watch", "water links",
     "water review list", "water review settle", "water diff", "water catalogue", "water quality",
     "water stability", "water explain",
     "invoices discover", "invoices desk", "invoices person add", "invoices person roles",
     "invoices person password", "invoices person remove", "invoices person list", "invoices map",
     "db push", "db pull", "db status"],
)  # fmt: skip
def test_each_command_has_help_with_an_example_in_both_languages(command: str, language: str) -> None:
    shown = run(*command.split(), "--help", language=language)
    assert shown.returncode == 0
    assert {"en": "Example: vardag", "sv": "Exempel: vardag"}[language] in shown.stdout
    assert command in shown.stdout


def test_every_command_in_the_docs_exists() -> None:
    shown = {match for page in PAGES for match in COMMAND.findall(page.read_text(encoding="utf-8"))}
    assert len(shown) >= 6
    assert [command for command in shown if run(*command.split(), "--help").returncode] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("name", pages())
def test_generated_pages_are_up_to_date(name: str) -> None:
    page = ROOT / "docs" / "reference" / name
    assert page.read_text(encoding="utf-8") == HEAD + pages()[name], "run `make docs`"


def test_an_error_has_no_traceback_and_its_own_exit_code(tmp_path: Path) -> None:
    shown = run("water", "load", str(tmp_path))
    assert shown.returncode == 3
    assert "Traceback" not in shown.stderr and "vardag water init" in shown.stderr


def test_the_tutorial_runs_as_it_is_written(tmp_path: Path) -> None:
    """Two CSV files, init, load, predict, publish: the tutorial's own files and commands."""
    page = (ROOT / "docs" / "tutorials" / "two-files-to-a-map.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"```csv (\S+)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    commands = re.findall(r"^vardag (.+?)$", page, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["init", "load", "check", "predict", "publish"]
    settings = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert settings is not None
    for command in commands:
        done = run(*command.replace("my-city", str(tmp_path)).split())
        assert done.returncode == 0, done.stderr
        if " init " in f" {command} ":
            text = (tmp_path / "city.toml").read_text(encoding="utf-8")
            for line in settings[1].strip().splitlines():
                key = line.split("=")[0].strip()
                text, changed = re.subn(rf"^#? ?{key} *=.*$", line, text, count=1, flags=re.MULTILINE)
                assert changed == 1, f"{key} is not in the city.toml that init wrote"
            (tmp_path / "city.toml").write_text(text, encoding="utf-8")
    assert list((tmp_path / "out").glob("*.html"))
    assert json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))["pipes"] == 6
