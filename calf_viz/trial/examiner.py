"""A child that programs are tried in, one after another; started again where one ended it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calf_viz.children import python_child
from calf_viz.errors import UserError
from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.problems import Problem
from calf_viz.glsl.programs import Candidate, ProgramSource
from calf_viz.trial import PATIENCE
from calf_viz.trial.child import Child, Ended, Overdue
from calf_viz.trial.culprit import accuse, find_culprits

START_PATIENCE = 60.0
"""Seconds that a child may take until it can draw."""
RENEWED_AFTER = 100
"""Programs after which a child gives way to a new one: drivers keep some megabytes of each."""
WORKER = "calf_viz.trial.worker"
_USUAL = "1280 x 720"


@dataclass(frozen=True)
class Verdict:
    """How a program was taken: it was drawn, unless one of these says otherwise.

    Attributes:
        log: what the compiler said where it refused the program.
        fault: what else went wrong, in words that a file's name stands before.
    """

    log: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Findings:
    """Problems of a program, none where it was drawn.

    Attributes:
        fault: whether they are not of the compiler's words.
        culprits: the user's parts that a fault is due to; see `find_culprits`.
    """

    problems: tuple[Problem, ...] = ()
    fault: bool = False
    culprits: tuple[str, ...] = ()


class Unwanted(Exception):
    """Nobody wants the answer any more."""


class Unfit(UserError):
    """Nothing can be tried here: the child finds no OpenGL, say."""


class Examiner:
    """Tries programs in a child that draws with a design, which starts with the first.

    Attributes:
        renderer: name of the child's OpenGL renderer, once it is known.
    """

    def __init__(self, design: str, patience: float = PATIENCE, worker: str = WORKER) -> None:
        """patience: seconds for each. worker: the child's module."""
        self.design, self.patience, self.worker = design, patience, worker
        self.renderer: str | None = None
        self._child: Child | None = None
        self._process, self._ready, self._tried = 0, False, 0
        """The process that started the child, which after a fork is another's; whether it said that
        it can draw; programs that it tried."""

    def launch(self) -> None:
        """Begin to have the child ready. Raises Unfit where there can be none."""
        if self._child is not None and self._process == os.getpid():
            return
        command, environment = python_child(self.worker, self.design)
        try:
            self._child = Child(command, _untraced(environment))
        except OSError as error:
            raise Unfit(error.strerror or str(error)) from None
        self._process, self._ready, self._tried = os.getpid(), False, 0

    def start(self, unwanted: Callable[[], bool] = lambda: False) -> None:
        """Have the child ready. Raises Unfit where it cannot be, with the reason; Unwanted."""
        self.launch()
        assert self._child is not None
        if self._ready:
            return
        try:
            answer = self._child.hear(START_PATIENCE, unwanted)
        except Ended as error:
            self.close()
            raise Unfit(f"the driver ends the child with {error.how}") from None
        except Overdue:
            self.close()
            if unwanted():
                raise Unwanted from None
            raise Unfit(f"the child is not ready after {START_PATIENCE:.0f} s") from None
        if "unfit" in answer:
            self.close()
            raise Unfit(str(answer["unfit"]))
        self.renderer, self._ready = str(answer.get("ready")), True

    def examine(
        self,
        candidate: Candidate,
        unwanted: Callable[[], bool] = lambda: False,
        draw: bool = True,
    ) -> Findings:
        """What is wrong with a program, and where. Raises Unfit, Unwanted."""
        source = candidate.source
        verdict = self.test(source, unwanted, draw)
        if verdict.log is not None:
            return Findings(explain(verdict.log, source.vertex, source.fragment))
        if verdict.fault is None:
            return Findings()

        def test(other: ProgramSource) -> str | None:
            return self.test(other, unwanted, draw).fault

        found = find_culprits(candidate, verdict.fault, test)
        problems = tuple(accuse(candidate, accusation) for accusation in found)
        culprits = tuple(part for accusation in found for part in accusation.parts)
        return Findings(problems, True, culprits)

    def test(
        self,
        source: ProgramSource,
        unwanted: Callable[[], bool] = lambda: False,
        draw: bool = True,
    ) -> Verdict:
        """The verdict on a program, compiled and, where the design draws with such a one, drawn.

        draw: False to have it compiled alone. Raises Unfit, and Unwanted where it was `unwanted`
        before it was there.
        """
        self.start(unwanted)
        assert self._child is not None
        vertex, fragment = source.texts
        request = {"name": source.name, "vertex": vertex, "fragment": fragment, "draw": draw}
        try:
            answer = self._child.ask(request, self.patience, unwanted)
        except Ended as error:
            self.close()
            return Verdict(fault=f"the driver crashed on it ({error.how})")
        except Overdue:
            self.close()
            if unwanted():
                raise Unwanted from None
            return Verdict(fault=f"the driver did not finish it within {self.patience:g} s")
        self._tried += 1
        if self._tried >= RENEWED_AFTER:
            self.close()
            self.launch()  # ready when it is asked
        if "log" in answer:
            return Verdict(log=str(answer["log"]))
        if "error" in answer:
            return Verdict(fault=f"cannot be drawn with ({answer['error']})")
        if "slow" in answer:
            seconds = float(answer["slow"])
            return Verdict(
                fault=f"a frame of {_USUAL} would take about {seconds:.0f} s: too long, or a loop "
                "without an end"
            )
        return Verdict()

    def close(self) -> None:
        """End the child; a later test starts another one."""
        if self._child is not None:
            self._child.close()
            self._child = None


def _untraced(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what has apitrace write down a program's calls: the child would write over them."""
    found = dict(environment)
    found.pop("TRACE_FILE", None)
    loaded = [p for p in found.pop("LD_PRELOAD", "").split(os.pathsep) if "trace.so" not in p]
    return found | ({"LD_PRELOAD": os.pathsep.join(loaded)} if any(loaded) else {})
