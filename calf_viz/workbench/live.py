"""Shaders rebuilt as their files are saved, while the program draws.

files ──Watcher──▶ poll, once a frame ──▶ Host.reload ──▶ next frame
                        │ does not compile
                        └──▶ the last good program stays; log, and a notice in the HUD
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from calf_viz.hosts.base import Host
from calf_viz.hud.problem_notice import ProblemNotice
from calf_viz.render.problems import Problem, ShaderError
from calf_viz.workbench.look import WornLook
from calf_viz.workbench.watch import Watcher

log = logging.getLogger("calf_viz")


class LiveShaders:
    """Keeps the shaders of one or more looks as their files are. Used by the thread that draws.

    Attributes:
        problem: what is wrong now; None while what is drawn is what was saved.
        rebuilds: how often files were looked at because something changed.
        built: seconds that the last of these took, the driver's compiling included.
    """

    def __init__(self, host: Host, looks: Sequence[WornLook]) -> None:
        """looks: the host's own, and a second one that it may show beside it."""
        self.host, self.looks = host, looks
        self.problem: Problem | None = None
        self.rebuilds, self.built = 0, 0.0
        self._on_trial: list[WornLook] = []
        self._watchers = [Watcher(host.programs.library.shipped)]
        for look in looks:
            overlay = look.wearer.programs.library.overlay
            if overlay is not None:
                single = overlay.is_file()
                folder = overlay.parent if single else overlay
                self._watchers.append(Watcher(folder, recursive=not single))
        if host.hud is not None:
            host.hud.add(ProblemNotice(), first=True)

    def poll(self) -> None:
        """Before each frame: rebuild, if a file changed."""
        # Every watcher is asked: one that is not would tell again in the next frame.
        if any([watcher.take() for watcher in self._watchers]):
            self.rebuild()

    def rebuild(self) -> None:
        """Use the files as they are now, or say why not; a look's mistakes are no other look's."""
        start = time.perf_counter()
        problems: list[Problem] = []
        for look in self.looks:
            try:
                if look.wearer.reload():
                    self._on_trial.append(look)
                look.refresh()
            except ShaderError as error:
                problems.append(error.problems[0])
        if problems:
            self._tell(problems[0])
        elif self.problem is not None:
            self._solved(self.problem)
        if self._on_trial:
            log.info("shaders rebuilt")
        self.rebuilds += 1
        self.built = time.perf_counter() - start

    def draw(self, draw: Callable[[], None]) -> None:
        """A frame. Shaders that compiled but cannot be drawn with are given up in their first."""
        if not self._on_trial:
            draw()
            return
        tried, self._on_trial = self._on_trial, []
        try:
            draw()
        except Exception as error:  # whatever a driver's binding makes of it
            for look in tried:
                look.wearer.revert()
            library = tried[0].wearer.programs.library
            where = library.overlay or library.shipped
            self._tell(Problem(where, None, f"cannot be drawn with ({error})"))
            draw()

    def _tell(self, problem: Problem) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        log.error("%s%s", problem, f"\n    {problem.code}" if problem.code else "")
        if self.host.hud is not None:
            shown = Problem(_short(problem.path), problem.line, problem.text)
            self.host.hud.update(problem=str(shown), problem_code=problem.code or None)

    def _solved(self, problem: Problem) -> None:
        self.problem = None
        log.info("%s is mended", problem.path)
        if self.host.hud is not None:
            self.host.hud.update(problem=None, problem_code=None)

    def close(self) -> None:
        """Stop watching."""
        for watcher in self._watchers:
            watcher.close()


def _short(path: Path) -> Path:
    """As one would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
