"""A recorder in a process of its own, and what it records: the same in every process."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.view import View

VIEW = View("torture", modes=("one", "two"))
STEPS = 300
FLUSH_EVERY, CRITIC_EVERY, CHANGE_EVERY, EPISODE = 7, 20, 50, 31
"""Steps between what is said to be written, critics, changes of n, and beginnings of episodes."""
SECONDS = 60.0
"""That a process may take."""


def agents_at(step: int) -> int:
    """How many there are."""
    return (3, 8)[step // CHANGE_EVERY % 2]


def row_at(step: int) -> Samples:
    """The step's agents; the first one begins episodes."""
    rng, n = np.random.default_rng(step), agents_at(step)
    first = np.zeros(n, bool)
    first[0] = step % EPISODE == 0
    return Samples.of(rng.normal(size=(n, 2)).astype(np.float32), first=first, step=step)


def field_at(step: int) -> Heightfield:
    """The critic that begins there."""
    values = np.random.default_rng(step).normal(size=(9, 9)).astype(np.float32)
    return Heightfield(values, VIEW.lo, VIEW.hi)


def record(folder: Path, acknowledge: Callable[[int], Any]) -> int:
    """Record everything that is not there yet; returns an exit code, 3 if there was no room.

    acknowledge: called with the number of steps that are in the files."""
    with ended_as_by_ctrl_c():
        recorder = Recorder(folder, VIEW, append=True)
        try:
            for step in range(STEPS):
                if step % CRITIC_EVERY == 0:
                    recorder.critic(field_at(step), step, step=step)
                recorder.see(row_at(step))
                if step % FLUSH_EVERY == 0:
                    recorder.flush()
                    if recorder.ended is None:
                        acknowledge(step + 1)
        except KeyboardInterrupt:
            recorder.close()
            raise
        recorder.close()
        if recorder.ended is not None:
            return 3
        acknowledge(STEPS)
        return 0


class Writer:
    """A forked process that records, and says what it acknowledged."""

    def __init__(
        self, folder: Path, prepare: Callable[[], Any] = lambda: None, output: int | None = None
    ) -> None:
        """prepare: called in it first. output: where it prints to; kept by default."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the object)
        self._acknowledged = tempfile.TemporaryFile()  # noqa: SIM115 (as well)
        self.pid = os.fork()
        if self.pid == 0:
            code = 99
            try:
                code = self._record(folder, prepare, output)
            finally:
                os._exit(code)

    def _record(self, folder: Path, prepare: Callable[[], Any], output: int | None) -> int:
        os.dup2(self._said.fileno() if output is None else output, 1)
        os.dup2(self._said.fileno(), 2)
        sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 (until it ends)

        def acknowledge(steps: int) -> None:
            os.pwrite(self._acknowledged.fileno(), b"%20d" % steps, 0)
            print(steps, flush=True)

        try:
            prepare()
            return record(folder, acknowledge)
        except UserError as error:
            print(f"line: {error}", file=sys.stderr, flush=True)
            return 2
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:
            return 1
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            return 99

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, if it is there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, negative for a signal; 98 if it hangs."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        self.kill()
        os.waitpid(self.pid, 0)
        return 98

    def output(self) -> str:
        """All that it printed."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def acknowledged(self) -> int:
        """Steps that it said were written."""
        return int(os.pread(self._acknowledged.fileno(), 20, 0) or b"0")

    def complaint(self, code: int) -> str:
        """What is wrong with how it ended; empty if nothing."""
        if code == 99:
            return f"a traceback: {self.output()}"
        if code == 98:
            return f"it did not end within {SECONDS:.0f} s"
        return ""
