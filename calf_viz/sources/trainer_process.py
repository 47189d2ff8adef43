"""The trainer's process: `python -m calf_viz.sources.trainer_process RUN BOARD [SYSTEM]`.

standard input    closed when the viewer ends, in any way
SIGTERM, SIGHUP   end the training with a checkpoint; blocked by the parent until handled here
RUN               the run to resume; its checkpoints are written as by `calf-viz train`
BOARD             path of the board (see `trainer_board.py`), which is removed at the end
SYSTEM            the run's system as given to the viewer: a file, a module, a name

Imports that take seconds come last: until then it can already be told to end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback

from calf_attach.layout import Phase, Word

from calf_viz.children import HELD_BACK
from calf_viz.errors import UserError
from calf_viz.sources.trainer_board import TrainerBoard


def _listen(board: TrainerBoard) -> None:
    """Make signals and the viewer's end stop the training."""
    # Ctrl-C in the terminal is handled by the viewer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup
            signal.signal(number, lambda *_: board.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    threading.Thread(target=_stop_with_the_viewer, args=(board,), daemon=True).start()


def _stop_with_the_viewer(board: TrainerBoard) -> None:
    """Wait for the end of standard input, then stop; or, detached, go on, even if paused."""
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    if board[Word.DETACHED]:
        board[Word.PAUSED] = 0
    else:
        board.stop()


def main(arguments: list[str]) -> int:
    """Returns exit code 0, or 1 if the board holds an error."""
    run, path, *given = arguments
    try:
        board = TrainerBoard.map(path)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    board.adopt()
    _listen(board)
    try:
        return _train(run, board, given)
    finally:
        board.unlink()


def _train(run: str, board: TrainerBoard, given: list[str]) -> int:
    try:
        from calf_viz import systems
        from calf_viz.sources.worker import work

        if board[Word.STOP]:
            board[Word.PHASE] = Phase.STOPPED  # before anything began
        else:
            for system in given:
                systems.given(system)
            with systems.errors_reported():
                work(run, board)
    except UserError as error:
        print(error, file=sys.stderr)
        board.fail(str(error))
        return 1
    except Exception as error:
        traceback.print_exc()
        board.fail(f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
