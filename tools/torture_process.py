"""A function in a process of its own, which may be killed at any moment."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from calf_viz.errors import UserError

Report = Callable[[int], Any]
"""Called with a number, of steps say, that what is on disk has reached."""


class Forked:
    """A forked process that runs a function; what it prints is kept, and the number that it
    reported last, though it is killed."""

    def __init__(
        self, run: Callable[[Report], int], seconds: float, output: int | None = None
    ) -> None:
        """Args:
        run: what it does; returns its exit code.
        seconds: how long it may take.
        output: where it prints to; what goes to the standard error is kept in any case.
        """
        self._seconds = seconds
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the object)
        self._reported = tempfile.TemporaryFile()  # noqa: SIM115 (as well)
        self.pid = os.fork()
        if self.pid == 0:
            code = 99
            try:
                code = self._run(run, output)
            finally:
                os._exit(code)

    def _run(self, run: Callable[[Report], int], output: int | None) -> int:
        os.dup2(self._said.fileno() if output is None else output, 1)
        os.dup2(self._said.fileno(), 2)
        sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 (until it ends)

        def report(number: int) -> None:
            os.pwrite(self._reported.fileno(), b"%20d" % number, 0)

        try:
            code = run(report)
            sys.stdout.flush()
            return code
        except UserError as error:
            with suppress(BrokenPipeError):
                sys.stdout.flush()
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
        end = time.monotonic() + self._seconds
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

    def reported(self) -> int:
        """The number that it reported last; 0 if none."""
        return int(os.pread(self._reported.fileno(), 20, 0) or b"0")

    def complaint(self, code: int) -> str:
        """What is wrong with how it ended; empty if nothing."""
        if code == 99:
            return f"a traceback: {self.output()}"
        if code == 98:
            return f"it did not end within {self._seconds:.0f} s"
        return ""


def die_at(names: Sequence[str], now: Callable[[], bool], behind: bool) -> None:
    """End this process at the first call of these functions of `os` for which `now`, asked once
    for each, is true: after it, or else before it, of a write in its middle."""

    def deadly(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            here = now()
            if here and name == "write" and not behind:
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if here and not behind:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if here:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return called

    for name in names:
        setattr(os, name, deadly(name, getattr(os, name)))
