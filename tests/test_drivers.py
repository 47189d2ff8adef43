"""The tests of pixels, HUD, vertices and heights under Mesa's other software drivers.

Each driver has a child, a pytest run of its own, which refuses to start under another renderer than
the one meant: `pytest --driver softpipe tests/test_pixels.py` is the same by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drivers import DRIVERS, Driver, driver_of, renderer_under

TESTS = Path(__file__).parent
FILES = ("test_pixels.py", "test_hud_pixels.py", "test_vertices.py", "test_gpu_heights.py")
FEWEST = 100  # tests that must have run: far fewer would mean that most were skipped
LIMIT = 600.0  # s


def run(driver: Driver, folder: Path, *tests: str, under: str | None = None) -> tuple[int, str]:
    """(exit code, output) of pytest on files or tests in a child that takes the driver `under`."""
    environment = {**os.environ, **DRIVERS[under or driver.name].environment()}
    environment.pop("PYTEST_ADDOPTS", None)
    environment.pop("PYTEST_XDIST_WORKER", None)
    child = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly",
            f"--junitxml={folder / 'report.xml'}", f"--driver={driver.name}",
            *(str(TESTS / test) for test in tests),
        ],
        cwd=TESTS.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )  # fmt: skip
    return child.returncode, child.stdout


@pytest.fixture(params=[name for name in DRIVERS if name != "llvmpipe"])
def driver(request: pytest.FixtureRequest) -> Driver:
    """A driver that is here; else the test is skipped, saying why."""
    chosen = DRIVERS[request.param]
    if why := chosen.missing():
        pytest.skip(f"{chosen.name}: {why}")
    assert chosen.draws(renderer_under(chosen.name)), (
        f"not {chosen.name}: {renderer_under(chosen.name)}"
    )
    return chosen


@pytest.mark.rendering
def test_pictures_vertices_and_heights_are_right_under(
    driver: Driver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(driver, tmp_path, *FILES)
    assert code == 0, f"under {renderer_under(driver.name)}:\n{said[-8000:]}"
    report = ElementTree.parse(tmp_path / "report.xml").getroot()
    suite = next(report.iter("testsuite"))
    ran, skipped = (int(suite.get(key, "0")) for key in ("tests", "skipped"))
    left_out = ", ".join(driver.left_out) or "nothing"
    with capsys.disabled():
        print(
            f"\n{renderer_under(driver.name)}: {ran} tests, {driver.bounds}; left out: {left_out}"
        )
    assert skipped == 0 and ran > FEWEST, said[-2000:]


@pytest.mark.rendering
def test_a_child_refuses_another_driver_than_the_one_meant(driver: Driver, tmp_path: Path) -> None:
    code, said = run(driver, tmp_path, "test_hud_pixels.py", under="llvmpipe")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert f"--driver {driver.name}: the renderer is llvmpipe" in said


@pytest.mark.parametrize(
    ("renderer", "name"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe"),
        ("softpipe", "softpipe"),
        ("zink (llvmpipe (LLVM 15.0.6, 256 bits))", "zink"),
        ("zink (NVIDIA GeForce RTX 3060)", None),
        ("NVIDIA GeForce RTX 3060/PCIe/SSE2", "nvidia"),
        ("NVIDIA H200/PCIe/SSE2", "nvidia"),
        ("Mesa Intel(R) UHD Graphics 620 (KBL GT2)", None),
    ],
)
def test_a_renderers_name_tells_its_driver(renderer: str, name: str | None) -> None:
    found = driver_of(renderer)
    assert (found and found.name) == name


def test_what_is_left_out_is_there() -> None:
    """A test that was renamed would silently run, for minutes."""
    text = "".join((TESTS / file).read_text(encoding="utf-8") for file in FILES)
    for driver in DRIVERS.values():
        for name in driver.left_out:
            assert f"def {name}(" in text
