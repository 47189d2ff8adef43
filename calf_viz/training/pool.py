"""Processes that work on tasks at the same time: each is given one as a line of JSON on its
standard input, and gives its answer as a line of JSON back.

    parent ── {"policy": ...}\\n ──▶ child        one task at a time, until the input is closed:
    parent ◀── {"cost": ...}\\n ─── child        then it ends at once, whatever it is doing

They are started as `children.python_child` has it: no code of the caller's runs in them, so that a
script needs no `if __name__ == "__main__"`; nothing is pickled.
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
"""Seconds in which a process that is told to end does, or is killed."""


def answers(module: str, tasks: Sequence[Any], jobs: int) -> Generator[Any, None, None]:
    """What `jobs` processes that run a module answer to the tasks, each as soon as it is there.

    However this ends, it leaves no process behind.

    Raises:
        UserError: one of them was killed, ended, or answered with an error of the user's.
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
    """One of the processes, as its parent has it."""

    def __init__(self, module: str) -> None:
        command, environment = python_child(module)
        with held_back():  # Ctrl-C is the parent's, which ends them
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self._read = b""

    def give(self, task: Any) -> None:
        with suppress(BrokenPipeError):  # it is dead, which its output tells
            self.input.write(json.dumps(task).encode() + b"\n")
            self.input.flush()

    def answers(self) -> Iterator[Any]:
        """Those that are whole by now."""
        piece = os.read(self.output.fileno(), 2**16)
        if not piece:
            raise UserError(self._death())
        *lines, self._read = (self._read + piece).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "wrong" in answer:
                raise UserError(answer["wrong"])
            if "trace" in answer:
                raise RuntimeError(answer["trace"])
            yield answer["answer"]

    def _death(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDS_WITHIN)
        code = self.process.returncode
        if code == -signal.SIGKILL:
            return "a training's process was killed, for lack of memory perhaps: try fewer `jobs`"
        how = (
            f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        )
        return f"a training's process {how}: what it said stands above, try `jobs=1`"

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
    """In a child: answer each task, until there will be none or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    # What a library prints goes elsewhere, and never between the answers.
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
    os._exit(0)  # the parent is done, or gone: nobody waits for what is being done
