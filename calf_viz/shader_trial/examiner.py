"""Tries programs one after another in a child, which is restarted when one crashes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calf_viz.children import python_child
from calf_viz.errors import UserError
from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.problems import Problem
from calf_viz.glsl.programs import Candidate, ProgramSource
from calf_viz.shader_trial import PATIENCE
from calf_viz.shader_trial.child import Child, Ended, Overdue
from calf_viz.shader_trial.culprit import find_culprits, problem_of

START_PATIENCE = 60.0
"""Seconds that a child may take until it can draw."""
RENEWED_AFTER = 100
"""Programs after which the child is replaced: drivers keep some megabytes for each."""
WORKER = "calf_viz.shader_trial.worker"
_USUAL = "1280 x 720"


@dataclass(frozen=True)
class Outcome:
    """The outcome of trying a program: success, if both are None.

    Attributes:
        log: the compiler's log, if it refused the program.
        fault: what else went wrong, phrased to follow a file's name.
    """

    log: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Findings:
    """A program's problems; none if it was drawn.

    Attributes:
        problems: what is wrong.
        fault: whether it failed other than by a compiler error.
        culprits: the user's parts that caused a fault; see `find_culprits`.
    """

    problems: tuple[Problem, ...] = ()
    fault: bool = False
    culprits: tuple[str, ...] = ()


class Unwanted(Exception):
    """The answer is no longer wanted."""


class Unfit(UserError):
    """Nothing can be tried here, for example because the child has no OpenGL."""


class Examiner:
    """Tries programs in a child that draws with one of the designs; it starts when first needed.

    Attributes:
        renderer: name of the child's OpenGL renderer; None until known.
    """

    def __init__(self, design: str, patience: float = PATIENCE, worker: str = WORKER) -> None:
        """patience: seconds for each program. worker: the child's module."""
        self.design, self.patience, self.worker = design, patience, worker
        self.renderer: str | None = None
        self._child: Child | None = None
        self._process, self._ready, self._tried = 0, False, 0
        """Id of the process that started the child (not this one, after a fork); whether the child
        is ready; number of programs tried."""

    def launch(self) -> None:
        """Start the child, without waiting for it. Raises Unfit if it cannot be started."""
        if self._child is not None and self._process == os.getpid():
            return
        command, environment = python_child(self.worker, self.design)
        try:
            self._child = Child(command, _untraced(environment))
        except OSError as error:
            raise Unfit(error.strerror or str(error)) from None
        self._process, self._ready, self._tried = os.getpid(), False, 0

    def start(self, unwanted: Callable[[], bool] = lambda: False) -> None:
        """Wait until the child is ready. Raises Unfit with the reason if it cannot be; Unwanted."""
        self.launch()
        assert self._child is not None
        if self._ready:
            return
        try:
            answer = self._child.receive(START_PATIENCE, unwanted)
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
        outcome = self.test(source, unwanted, draw)
        if outcome.log is not None:
            return Findings(explain(outcome.log, source.vertex, source.fragment))
        if outcome.fault is None:
            return Findings()

        def test(other: ProgramSource) -> str | None:
            return self.test(other, unwanted, draw).fault

        found = find_culprits(candidate, outcome.fault, test)
        problems = tuple(problem_of(candidate, blame) for blame in found)
        culprits = tuple(part for blame in found for part in blame.parts)
        return Findings(problems, True, culprits)

    def test(
        self,
        source: ProgramSource,
        unwanted: Callable[[], bool] = lambda: False,
        draw: bool = True,
    ) -> Outcome:
        """Compile a program and, if the design uses it, draw with it.

        draw: False only compiles. Raises Unfit; Unwanted if the outcome became `unwanted` while
        waiting.
        """
        self.start(unwanted)
        assert self._child is not None
        vertex, fragment = source.texts
        request = {"name": source.name, "vertex": vertex, "fragment": fragment, "draw": draw}
        try:
            answer = self._child.ask(request, self.patience, unwanted)
        except Ended as error:
            self.close()
            return Outcome(fault=f"the driver crashed on it ({error.how})")
        except Overdue:
            self.close()
            if unwanted():
                raise Unwanted from None
            return Outcome(fault=f"the driver did not finish it within {self.patience:g} s")
        self._tried += 1
        if self._tried >= RENEWED_AFTER:
            self.close()
            self.launch()  # to be ready for the next one
        if "log" in answer:
            return Outcome(log=str(answer["log"]))
        if "error" in answer:
            return Outcome(fault=f"cannot be drawn with ({answer['error']})")
        if "slow" in answer:
            seconds = float(answer["slow"])
            return Outcome(
                fault=f"a frame of {_USUAL} would take about {seconds:.0f} s: too long, or a loop "
                "without an end"
            )
        return Outcome()

    def close(self) -> None:
        """End the child; a later test starts another one."""
        if self._child is not None:
            self._child.close()
            self._child = None


def _untraced(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without apitrace, whose trace of the parent the child would overwrite."""
    found = dict(environment)
    found.pop("TRACE_FILE", None)
    loaded = [p for p in found.pop("LD_PRELOAD", "").split(os.pathsep) if "trace.so" not in p]
    return found | ({"LD_PRELOAD": os.pathsep.join(loaded)} if any(loaded) else {})
