"""A child process that answers one JSON line with another, and may crash or hang."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

GLANCE = 0.05
"""Interval [s] at which waiting checks whether the answer is still wanted."""

GOING = 2.0
"""Seconds that a process may take to exit, once it has closed its output."""


class Ended(Exception):
    """The child exited without an answer; `how` says how, in words."""

    def __init__(self, code: int) -> None:
        self.code, self.how = code, ended(code)
        super().__init__(self.how)


class Overdue(Exception):
    """The child did not answer in time, or while the answer was wanted; it was killed."""


class Child:
    """The child process, started with the object."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None):
        """Raises OSError if it cannot be started."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=None if environment is None else dict(environment),
            start_new_session=True,  # Ctrl-C in the terminal is for the parent
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def ask(
        self,
        request: Mapping[str, Any],
        patience: float,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Its answer within `patience` seconds. Raises Ended, Overdue."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it has exited: noticed below
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        return self.receive(patience, unwanted)

    def receive(
        self, patience: float, unwanted: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        """Its next line; raises as `ask`."""
        end = time.monotonic() + patience
        while True:
            try:
                line = self._lines.get(timeout=max(min(GLANCE, end - time.monotonic()), 0.0))
            except queue.Empty:
                if time.monotonic() < end and not unwanted():
                    continue
                self.close()
                raise Overdue from None
            if not line:
                raise Ended(self._end())
            with suppress(ValueError):  # skip output of drivers
                answer = json.loads(line)
                if isinstance(answer, dict):
                    return answer

    def _end(self) -> int:
        """The exit code, once the output is closed."""
        try:
            return self._process.wait(GOING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def ended(code: int) -> str:
    """An exit code in words, such as `signal 8, SIGFPE`."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"signal {-code}"
