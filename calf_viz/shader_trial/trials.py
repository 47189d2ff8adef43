"""Programs tried outside the process that draws: `Trials` is what hosts and live shaders use.

Trials(candidates)          waits; raises ShaderError for one that must not reach the driver
Trials.begin(candidates)    returns a `Pending`, to be checked in later frames
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
from calf_viz.shader_trial.examiner import Examiner, Unfit, Unwanted
from calf_viz.shader_trial.trust import is_trusted

log = logging.getLogger("calf_viz")

GRACE = 1.0
"""Seconds that an unwanted trial may still take: ending it costs a new child."""
MOST_DOUBLINGS = 6
"""Each trial in a row that is ended for a later one doubles the grace of the next, so that some are
seen even if all are slow."""

IDLE = 10.0
"""Idle seconds after which the child ends, unless it is kept."""


class Pending:
    """Candidates on trial.

    Attributes:
        problems: what is wrong with them, once `done`.
        dropped: whether the outcome is no longer wanted.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.problems: tuple[Problem, ...] = ()
        self.dropped = False
        self._until, self._done = math.inf, Event()

    @property
    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._done.is_set()

    def begin(self, grace: float) -> None:
        """Mark the start of the trial, for which others should wait `grace` seconds."""
        self._until = time.monotonic() + grace

    @property
    def overdue(self) -> bool:
        """Whether it has taken longer than others should wait."""
        return time.monotonic() > self._until

    def wait(self) -> None:
        """Wait until done. Raises ShaderError for candidates that must not be used."""
        self._done.wait()
        if self.problems:
            raise ShaderError(self.problems)

    def drop(self) -> None:
        """Mark the outcome as no longer wanted."""
        self.dropped = True

    def unwanted(self) -> bool:
        """Whether the trial may be abandoned."""
        return self.dropped and self.overdue

    def settle(self, problems: Sequence[Problem]) -> None:
        """Set the outcome."""
        self.problems = tuple(problems)
        self._done.set()


class Trials:
    """Tries programs in a child, which starts with the first program that is not trusted.

    Attributes:
        seconds: how long the last trial took.
        starting: whether trials are waiting for the child to start, so that replacing them by later
            ones loses nothing.
    """

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner
        self.seconds = 0.0
        self.starting = False
        self._ended_early = 0  # trials in a row that were ended for later ones
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
        """Try candidates; done at once if all are trusted or were tried before."""
        pending = Pending([c for c in candidates if self._needed(c.source)])
        if pending.candidates:
            self._enqueue(pending)
        else:
            pending.settle(())
        return pending

    def warm(self) -> None:
        """Start the child in the background, before it is needed."""
        self._enqueue(Pending(()))

    def keep(self) -> None:
        """As `warm`, and keep the child running when idle."""
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
        """What to try next; None to end the child."""
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
            except Exception as error:  # nobody must wait forever
                problems = _untried(pending, f"cannot be tried: {error}")
            self.seconds = time.monotonic() - start
            pending.settle(problems)
            if self._kept and not self._unfit and not closing.is_set():
                with suppress(Unfit):  # which the next trial reports
                    self.examiner.launch()  # if a shader crashed it: ready for the next
        self.examiner.close()

    def _give_up(self, pending: Pending, error: Unfit) -> list[Problem]:
        """If no child could ever draw, use shaders untried from now on. If one could, the cause is
        temporary, such as a lack of memory, and nothing is drawn untried."""
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
            self.examiner.start(closing.is_set)  # not ended for later trials, or it never starts
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
