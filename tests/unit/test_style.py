"""The house rules that a machine can hold: short functions, short modules, both languages everywhere."""

import ast
import statistics
from pathlib import Path

import pytest

from vardag.core.texts import Texts

SOURCE = Path(__file__).parents[2] / "src" / "vardag"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_FUNCTION, LONGEST_MODULE, MEDIAN = 40, 400, 10


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def functions() -> list[tuple[str, int]]:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", body_lines(node)))
    return found


def test_functions_are_short() -> None:
    lengths = functions()
    assert [entry for entry in lengths if entry[1] > LONGEST_FUNCTION] == []
    assert statistics.median(lines for _, lines in lengths) < MEDIAN


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*texts.toml")), ids=lambda path: path.parent.name)
def test_everything_a_person_sees_is_in_both_languages(path: Path) -> None:
    texts = Texts(path)
    assert texts.entries and texts.incomplete() == []


def test_no_machine_path_and_no_host_in_the_constraints() -> None:
    pinned = (SOURCE.parents[1] / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in pinned and "--hash=sha256:" in pinned
