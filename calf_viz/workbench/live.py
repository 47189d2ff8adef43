"""Shaders rebuilt as their files are saved, while the program draws.

files ──Watcher──▶ poll, once a frame ──▶ Host.reload ──▶ next frame
                        │ does not compile
                        └──▶ the last good program stays; log, and a notice in the HUD
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from calf_viz.hosts.base import Host
from calf_viz.hud.problem_notice import ProblemNotice
from calf_viz.render.problems import Problem, ShaderError
from calf_viz.workbench.look import WornLook
from calf_viz.workbench.watch import Watcher

log = logging.getLogger("calf_viz")


class LiveShaders:
    """Keeps a host's shaders as their files are. Used by the thread that draws, alone.

    Attributes:
        problem: what is wrong now; None while what is drawn is what was saved.
        built: seconds that the last rebuild took, the driver's compiling included.
    """

    def __init__(self, host: Host, look: WornLook) -> None:
        self.host, self.look = host, look
        self.problem: Problem | None = None
        self.built = 0.0
        self._on_trial = False
        library = host.programs.library
        self._watchers = [Watcher(library.shipped)]
        if library.overlay is not None:
            single = library.overlay.is_file()
            folder = library.overlay.parent if single else library.overlay
            self._watchers.append(Watcher(folder, recursive=not single))
        if host.hud is not None:
            host.hud.add(ProblemNotice(), first=True)

    def poll(self) -> None:
        """Before each frame: rebuild, if a file changed."""
        # Every watcher is asked: one that is not would tell again in the next frame.
        if any([watcher.take() for watcher in self._watchers]):
            self.rebuild()

    def rebuild(self) -> None:
        """Use the files as they are now, or say why not."""
        start = time.perf_counter()
        try:
            if self.host.reload():
                self._on_trial = True
                log.info("shaders rebuilt")
            self.look.refresh()
            self._solved()
        except ShaderError as error:
            self._tell(error.problems[0])
        self.built = time.perf_counter() - start

    def draw(self, draw: Callable[[], None]) -> None:
        """A frame. Shaders that compiled but cannot be drawn with are given up in their first."""
        if not self._on_trial:
            draw()
            return
        self._on_trial = False
        try:
            draw()
        except Exception as error:  # whatever a driver's binding makes of it
            self.host.revert()
            path = self.host.programs.library.overlay or self.host.programs.library.shipped
            self._tell(Problem(path, None, f"cannot be drawn with ({error})"))
            draw()

    def _tell(self, problem: Problem) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        log.error("%s%s", problem, f"\n    {problem.code}" if problem.code else "")
        if self.host.hud is not None:
            shown = Problem(_short(problem.path), problem.line, problem.text)
            # None before it: a text that only changes is not laid out anew.
            self.host.hud.update(problem=None, problem_code=None)
            self.host.hud.update(problem=str(shown), problem_code=problem.code or None)

    def _solved(self) -> None:
        if self.problem is not None:
            self.problem = None
            log.info("shaders compile again")
            if self.host.hud is not None:
                self.host.hud.update(problem=None, problem_code=None)

    def close(self) -> None:
        """Stop watching."""
        for watcher in self._watchers:
            watcher.close()


def _short(path: Path) -> Path:
    """As one would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
