"""Rebuilds shaders as their files are saved, while the program draws.

files ──Watcher──▶ poll, once a frame ──▶ Trials ──▶ poll, a later frame ──▶ Host.adopt ──▶ draw
                                            │ does not compile, crashes the driver, never ends
                                            └──▶ the last good program stays; log, and a notice
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calf_viz.files import is_file
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.programs import ProgramSource
from calf_viz.hosts.base import Host
from calf_viz.hud.problem_notice import ProblemNotice
from calf_viz.shader_trial.trials import Pending, Trials
from calf_viz.workbench.look import AppliedLook
from calf_viz.workbench.watch import Watcher

log = logging.getLogger("calf_viz")


@dataclass
class _Saved:
    """A look's shaders as read from disk, while on trial; or why they cannot be read."""

    look: AppliedLook
    sources: dict[str, ProgramSource] = field(default_factory=dict)
    trial: Pending | None = None
    error: ShaderError | None = None

    @classmethod
    def read(cls, look: AppliedLook, trials: Trials | None) -> _Saved:
        programs = look.target.programs
        try:
            sources = programs.read()
        except ShaderError as error:
            return cls(look, error=error)
        changes = programs.changes(sources)
        return cls(look, sources, trials.begin(changes) if trials and changes else None)

    def use(self) -> bool:
        """Use them; returns whether any changed. Raises ShaderError if they cannot be used."""
        if self.error is not None:
            raise self.error
        if self.trial is not None:
            self.trial.wait()
        return self.look.target.adopt(self.sources)


class LiveShaders:
    """Keeps the shaders of one or more looks up to date. Used by the thread that draws.

    Attributes:
        problem: the current problem; None while the picture shows what was saved.
        rebuilds: how often changed files were adopted or refused.
        built: seconds of this thread for the last rebuild, compilation included.
    """

    def __init__(
        self, host: Host, looks: Sequence[AppliedLook], trials: Trials | None = None
    ) -> None:
        """looks: the host's own and, if any, a second one. trials: tries shaders while frames go
        on; without it they are compiled at once."""
        self.host, self.looks, self.trials = host, looks, trials
        self.problem: Problem | None = None
        self.rebuilds, self.built = 0, 0.0
        self._on_trial: list[AppliedLook] = []
        self._saved: list[_Saved] = []
        self._due, self._reading = False, 0.0
        self._warned_of: str | None = None
        self._watchers = [Watcher(host.programs.library.shipped)]
        for look in looks:
            overlay = look.target.programs.library.overlay
            if overlay is not None:
                single = is_file(overlay)
                folder = overlay.parent if single else overlay
                self._watchers.append(Watcher(folder, recursive=not single))
        if host.hud is not None:
            host.hud.add(ProblemNotice(), first=True)
        if trials is not None and len(self._watchers) > 1:  # there is something likely to change
            trials.keep()

    def poll(self) -> None:
        """Called before each frame: try files that changed, and use those that passed."""
        # No short circuit: a watcher left out would report its change again in the next frame.
        if any([watcher.take() for watcher in self._watchers]):
            self._due = True
        if self._due and (not self._saved or self._overdue):
            self._begin()
        if self._saved and all(s.trial is None or s.trial.done for s in self._saved):
            self._settle()
            self._compare_drivers()

    def rebuild(self) -> None:
        """Use the files as they are now, or report why not; waits for their trial."""
        self._begin()
        self._settle()

    def _compare_drivers(self) -> None:
        tries = self.trials.examiner.renderer if self.trials is not None else None
        if tries not in (None, self.host.renderer, self._warned_of):
            self._warned_of = tries
            log.warning("shaders are tried with %s, and drawn with %s", tries, self.host.renderer)

    @property
    def trying(self) -> bool:
        """Whether changed files are on trial."""
        return bool(self._saved)

    @property
    def _overdue(self) -> bool:
        """Whether the trial has taken too long, or has not begun."""
        if self.trials is not None and self.trials.starting:
            return True
        return any(saved.trial is not None and saved.trial.overdue for saved in self._saved)

    def _begin(self) -> None:
        """Replace what is on trial, if that takes long, by what was saved later: otherwise none of
        many saves in a row would be seen."""
        for saved in self._saved:
            if saved.trial is not None:
                saved.trial.drop()
        start = time.perf_counter()
        self._due = False
        self._saved = [_Saved.read(look, self.trials) for look in self.looks]
        self._reading = time.perf_counter() - start

    def _settle(self) -> None:
        """Use what was tried, or report why not, for each look separately."""
        all_saved, self._saved = self._saved, []
        problems: list[Problem] = []
        start = time.perf_counter()
        for saved in all_saved:
            try:
                if saved.use():
                    self._on_trial.append(saved.look)
                saved.look.refresh()
            except ShaderError as error:
                problems.append(error.problems[0])
        if problems:
            self._report(problems[0])
        elif self.problem is not None:
            self._solved(self.problem)
        if self._on_trial:
            log.info("shaders rebuilt")
        self.rebuilds += 1
        self.built = self._reading + time.perf_counter() - start

    def draw(self, draw: Callable[[], None]) -> None:
        """Draw a frame. Shaders that compile but fail in their first frame are reverted."""
        if not self._on_trial:
            draw()
            return
        tried, self._on_trial = self._on_trial, []
        try:
            draw()
        except Exception as error:  # bindings raise anything
            for look in tried:
                look.target.revert()
            library = tried[0].target.programs.library
            where = library.overlay or library.shipped
            self._report(Problem(where, None, f"cannot be drawn with ({error})"))
            draw()

    def _report(self, problem: Problem) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        log.error("%s%s", problem, f"\n    {problem.code}" if problem.code else "")
        if self.host.hud is not None:
            shown = Problem(_short(problem.path), problem.line, problem.text)
            self.host.hud.update(problem=str(shown), problem_code=problem.code or None)

    def _solved(self, problem: Problem) -> None:
        self.problem = None
        log.info("%s is fixed", problem.path)
        if self.host.hud is not None:
            self.host.hud.update(problem=None, problem_code=None)

    def close(self) -> None:
        """Stop watching."""
        for watcher in self._watchers:
            watcher.close()


def _short(path: Path) -> Path:
    """Relative to the current folder, if below it."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):  # the current folder is gone, or elsewhere
        return path
