"""Trials with a pretended driver (pretend_driver.py), and the programs that it got."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Candidate, load_program
from calf_viz.shader_trial.examiner import Examiner

PRETENDED = Path(__file__).with_name("pretend_driver.py")
HEAD = "vec4 trail_colour(vec3 colour, int mode, float age, float edge)"
TRAILS = f"{HEAD} {{ return vec4(colour, 1.0); }}\n"


class Driver:
    """The programs that pretended drivers got."""

    def __init__(self, log: Path) -> None:
        self.log = log

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def starts(self) -> int:
        return sum(line.startswith("start") for line in self.lines)

    @property
    def asked(self) -> list[str]:
        return [line.split()[1] for line in self.lines if line.startswith("asked")]


def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Every child's driver is a pretended one from now on: the fixture of files that want it."""
    log = tmp_path / "driver.log"

    def command(module: str, design: str) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, str(PRETENDED), str(log), design], dict(os.environ)

    monkeypatch.setattr("calf_viz.shader_trial.examiner.python_child", command)
    return Driver(log)


def examining() -> Iterator[Examiner]:
    """An examiner that waits 2 s for a driver: the fixture of files that want it."""
    with closing(Examiner("gpu", patience=2.0)) as made:
        yield made


def candidate(library: ShaderLibrary, name: str = "field") -> Candidate:
    return Candidate(library, load_program(library, name))
