"""Writes a recording while something is shown, without ever keeping it waiting.

The caller's thread copies a step into memory; a thread of the recorder's writes what has gathered,
twice a second. What is written outlives the process: nothing has to be closed for that.

A recording can be appended to, by somebody who repeats what was lost: steps that it has already are
not written again.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown, text_of
from calf_viz.files import hold, names_in, sweep_parts, write_aside
from calf_viz.heightfield import Heightfield
from calf_viz.recording.agents import Block, Shape
from calf_viz.recording.arrow import arrow
from calf_viz.recording.critics import UNKNOWN, Critic
from calf_viz.recording.earlier import REPEATED, Earlier, earlier
from calf_viz.recording.episodes import Episodes
from calf_viz.recording.events import LONGEST_TEXT, Event, Events
from calf_viz.recording.files import Entry, Files
from calf_viz.recording.folder import META, check_new, meta
from calf_viz.recording.limits import Limits
from calf_viz.samples import Samples
from calf_viz.view import View

log = logging.getLogger("calf_viz")

FLUSH_EVERY = 0.5
"""Seconds that a step stays in memory at most."""
WAITING_BYTES = 256 << 20
"""Memory for what a slow disk has not taken yet; beyond it everything is left out, and counted."""
LEFT_OUT = "left_out"
"""Kind of event that says so."""
MOST_STEP = 1 << 61
"""Numbers of steps are below it."""
KNOWN = 1 << 16
"""Steps whose numbers are known, so that they can be marked: more than anybody can go back."""


class Recorder:
    """A recording that grows.

    Attributes:
        folder: where it is.
        steps: steps taken down so far.
        acknowledged: steps that are in the files: those survive whatever happens to the process.
        left_out: steps and events that the disk was too slow for.
        waiting: memory for what it has not taken yet [bytes].
        bytes: size of the files.
        ended: why nothing more is recorded, in one line; None while it goes on.
        failed: whether it ended by anything but its limit.
        earlier: what was there when it was appended to.
        gather: called before anything is written, in any thread; returns what else has gathered,
            without rows that are there already.
    """

    def __init__(
        self,
        folder: Path,
        view: View,
        about: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        append: bool = False,
    ) -> None:
        """Create the folder.

        Args:
            about: further contents of `meta.json`.
            append: whether it may be there already; tails that were torn are cut then.

        Raises UserError if it is there, cannot be made, is being recorded, or damaged.
        """
        arrow()
        if not append:
            check_new(folder)
        self.folder, self.limits, self._clock = folder, limits or Limits(), clock
        self._modes = len(view.modes)
        self._files = Files(folder, self.limits.zstd, clock)
        self.earlier = Earlier()
        try:
            folder.mkdir(parents=True, exist_ok=append)
            self._held = hold(folder, "is being recorded by another process: end that")
            try:
                self._begin(view, about or {})
            except BaseException:
                self._held.release()
                raise
        except OSError as error:
            raise UserError(
                f"cannot record to {shown(folder)}: {error.strerror}; choose another place"
            ) from error
        self.steps = self.acknowledged = self.left_out = 0
        self.bytes = self._files.bytes
        self.ended: str | None = None
        self.failed = False
        self.gather: Callable[[], Sequence[Entry]] = tuple
        self._start, self._step = clock() - self.earlier.time, self.earlier.step
        self._skipped: NDArray[np.bool_] | None = None
        self._block: Block | None = None
        self._waiting: list[Entry] = []
        self.waiting = 0
        self._late: Critic | None = None  # the newest of those that there was no memory for
        self._left_at = self._told = 0  # newest step that was left out; how many an event tells of
        self._shift = 0  # from the source's numbers of steps to the recording's
        self._numbers: deque[int] = deque(maxlen=KNOWN)
        self._episodes = Episodes()
        self._agents = self.earlier.agents
        self._lock, self._wake = threading.Lock(), threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def _begin(self, view: View, about: Mapping[str, Any]) -> None:
        folder = self.folder
        if any(not name.startswith(".") for name in names_in(folder)):
            self.earlier = earlier(folder, view)
            self._files.go_on()
            return
        sweep_parts(folder, META)
        began = {"began": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "every": self.limits.every}
        with write_aside(folder / META) as part:
            part.write_text(meta(view, {**about, **began}), encoding="utf-8")

    @property
    def now(self) -> float:
        """Seconds since the recording began."""
        return self._clock() - self._start

    def _number(self, samples: Samples) -> int:
        """Number of a step: the source's own. A recording goes forwards: where those go back, or
        beyond what a file has, it counts on, with a gap where agents go on, as no trail joins such
        steps."""
        if samples.step is None:
            return self._step + 1
        step = int(samples.step) + self._shift
        if (step < self._step and self.steps) or step >= MOST_STEP:
            goes_on = self._step + (1 if samples.first.all() else 2)
            self._shift += goes_on - step
            return goes_on
        return step

    def see(self, samples: Samples) -> None:
        """Take down a step, unless it was there when this was appended to."""
        step = self._number(samples)
        there = step <= self.earlier.step
        self._step = step
        self._numbers.append(step)
        self.steps += 1
        if self.ended is not None:
            return
        now = self.now
        first = samples.first
        over = self._episodes.see(step, now, samples)
        if over is not None:
            self.add(over)
        if there:
            return
        if len(samples) != self._agents:
            self._agents = len(samples)
            self.note("agents", number=self._agents)
        if self._skipped is not None:
            first = first.copy()
            known = min(len(first), len(self._skipped))
            first[:known] |= self._skipped[:known]
        if (self.steps - 1) % self.limits.every:
            self._skipped = first
            return
        self._skipped = None
        with self._lock:
            block = self._block
            if block is None or block.full or not block.takes(samples):
                self._hand_over()
                if self.full:
                    self._skipped = first
                    self.leave_out(step)
                    return
                block = self._block = Block(Shape.of(samples, self._modes), samples)
            block.append(step, now, samples, first)

    def critic(
        self, field: Heightfield, trained: int | None = None,
        weights: NDArray[np.float32] | None = None, step: int | None = None,
    ) -> None:  # fmt: skip
        """Take down the surface that is shown from a step on, by default the next one."""
        number = UNKNOWN if trained is None else trained
        step = self._step + 1 if step is None else step
        self.add(Critic(step, self.now, number, field, weights))

    def note(
        self, kind: str, agent: int = -1, number: float = np.nan, text: str = "", back: int = 0
    ) -> bool:
        """Take down an event, at the newest step, or at the one that was seen so many before it;
        returns whether there was room."""
        known = self._numbers
        step = known[max(len(known) - 1 - back, 0)] if known else max(self._step, 0)
        event = Event(step, self.now, kind, agent, number, text[:LONGEST_TEXT])
        return self.add(Events.of(event))

    def _is_new(self, entry: Entry) -> bool:
        """Whether it is not there from before."""
        if isinstance(entry, Critic):
            return entry.step >= self.earlier.critic
        if isinstance(entry, Events) and entry.kind in REPEATED:
            return entry.step > self.earlier.noted.get(entry.kind, -1)
        return True

    @property
    def full(self) -> bool:
        """Whether the disk has so much to take that everything is left out."""
        return self.waiting > WAITING_BYTES

    def leave_out(self, step: int) -> None:
        """Count a step, or an event of it, that there was no room for."""
        if not self.left_out:
            log.warning(f"{shown(self.folder)}: the disk is too slow: steps are not recorded")
        self.left_out += 1
        self._left_at = step

    def add(self, entry: Entry) -> bool:
        """Take down what belongs to no row, or brings its own; returns whether there was room. Of
        critics, the newest is kept in any case: steps that there is room for again are on it."""
        if self.ended is not None:
            return False
        with self._lock:
            if not self.full:
                self._wait(entry)
            elif isinstance(entry, Critic):
                self._late = entry
            else:
                self.leave_out(self._step)
                return False
        return True

    def _wait(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self.waiting += entry.nbytes

    def _hand_over(self) -> None:
        if self._block is not None and self._block.rows:
            self._wait(self._block)
        self._block = None

    def _take(self) -> list[Entry]:
        """What has gathered, and how much was left out of it."""
        with self._lock:
            self._hand_over()
            entries, self._waiting, self.waiting = self._waiting, [], 0
            late, self._late = self._late, None
            number, self._told = self.left_out - self._told, self.left_out
        if late is not None:
            entries.append(late)
        if number:
            event = Event(max(self._left_at, 0), self.now, LEFT_OUT, number=number)
            entries.append(Events.of(event))
        return entries

    def flush(self) -> None:
        """Write all that has gathered; `acknowledged` counts it then."""
        with self._wake:
            entries = self._take()
            if self.ended is not None:
                return
            try:
                entries = [entry for entry in (*entries, *self.gather()) if self._is_new(entry)]
                self.acknowledged += self._files.write(entries)
                self.bytes = self._files.bytes
                most = self.limits.most_bytes
                if most is not None and self.bytes >= most:
                    self._end(
                        f"the recording has the {most:,} bytes that it may have", failed=False
                    )
            except OSError as error:
                self._lost(error)
            except Exception as error:  # of a source: what it gave is no array, or has odd numbers
                log.debug("where it failed:", exc_info=True)
                reason = shown(f"{type(error).__name__}: {text_of(error)}".removesuffix(": "))
                self._end(
                    f"{shown(self.folder)}: what the source gave cannot be written ({reason}): "
                    "what was recorded until now is kept"
                )

    def sync(self) -> None:
        """Write all that has gathered, and bring it to disk."""
        self.flush()
        with self._wake, suppress(OSError):
            self._files.sync()

    def _lost(self, error: OSError) -> None:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "no room is left" if full else str(error.strerror or error)
        self._end(f"{shown(self.folder)}: {reason}: what was recorded until now is kept")

    def _end(self, reason: str, failed: bool = True) -> None:
        self.ended, self.failed = reason, failed
        log.warning(f"recording ended: {reason}")

    def _write(self) -> None:
        while not self._closing:
            with self._wake:
                self._wake.wait(FLUSH_EVERY)
            self.flush()

    def close(self) -> None:
        """Write what is left, and seal all files."""
        if self._closing:
            return
        self._closing = True
        with self._wake:
            self._wake.notify_all()
        self._thread.join()
        self.flush()
        try:
            self._files.seal()
        except OSError as error:
            if self.ended is None:
                self._lost(error)
        self.bytes = self._files.bytes
        self._held.release()
