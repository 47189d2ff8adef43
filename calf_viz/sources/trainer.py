"""The trainer's process: `python -m calf_viz.sources.trainer RUN BOARD [SYSTEM]`.

standard input    closed when the viewer is gone, however it went
SIGTERM, SIGHUP   end the training with a checkpoint; blocked until then by who starts the process
RUN               the run to go on with; its checkpoints are written as by `calf-viz train`
BOARD             descriptor of the board, which is inherited (see `board.py`)
SYSTEM            what the viewer was given as the run's system: a file, a module, a name

What takes seconds to import is imported last: until then it can be told to end already.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback

from calf_viz.children import HELD_BACK
from calf_viz.errors import UserError
from calf_viz.sources.board import Board, Phase, Word


def _listen(board: Board) -> None:
    """From now on, signals and the viewer's end stop the training."""
    # Ctrl-C in the viewer's terminal is the viewer's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, lambda *_: board.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    threading.Thread(target=_stop_with_the_viewer, args=(board,), daemon=True).start()


def _stop_with_the_viewer(board: Board) -> None:
    """Wait for the end of standard input, and stop then; detached, go on, paused or not."""
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    if board[Word.DETACHED]:
        board[Word.PAUSED] = 0
    else:
        board.stop()


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 where the board holds the error."""
    run, descriptor, *given = arguments
    board = Board(int(descriptor))
    board.close()
    _listen(board)
    try:
        from calf_viz import systems
        from calf_viz.sources.worker import work

        if board[Word.STOP]:
            board[Word.PHASE] = Phase.STOPPED  # nothing was begun
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
