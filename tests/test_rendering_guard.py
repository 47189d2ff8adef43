"""conftest.py's guard: in CI, a run whose rendering tests were all skipped has failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPED = """
@pytest.mark.rendering
def test_skipped():
    pytest.skip("no OpenGL")
"""
SKIPPED_BY_FIXTURE = """
@pytest.fixture
def gl():
    pytest.skip("no OpenGL")

@pytest.mark.rendering
def test_skipped_by_fixture(gl):
    pass
"""
SKIPPED_MODULE = """
pytest.skip("no OpenGL", allow_module_level=True)
"""
RENDERED = """
@pytest.mark.rendering
def test_rendered():
    pass
"""
OTHER_SKIPPED = """
def test_other():
    pytest.skip("unrelated")
"""


@pytest.mark.parametrize(
    ("body", "ci", "status"),
    [
        (SKIPPED, "true", 1),
        (SKIPPED_BY_FIXTURE, "true", 1),
        (SKIPPED, "", 0),
        (SKIPPED + RENDERED, "true", 0),
        (OTHER_SKIPPED, "true", 0),
    ],
)
def test_exit_status(tmp_path: Path, body: str, ci: str, status: int) -> None:
    assert run_pytest(tmp_path, {"test_inner.py": body}, ci) == status


@pytest.mark.parametrize(("body", "status"), [(SKIPPED, 1), (SKIPPED + RENDERED, 0)])
def test_exit_status_of_several_workers(tmp_path: Path, body: str, status: int) -> None:
    pytest.importorskip("xdist", reason="needs pytest-xdist, of the extra `dev`")
    assert run_pytest(tmp_path, {"test_inner.py": body}, "true", workers=2) == status


def test_module_skipped_whole_is_no_rendering(tmp_path: Path) -> None:
    plain = "def test_plain():\n    pass\n"
    assert run_pytest(tmp_path, {"test_gl.py": SKIPPED_MODULE, "test_plain.py": plain}, "true") == 1


def run_pytest(folder: Path, files: dict[str, str], ci: str, workers: int = 0) -> int:
    for name in ("conftest.py", "drivers.py"):
        shutil.copy(Path(__file__).with_name(name), folder)
    for name, body in files.items():
        (folder / name).write_text("import pytest\n" + body)
    addopts = f"-n {workers}" if workers else "-p no:xdist"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTEST_ADDOPTS": addopts},
        capture_output=True,
        timeout=60,
        check=False,
    ).returncode
