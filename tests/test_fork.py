"""Children forked from a process that draws, and what the end of a process gives back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def outcome(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


FORKING = """
import multiprocessing, os, sys
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError

def opened():
    return CALFApplication(VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True))

def child(parents):
    for use in (parents.step if parents else opened, opened):
        try:
            use()
            print("drawn", flush=True)
        except UserError as error:
            print(error, flush=True)

if __name__ == "__main__":
    parents = None
    if sys.argv[1:] != ["before"]:
        parents = opened()
        parents.step()
    if sys.argv[1:] == ["closed"]:
        parents.close()
    process = multiprocessing.get_context("fork").Process(target=child, args=(parents,))
    process.start()
    process.join()
    pid = os.fork()
    if pid == 0:
        child(parents)
        sys.exit(0)  # which takes down what the child has of the parent's
    print(os.waitpid(pid, 0)[1], flush=True)
    if sys.argv[1:] == []:
        parents.step()
        print("parent drawn")
"""


LEAVING = """
import os, sys
from panda3d.core import load_prc_file_data
load_prc_file_data("", "notify-level-display debug")
from calf_viz import CALFApplication, VisualizationConfig

shown = CALFApplication(VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True))
shown.step()
if os.environ["CLOSED"]:
    shown.close()
pid = os.fork()
if pid == 0:
    sys.exit(3)
print("child", os.waitpid(pid, 0)[1] >> 8, flush=True)
if not os.environ["CLOSED"]:
    shown.step()
print("the parent ends", file=sys.stderr, flush=True)
print("parent")
"""


@pytest.mark.rendering
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
class TestFork:
    def run(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", FORKING, *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    def test_a_child_of_one_that_draws_is_advised_to_spawn_at_once(self) -> None:
        lines = self.run()
        assert lines.pop() == "parent drawn"
        assert [line for line in lines if "spawn" not in line] == ["0"]
        assert len(lines) == 5

    @pytest.mark.parametrize("closed", [False, True])
    def test_when_a_child_ends_it_gives_nothing_back_that_is_its_parents(
        self, closed: bool
    ) -> None:
        """Some drivers would take it from the parent, too."""
        done = outcome(LEAVING, CLOSED="1" if closed else "")
        assert (done.returncode, done.stdout.splitlines()) == (0, ["child 3", "parent"])
        assert "close_gsg" not in done.stderr.partition("the parent ends")[0]
        assert closed or "close_gsg" in done.stderr, "as Panda3D would have told"

    def test_of_one_that_drew_and_closed_as_well(self) -> None:
        lines = self.run("closed")
        assert sum("spawn" in line for line in lines) == 2
        assert len(lines) == 5

    def test_of_one_that_did_not_draw_yet_it_draws(self) -> None:
        assert self.run("before") == ["drawn"] * 4 + ["0"]


@pytest.mark.rendering
def test_what_a_driver_refuses_when_the_process_ends_is_no_news() -> None:
    """Panda3D gives EGL's display back after everybody else, when some drivers are gone."""
    done = outcome(
        """
import atexit
from panda3d.core import Notify

def tell():
    print("errors" if Notify.ptr().get_category("display:egldisplay").is_error() else "nothing")

atexit.register(tell)  # the first, so that it runs as the last
from calf_viz import CALFApplication, VisualizationConfig
with CALFApplication(
    VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True)
) as shown:
    shown.step()
    tell()
"""
    )
    assert (done.returncode, done.stdout.split()) == (0, ["errors", "nothing"])
