"""What the fuzzers share: how something went, and a child that tries one thing after another, and
is started again where one of them ends it or takes too long.

    parent   a JSON object a line   ──▶   child    tries it
             Answer, whatever happened   ◀──       a JSON object a line
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from calf_viz.errors import LONGEST_MESSAGE

BAD = ("TRACEBACK", "CRASH", "HANG", "MEMORY")
"""What nothing of a user's may do to the program."""


@dataclass
class Verdict:
    """How something went: `accepted`, `refused`, or one of BAD; and what was said."""

    outcome: str
    said: str = ""

    @property
    def survived(self) -> bool:
        return self.outcome not in BAD


def is_line(text: str) -> bool:
    """Whether a message is one line of bounded length; a terminal would obey none of it."""
    shown = all(c.isprintable() or "\ud800" <= c <= "\udfff" for c in text)
    return bool(text) and len(text) <= LONGEST_MESSAGE + 100 and shown


def judged(code: int, stderr: str) -> Verdict:
    """The verdict of a command, by its exit code, negative for a signal, and by what it said."""
    said = f"exit {code}: {stderr[-1500:]}"
    if code < 0:
        return Verdict("CRASH", said)
    if "Traceback (most" in stderr or code not in (0, 1, 2):
        return Verdict("TRACEBACK", said)
    if code != 2:
        return Verdict("accepted", said)
    last = stderr.strip().rpartition("\n")[2]
    return Verdict("refused" if is_line(last) else "TRACEBACK", said)


def tell(outcomes: dict[str, Counter[str]]) -> None:
    """A line for each class."""
    for name, found in outcomes.items():
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(found.items()))
        print(f"{name}: {told}")


class Answer(NamedTuple):
    """What the child said. `ended` is empty, or `crashed` or `endless`, which no child can tell;
    then `said` has a text."""

    said: dict[str, Any]
    ended: str = ""


class Child:
    """A process that tries what it is asked, by a command that calls `serve`.

    Attributes:
        limit: seconds for each; one that has just started takes some of the first one's.
    """

    def __init__(
        self, command: list[str], limit: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command, self.limit, self.environment = command, limit, environment
        self._process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        self._process = process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(process, self._answers), daemon=True).start()
        return process

    @staticmethod
    def _listen(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answers.put(line)
        answers.put("")

    def ask(self, what: dict[str, Any]) -> Answer:
        """Its answer, whatever becomes of the child."""
        process = self._process or self._start()
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
        try:
            answer = self._answers.get(timeout=self.limit)
        except queue.Empty:
            self.close()
            return Answer({"said": f"not done after {self.limit:.0f} s"}, "endless")
        if not answer:
            code = process.wait()
            self.close()
            return Answer({"said": f"the child ended with {code}"}, "crashed")
        return Answer(json.loads(answer))

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def serve(try_: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The child's part: each line of stdin tried, its answer on what was stdout."""
    # Drivers and libraries print what they like: to stderr, then.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(try_(json.loads(line))) + "\n")
        answers.flush()
