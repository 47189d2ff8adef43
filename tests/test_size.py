"""Files and constructors stay small enough to be read at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("calf_viz", "attach", "tools", "tests")
NAMES = sorted(
    path.relative_to(ROOT).as_posix() for part in PARTS for path in (ROOT / part).rglob("*.py")
)
MOST_LINES, MOST_ARGUMENTS = 450, 6
OWN = {"calf_viz/viewer/app.py": 300}
"""Lines of files that are held to less."""


def constructors(path: Path) -> dict[str, int]:
    """Arguments of each constructor that is written out, by its class. Those of dataclasses are
    fields, each with its own line and meaning."""
    return {
        kind.name: sum(map(len, (made.args.posonlyargs, made.args.args, made.args.kwonlyargs))) - 1
        for kind in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(kind, ast.ClassDef)
        for made in kind.body
        if isinstance(made, ast.FunctionDef) and made.name in ("__init__", "__new__")
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_short_and_its_constructors_take_few_arguments(name: str) -> None:
    lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    most = OWN.get(name, MOST_LINES)
    assert lines <= most, f"{lines} lines: take out what is a noun of its own"
    for kind, count in constructors(ROOT / name).items():
        assert count <= MOST_ARGUMENTS, (
            f"{kind} takes {count} arguments: what belongs together is a dataclass"
        )


def test_constructors_are_counted_whatever_their_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("class A:\n    def __init__(self, a, /, b, *c, d=1, **e): ...\n")
    assert constructors(path) == {"A": 3}
