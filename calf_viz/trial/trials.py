"""Programs tried beside the process that draws: `Trials` is what hosts and the live shaders ask.

Trials(candidates)          waits; raises ShaderError for one that the driver is to be spared
Trials.begin(candidates)    a `Pending`, which is asked in later frames
             │
             ▼ queue
          thread ──▶ Examiner ──▶ child
"""

from __future__ import annotations

import hashlib
import logging
import math
import queue
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Lock, Thread

from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.programs import Candidate, ProgramSource
from calf_viz.trial.examiner import Examiner, Unfit, Unwanted
from calf_viz.trial.trust import is_trusted

log = logging.getLogger("calf_viz")

GRACE = 1.0
"""Seconds that a trial may take which is no longer wanted: ending it costs a new child."""
MOST_DOUBLINGS = 6
"""Each trial in a row that was ended for a later one leaves the next twice the grace: where all are
slow, some are seen even so."""

IDLE = 10.0
"""Seconds without anything to try after which a child ends that nobody keeps."""


class Pending:
    """Candidates on trial.

    Attributes:
        problems: what is wrong with them, once `done`.
        dropped: whether the answer is not wanted any more.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.problems: tuple[Problem, ...] = ()
        self.dropped = False
        self._until, self._done = math.inf, Event()

    @property
    def done(self) -> bool:
        """Whether it is known how they were taken."""
        return self._done.is_set()

    def begin(self, grace: float) -> None:
        """It is being tried from now on; others should wait for it for so many seconds."""
        self._until = time.monotonic() + grace

    @property
    def overdue(self) -> bool:
        """Whether it is being tried for longer than others should wait for."""
        return time.monotonic() > self._until

    def wait(self) -> None:
        """Until it is done. Raises ShaderError for candidates that are not to be used."""
        self._done.wait()
        if self.problems:
            raise ShaderError(self.problems)

    def drop(self) -> None:
        """The answer is not wanted any more."""
        self.dropped = True

    def unwanted(self) -> bool:
        """Whether to give up."""
        return self.dropped and self.overdue

    def settle(self, problems: Sequence[Problem]) -> None:
        """It is known now."""
        self.problems = tuple(problems)
        self._done.set()


class Trials:
    """Has programs tried in a child, which starts with the first that is not trusted.

    Attributes:
        seconds: how long the last trial took.
        starting: whether they wait for the child, so that nothing is lost where later ones take the
            place of those that wait.
    """

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner
        self.seconds = 0.0
        self.starting = False
        self._ended_early = 0  # in a row, for later ones
        self._passed: set[bytes] = set()
        self._unfit = False
        self._kept = False
        self._lock = Lock()
        self._thread: Thread | None = None
        self._closing = Event()
        self._waiting: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()

    def __call__(self, candidates: Sequence[Candidate]) -> None:
        self.begin(candidates).wait()

    def begin(self, candidates: Sequence[Candidate]) -> Pending:
        """Try some; at once done where all are trusted, or were tried before."""
        pending = Pending([c for c in candidates if self._needed(c.source)])
        if pending.candidates:
            self._enqueue(pending)
        else:
            pending.settle(())
        return pending

    def warm(self) -> None:
        """Have the child start, beside what else is done until it is asked."""
        self._enqueue(Pending(()))

    def keep(self) -> None:
        """`warm`, and keep the child however seldom it is asked."""
        self._kept = True
        self.warm()

    def close(self) -> None:
        """End the child; a later trial starts another one."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing.set()
            self._waiting.put(None)
        if thread is not None:
            thread.join(timeout=2.0)

    def _needed(self, source: ProgramSource) -> bool:
        return not (self._unfit or _key(source) in self._passed or is_trusted(source))

    def _enqueue(self, pending: Pending) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # after a fork, too
                self._closing, self._waiting = Event(), queue.SimpleQueue()
                given = self._waiting, self._closing
                self._thread = Thread(
                    target=self._run, args=given, name="shader trials", daemon=True
                )
                self._thread.start()
            self._waiting.put(pending)

    def _next(self, waiting: queue.SimpleQueue[Pending | None]) -> Pending | None:
        """What is to be tried next; None where the child is to end."""
        while True:
            try:
                return waiting.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if waiting.empty() and not self._kept:
                        self._thread = None
                        return None

    def _run(self, waiting: queue.SimpleQueue[Pending | None], closing: Event) -> None:
        while (pending := self._next(waiting)) is not None:
            start = time.monotonic()
            try:
                problems = self._try(pending, closing)
                self._ended_early = 0
            except Unwanted:
                self._ended_early = min(self._ended_early + pending.overdue, MOST_DOUBLINGS)
                problems = _untried(pending, "nobody waited for its trial")
            except Unfit as error:
                problems = self._give_up(pending, error)
            except Exception as error:  # whoever waits must not wait for ever
                problems = _untried(pending, f"cannot be tried: {error}")
            self.seconds = time.monotonic() - start
            pending.settle(problems)
            if self._kept and not self._unfit and not closing.is_set():
                with suppress(Unfit):  # which the next trial says
                    self.examiner.launch()  # where a shader ended it: ready for the next
        self.examiner.close()

    def _give_up(self, pending: Pending, error: Unfit) -> list[Problem]:
        """Where no child ever could draw, none is asked again. Where one could, something passes,
        such as that memory ran out: nothing is drawn untried for that."""
        if self.examiner.renderer is not None:
            return _untried(pending, f"cannot be tried now ({error}): save it again")
        self._unfit = True
        log.warning("shaders are drawn untried, and a driver may crash on one: %s", error)
        return []

    def _try(self, pending: Pending, closing: Event) -> list[Problem]:
        def unwanted() -> bool:
            return closing.is_set() or pending.unwanted()

        problems: list[Problem] = []
        if self._unfit:
            return problems
        self.starting = True
        try:
            self.examiner.start(closing.is_set)  # for no later one, or it would never be ready
        finally:
            self.starting = False
        if pending.dropped:
            raise Unwanted
        pending.begin(GRACE * 2**self._ended_early)
        for candidate in pending.candidates:
            found = self.examiner.examine(candidate, unwanted).problems
            problems += found
            if not found:
                self._passed.add(_key(candidate.source))
        return problems


def _untried(pending: Pending, why: str) -> list[Problem]:
    libraries = (candidate.library for candidate in pending.candidates)
    return [Problem(library.overlay or library.shipped, None, why) for library in libraries]


def _key(source: ProgramSource) -> bytes:
    return hashlib.blake2b(
        "\0".join((source.name, *source.texts)).encode(), digest_size=16
    ).digest()
