"""Shared by the fuzzers: verdicts, a child that tries one thing after another and is restarted when
one kills it or takes too long, and the summary.

    parent   a JSON object a line   ──▶   child    tries it
             Answer, whatever happened   ◀──       a JSON object a line
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from calf_viz.console import say, tracked
from calf_viz.errors import LONGEST_MESSAGE
from calf_viz.shader_trial import child

BAD = ("TRACEBACK", "CRASH", "HANG", "MEMORY")
"""What no user input may do to the program."""


@dataclass
class Verdict:
    """The result: `accepted`, `refused`, or one of BAD; and the output."""

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


class Answer(NamedTuple):
    """What the child said. `ended` is empty, or `crashed` or `endless`, which no child can tell;
    then `said` has a text."""

    said: dict[str, Any]
    ended: str = ""

    @property
    def verdict(self) -> Verdict:
        """As one, of a child that answers with one."""
        outcomes = {"endless": "HANG", "crashed": "CRASH"}
        return Verdict(outcomes[self.ended], **self.said) if self.ended else Verdict(**self.said)


class Child:
    """A process that tries what it is asked, by a command that calls `serve`.

    Attributes:
        limit: seconds for each; one that has just started takes some of the first one's.
    """

    def __init__(
        self, command: list[str], limit: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command, self.limit, self.environment = command, limit, environment
        self.child: child.Child | None = None

    def ask(self, what: dict[str, Any]) -> Answer:
        """Its answer, whatever becomes of the child."""
        if self.child is None:
            self.child = child.Child(self.command, self.environment)
        try:
            return Answer(self.child.ask(what, self.limit))
        except child.Overdue:
            self.close()
            return Answer({"said": f"not done after {self.limit:.0f} s"}, "endless")
        except child.Ended as error:
            self.close()
            return Answer({"said": f"the child ended with {error.how}"}, "crashed")

    def close(self) -> None:
        """End the child."""
        if self.child is not None:
            self.child.close()
            self.child = None


def campaign(
    things: str,
    count: int,
    seed: int,
    tries: Callable[[Iterable[int]], Iterator[tuple[str, object, Verdict]]],
) -> int:
    """Class, what it was and verdict for each of the rounds: those that were not survived, a line
    for each class, and the exit code."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    bad = 0
    for kind, what, verdict in tries(tracked(range(count), things)):
        outcomes[kind][verdict.outcome] += 1
        if not verdict.survived:
            bad += 1
            say(f"{what}: {verdict}")
    for kind, found in outcomes.items():
        say(f"{kind}: {in_words(found)}")
    say(f"{count} {things} of seed {seed}: {bad} not survived")
    return 1 if bad else 0


def in_words(outcomes: Mapping[str, int]) -> str:
    """How often each occurred."""
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))


def options(count: int, things: str, classes: Iterable[str], limit: float) -> Any:
    """A command's --count, --seed, --only and --limit, whose defaults these are."""
    given = (
        click.option("--count", default=count, show_default=True, help=f"How many {things}."),
        click.option("--seed", default=0, show_default=True, help=f"Decides the {things}."),
        click.option(
            "--only", multiple=True, type=click.Choice(list(classes)), help="[default: all]"
        ),
        click.option("--limit", default=limit, show_default=True, help="Seconds for each."),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(given):
            command = option(command)
        return command

    return decorate


def serve(try_: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The child's part: each line of stdin tried, its answer on what was stdout."""
    # Drivers and libraries print what they like: to stderr, then.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(try_(json.loads(line))) + "\n")
        answers.flush()
