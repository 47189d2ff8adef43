"""Shaders rebuilt as their files are saved, while the program draws.

files ──Watcher──▶ poll, once a frame ──▶ Trials ──▶ poll, a later frame ──▶ Host.adopt ──▶ draw
                                            │ does not compile, crashes the driver, has no end
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
from calf_viz.trial.trials import Pending, Trials
from calf_viz.workbench.look import WornLook
from calf_viz.workbench.watch import Watcher

log = logging.getLogger("calf_viz")


@dataclass
class _Saved:
    """A look's shaders as they were read, while they are on trial; or why they cannot be."""

    look: WornLook
    sources: dict[str, ProgramSource] = field(default_factory=dict)
    trial: Pending | None = None
    error: ShaderError | None = None

    @classmethod
    def read(cls, look: WornLook, trials: Trials | None) -> _Saved:
        programs = look.wearer.programs
        try:
            sources = programs.read()
        except ShaderError as error:
            return cls(look, error=error)
        changes = programs.changes(sources)
        return cls(look, sources, trials.begin(changes) if trials and changes else None)

    def use(self) -> bool:
        """Draw with them; whether any changed. Raises ShaderError where they cannot be used."""
        if self.error is not None:
            raise self.error
        if self.trial is not None:
            self.trial.wait()
        return self.look.wearer.adopt(self.sources)


class LiveShaders:
    """Keeps the shaders of one or more looks as their files are. Used by the thread that draws.

    Attributes:
        problem: what is wrong now; None while what is drawn is what was saved.
        rebuilds: how often files that changed were taken, or refused.
        built: seconds of this thread that the last of these took, the driver's compiling included.
    """

    def __init__(self, host: Host, looks: Sequence[WornLook], trials: Trials | None = None) -> None:
        """looks: the host's own, and a second one that it may show beside it. trials: has shaders
        tried while frames go on; without it they are compiled at once."""
        self.host, self.looks, self.trials = host, looks, trials
        self.problem: Problem | None = None
        self.rebuilds, self.built = 0, 0.0
        self._on_trial: list[WornLook] = []
        self._saved: list[_Saved] = []
        self._due, self._reading = False, 0.0
        self._told_of: str | None = None
        self._watchers = [Watcher(host.programs.library.shipped)]
        for look in looks:
            overlay = look.wearer.programs.library.overlay
            if overlay is not None:
                single = is_file(overlay)
                folder = overlay.parent if single else overlay
                self._watchers.append(Watcher(folder, recursive=not single))
        if host.hud is not None:
            host.hud.add(ProblemNotice(), first=True)
        if trials is not None and len(self._watchers) > 1:  # something that is likely to change
            trials.keep()

    def poll(self) -> None:
        """Before each frame: have files tried that changed, and use those that were."""
        # Every watcher is asked: one that is not would tell again in the next frame.
        if any([watcher.take() for watcher in self._watchers]):
            self._due = True
        if self._due and (not self._saved or self._overdue):
            self._begin()
        if self._saved and all(s.trial is None or s.trial.done for s in self._saved):
            self._settle()
            self._compare_drivers()

    def rebuild(self) -> None:
        """Use the files as they are now, or say why not; waits for their trial."""
        self._begin()
        self._settle()

    def _compare_drivers(self) -> None:
        tries = self.trials.examiner.renderer if self.trials is not None else None
        if tries not in (None, self.host.renderer, self._told_of):
            self._told_of = tries
            log.warning("shaders are tried with %s, and drawn with %s", tries, self.host.renderer)

    @property
    def trying(self) -> bool:
        """Whether files that changed are on trial."""
        return bool(self._saved)

    @property
    def _overdue(self) -> bool:
        """Whether what is on trial should wait no longer, or has not begun."""
        if self.trials is not None and self.trials.starting:
            return True
        return any(saved.trial is not None and saved.trial.overdue for saved in self._saved)

    def _begin(self) -> None:
        """What was saved later takes the place of what is on trial, if that takes long: else of
        many saves in a row none would be seen."""
        for saved in self._saved:
            if saved.trial is not None:
                saved.trial.drop()
        start = time.perf_counter()
        self._due = False
        self._saved = [_Saved.read(look, self.trials) for look in self.looks]
        self._reading = time.perf_counter() - start

    def _settle(self) -> None:
        """Use what was tried, or say why not; a look's mistakes are no other look's."""
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
            self._tell(problems[0])
        elif self.problem is not None:
            self._solved(self.problem)
        if self._on_trial:
            log.info("shaders rebuilt")
        self.rebuilds += 1
        self.built = self._reading + time.perf_counter() - start

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
        log.info("%s is fixed", problem.path)
        if self.host.hud is not None:
            self.host.hud.update(problem=None, problem_code=None)

    def close(self) -> None:
        """Stop watching."""
        for watcher in self._watchers:
            watcher.close()


def _short(path: Path) -> Path:
    """As one would write it here."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):  # the current folder is gone, or another one
        return path
