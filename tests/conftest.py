"""Options, marks and fixtures for every test file, and the guard against rendering nothing.

A test that needs OpenGL is marked `@pytest.mark.rendering` and may be skipped without it. In CI
(CI=true) OpenGL is required: a run in which every rendering test was skipped fails, so that a
missing driver cannot look like success.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest
from drivers import DRIVERS, renderer_here
from hypothesis import settings

# The same examples every time, and no deadlines: machines are busy.
settings.register_profile("calf_viz", derandomize=True, deadline=None)
settings.load_profile("calf_viz")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-pixels",
        action="store_true",
        help="rewrite the expected pictures of the pixel tests; nothing else ever does",
    )
    parser.addoption(
        "--driver",
        choices=sorted(DRIVERS),
        help="refuse to run under another driver than that; without the tests that it leaves out",
    )


def pytest_collection_finish() -> None:
    if "torch" in sys.modules:  # whose products are so small here that a second thread only waits
        sys.modules["torch"].set_num_threads(1)


class RenderingGuard:
    """Counts rendering tests that ran and that were skipped, from every worker's reports."""

    def __init__(self) -> None:
        self.ran = 0
        self.skipped = 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # A module skipped as a whole, as by importorskip, hides its marks: counted as rendering.
        self.skipped += report.skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "rendering" not in report.keywords:
            return
        expected_failure = hasattr(report, "wasxfail")  # it did run, though reported as skipped
        if report.skipped and not expected_failure:
            self.skipped += 1
        elif report.when == "call":
            self.ran += 1

    @property
    def nothing_rendered(self) -> bool:
        return self.skipped > 0 and self.ran == 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        in_ci = os.environ.get("CI", "").lower() in ("1", "true")
        if in_ci and self.nothing_rendered and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.ran and not self.skipped:
            return
        terminalreporter.write_line(f"rendering tests: {self.ran} ran, {self.skipped} skipped")
        if self.nothing_rendered:
            terminalreporter.write_line(
                "every rendering test was skipped: an error in CI; `make test` installs OpenGL"
            )


def _hear_signals() -> None:
    """Restore signals that the parent of the tests ignores, as nohup does, and a shell for
    background jobs: processes inherit that, and so would those that tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    _hear_signals()
    config.addinivalue_line("markers", "rendering: needs OpenGL (see conftest.py for CI's rule)")
    wanted = config.getoption("--driver")
    if wanted is not None and not DRIVERS[wanted].draws(renderer := renderer_here()):
        chosen = " ".join(f"{k}={v}" for k, v in DRIVERS[wanted].environment().items())
        raise pytest.UsageError(f"--driver {wanted}: the renderer is {renderer}; set {chosen}")
    if not hasattr(config, "workerinput"):  # under xdist the controller sees all reports
        config.pluginmanager.register(RenderingGuard(), "calf_viz_rendering_guard")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    driver = DRIVERS.get(config.getoption("--driver") or "")
    if driver is None or not driver.left_out:
        return
    out = [item for item in items if getattr(item, "originalname", "") in driver.left_out]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """An empty folder for a look's files."""
    folder = tmp_path / "look"
    folder.mkdir()
    return folder


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the boards that this test's loops write."""
    folder = tmp_path / "boards"
    folder.mkdir()
    monkeypatch.setenv("CALF_BOARDS", str(folder))
    return folder


@pytest.fixture
def tensorboard(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, int], float]:
    """Values that a stand-in for TensorBoard received, by name and episode; none of them twice."""
    written: dict[tuple[str, int], float] = {}

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert Path(folder).name == "tensorboard"
            for key in [key for key in written if key[1] >= purge_step]:
                del written[key]

        def add_scalar(self, name: str, value: float, step: int) -> None:
            assert (name, step) not in written
            written[name, step] = value

        def flush(self) -> None:
            pass

        def close(self) -> None:
            pass

    stand_in = ModuleType("torch.utils.tensorboard")
    stand_in.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    return written
