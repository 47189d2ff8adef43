"""A pool of processes: each receives tasks as lines of JSON on its standard input, and returns
answers as lines of JSON on its standard output.

    parent ── {"policy": ...}\\n ──▶ child        one task at a time, until the input is closed:
    parent ◀── {"cost": ...}\\n ─── child        then it exits at once, whatever it is doing

They are started by `children.python_child`: none of the caller's code runs in them, so a script
needs no `if __name__ == "__main__"`; nothing is pickled.
"""

from __future__ import annotations

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

from calf_viz.children import HELD_BACK, held_back, python_child
from calf_viz.errors import UserError

ENDS_WITHIN = 5.0
"""Seconds in which a terminated process must exit, or is killed."""


def answers(module: str, tasks: Sequence[Any], jobs: int) -> Generator[Any, None, None]:
    """The answers to the tasks, as they arrive, from `jobs` processes that run a module.

    Leaves no process behind, however it ends.

    Raises:
        UserError: one of them was killed, exited, or answered with a UserError.
    """
    waiting, children = deque(tasks), []
    with selectors.DefaultSelector() as selector:
        try:
            for _ in range(min(jobs, len(tasks))):
                child = _Child(module)
                children.append(child)
                selector.register(child.output, selectors.EVENT_READ, child)
                child.give(waiting.popleft())
            missing = len(tasks)
            while missing:
                for ready, _ in selector.select():
                    child = ready.data
                    for answer in child.answers():
                        missing -= 1
                        if waiting:
                            child.give(waiting.popleft())
                        else:
                            selector.unregister(child.output)
                        yield answer
        finally:
            for child in children:
                child.end()


class _Child:
    """One of the processes, seen from the parent."""

    def __init__(self, module: str) -> None:
        command, environment = python_child(module)
        with held_back():  # Ctrl-C is handled by the parent, which ends its children
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self._read = b""

    def give(self, task: Any) -> None:
        with suppress(BrokenPipeError):  # the process died; reading its output reports that
            self.input.write(json.dumps(task).encode() + b"\n")
            self.input.flush()

    def answers(self) -> Iterator[Any]:
        """The complete answers so far."""
        piece = os.read(self.output.fileno(), 2**16)
        if not piece:
            raise UserError(self._failure_report())
        *lines, self._read = (self._read + piece).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "wrong" in answer:
                raise UserError(answer["wrong"])
            if "trace" in answer:
                raise RuntimeError(answer["trace"])
            yield answer["answer"]

    def _failure_report(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDS_WITHIN)
        code = self.process.returncode
        if code == -signal.SIGKILL:
            return "a training process was killed, perhaps for lack of memory: try fewer `jobs`"
        how = (
            f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        )
        return f"a training process {how}: see its output above, or try `jobs=1`"

    def end(self) -> None:
        with suppress(OSError):
            self.input.close()
        self.process.terminate()
        try:
            self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def work(answer: Callable[[Any], Any]) -> None:
    """In a child: answer tasks until there are no more or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    # What libraries print goes to stderr, so that it never mixes with the answers.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(tasks,), daemon=True).start()
    while True:
        task = tasks.get()
        try:
            said = {"answer": answer(task)}
        except UserError as error:
            said = {"wrong": str(error)}
        except Exception:
            said = {"trace": traceback.format_exc()}
        output.write(json.dumps(said).encode() + b"\n")
        output.flush()


def _take(tasks: queue.SimpleQueue[Any]) -> None:
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    with open(0, "rb") as lines:
        for line in lines:
            tasks.put(json.loads(line))
    sys.stderr.flush()
    os._exit(0)  # the parent is done, or gone: nobody waits for the current task
