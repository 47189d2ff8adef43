"""A source that shows somebody else's training loop, through the board that it writes.

Rows become samples as they are; where an episode ended, the agent's next row begins a new trail. If
rows were overwritten before they could be read, their number jumps, which breaks trails, and the
panel says how many.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from calf_attach import search, window
from calf_attach.board import Board, BoardError
from calf_attach.layout import FIRST, HIDDEN, SLIDERS, TERMINATED, TRUNCATED, Phase, Word
from calf_attach.records import Row
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.base import Slider
from calf_viz.view import View

STALE = 5.0
"""Seconds without a call from a loop that lives, after which the notice says so."""
LOOK_EVERY = 1.0
"""Seconds between looks at whether the loop's process lives, or another took its place."""
ENDED: dict[int, str] = {
    Phase.FINISHED: "the loop has ended",
    Phase.STOPPED: "the loop was interrupted",
    Phase.FAILED: "the loop ended with an error",
}
"""What is said of a loop that ended by itself, by its phase."""
LAPSED = 1.0
"""Seconds between two frames after which a loop may have taken the viewer for gone."""
NICE = 10
"""Niceness of a viewer."""
MARGIN, REWARD = "margin", "reward"
"""Columns of a board."""
HOW_ENDED = np.zeros(256, np.uint8)
HOW_ENDED[TERMINATED], HOW_ENDED[TRUNCATED], HOW_ENDED[TERMINATED | TRUNCATED] = 1, 2, 1
"""A column `ended`, as `Recordable` has it, by these flags."""
TORN = 100
"""Attempts to read what the rows mean while the loop writes it."""


OF_ALL = ("title", "lo", "hi", "labels", "periodic", "modes", "colours", "value", "dt")
"""Fields of a view that every board has."""
OF_SYSTEMS = ("symbol", "value_scale", "clim", "marker", "goal")
"""Fields of a view that only boards of this program's own trainer have."""
HEADING = "heading"
"""The column that says where agents look."""
B = TypeVar("B", bound=Board)


def meta_of(view: View, name: str) -> dict[str, Any]:
    """The meta block that describes a view, of a loop with this name: `view_of` reads it."""
    known = {field: getattr(view, field) for field in (*OF_ALL, *OF_SYSTEMS)}
    return {"name": name, "critic": True, **known}


def view_of(meta: dict[str, Any]) -> View:
    """The view that a board's meta block describes. Raises UserError for one that no view can be
    made of."""
    try:
        lo, hi = meta["lo"], meta["hi"]
        colours = meta.get("colours")
        return View(
            title=meta["title"],
            lo=tuple(lo),
            hi=tuple(hi),
            labels=tuple(meta["labels"]),
            periodic=tuple(meta["periodic"]),
            modes=tuple(meta["modes"]),
            colours=None if colours is None else tuple(_colour(colour) for colour in colours),
            value=meta["value"],
            dt=meta.get("dt"),
            live=True,
            **{name: meta[name] for name in OF_SYSTEMS if name in meta},
            margins=meta.get("margins") is True,
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"the board's view: {shown(str(error))}: nothing can be shown") from error


def _colour(found: Any) -> Any:
    return tuple(found) if isinstance(found, list) else found


def give_way() -> None:
    """Let the loops of this machine go before this process, and before threads that it starts from
    now on: a viewer that draws in software would take turns with a training where cores are few."""
    with suppress(AttributeError, OSError):  # on Windows; forbidden
        os.nice(max(NICE - os.nice(0), 0))


class Attached:
    """Shows the loop of one board, and of its successors: the larger board that it goes on with,
    and later loops of the same name that look the same. As `Source`, `Foreseeing`, `Noticing`,
    `Adjustable` and `Choosing`.

    Attributes:
        board: the board.
        taken: the loop's steps up to the newest that is shown.
        lost: rows that were overwritten before they were read.
        negative: of the newest step that is shown, agents with a negative margin, and with any;
            None if the loop gives no margins.
        behind: seconds from the newest step that is shown to when it was read.
        even: whether every step so far was a row.
    """

    def __init__(self, path: Path | str, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        """clock: the time [ns] as on the board. Raises UserError if there is no board, or another
        version's."""
        self._clock = clock
        self.lost, self.behind, self.taken = 0, 0.0, 0
        self.even = True
        self._ended = np.zeros(0, bool)
        self._shown = 0  # number of the next samples
        self._looked_at = 0
        self.negative: tuple[int, int] | None = None
        self._chosen: int | None = None
        self._slid: dict[str, float] = {}  # by entry
        self._view: View | None = None
        self._open(open_board(path, Board))
        self._next = max(self.board[Word.ROW] - self.board.shape.rows, 0)
        self._said: str | None = None

    def announce(self) -> None:
        """Say that there is a window, so that later loops of this name join it."""
        self._said = window.announce(str(self.meta.get("name", "loop")), self.meta)

    def _open(self, board: Board) -> None:
        self.board = board
        self._next = self._version = self._end = 0
        self._alive = board.alive
        self._rows: list[Row] = []
        self._view = self._take_view()
        if self._chosen is not None:
            self.choose(self._chosen)
        for name, value in self._slid.items():
            self.slide(name, value)

    def _take_view(self) -> View:
        self._meta_version, self.meta = meta_read(self.board)
        found, before = view_of(self.meta), self._view
        # Margins that come later would need other shaders: the notice says so.
        return found if before is None else replace(found, margins=before.margins)

    @property
    def view(self) -> View:
        """As `Source`: its bounds follow the loop's."""
        if self.board[Word.META] != self._meta_version and self.board.meta() is not None:
            self._view = self._take_view()
        assert self._view is not None
        return self._view

    def step(self) -> Samples | None:
        """The next row's samples."""
        if not self._rows:
            now = self._clock()
            self.board[Word.LOOKED] = now
            self._look(now)
            self._rows = self.board.rows_since(self._next)[::-1]
            if not self._rows:
                return None
            self.behind = max(1e-9 * (now - self._rows[0].time), 0.0)
        row = self._rows.pop()
        gap = row.number - self._next
        self.lost += gap
        again = row.step == self.taken
        self._next, self.taken = row.number + 1, row.step
        self.even &= row.merged == 1
        self._shown += gap + 1
        return self._samples(row, again)

    def _samples(self, row: Row, again: bool = False) -> Samples:
        """again: whether it is of the last one's step, with where episodes began after it."""
        flags = row.flags
        n = len(flags)
        first = (flags & FIRST) > 0
        known = min(n, len(self._ended))
        first[:known] |= self._ended[:known]
        self._ended = (flags & (TERMINATED | TRUNCATED)) > 0
        positions = row.positions
        hidden = (flags & HIDDEN) > 0
        if hidden.any():
            positions = np.where(hidden[:, None], np.nan, positions)
        modes: NDArray[np.uint8] = np.minimum(row.modes, len(self.view.modes) - 1)
        columns = {
            str(name): column
            for name, column in zip(self.meta.get("columns", ()), row.columns, strict=False)
        }
        columns["ended"] = HOW_ENDED[flags & (TERMINATED | TRUNCATED)]
        if (again or row.merged != 1) and REWARD in columns:
            # It was in the last row; or it is the last step's alone, and the others' in no row.
            columns[REWARD] = np.full_like(columns[REWARD], 0.0 if again else np.nan)
        if MARGIN in columns and np.isfinite(columns[MARGIN]).any():
            margins = columns[MARGIN]
            self.negative = int((margins < 0.0).sum()), int(np.isfinite(margins).sum())
        headings = columns.get(HEADING)
        return Samples(positions, modes, first, headings, self._shown - 1, columns)

    def surface(self) -> Heightfield | None:
        """The newest surface of these bounds."""
        found = self.board.surface(self._version)
        if found is None or found.values is None:
            return None
        self._version = found.version
        view = self.view
        if (found.lo, found.hi) != (view.lo, view.hi) or min(found.values.shape) < 2:
            return None  # the bounds have grown since: the next one has them
        return Heightfield(found.values, found.lo, found.hi)

    def foresee(self, steps: int) -> NDArray[np.floating]:
        """As `Foreseeing`: where agents are in the rows that are there already."""
        rows = self.board.rows_since(max(self._next, self.board[Word.ROW] - steps))
        found = [row.positions for row in rows]
        there = np.concatenate(found) if found else np.zeros((0, 2), np.float32)
        return there[np.isfinite(there).all(axis=1)]

    def choose(self, agent: int) -> None:
        """As `Choosing`: the loop heeds it when it evaluates its critic next."""
        self._chosen = agent
        self.board[Word.CHOSEN] = agent + 1

    def _offered(self) -> list[Slider]:
        """Sliders that the loop offers, in its order, which the board's numbers have."""
        try:
            found = [
                Slider(str(int(entry)), str(label), *(float(end) for end in ends))
                for entry, label, *ends in self.meta.get("sliders", ())
            ]
        except (TypeError, ValueError):  # damaged
            return []
        sound = [one for one in found if one.low <= one.value <= one.high < np.inf]
        return sound if len(sound) == len(found) <= SLIDERS else []

    def sliders(self) -> list[Slider]:
        """As `Adjustable`: what the loop's critic gets for what the plane does not show."""
        moved, stand = self.board[Word.MOVED_SLIDERS], self.board.sliders
        return [
            one._replace(value=float(np.clip(stand[number], one.low, one.high)))
            if moved >> number & 1 and np.isfinite(stand[number])
            else one
            for number, one in enumerate(self._offered())
        ]

    def slide(self, name: str, value: float) -> None:
        """As `Adjustable`: as for `choose`."""
        self._slid[name] = value
        for number, one in enumerate(self._offered()):
            if one.name == name:
                self.board.sliders[number] = value
                self.board[Word.MOVED_SLIDERS] |= 1 << number

    def ends(self) -> NDArray[Any]:
        """Episodes that finished since the last call, as `calf_attach.layout.END`."""
        found = self.board.ends_since(self._end)
        self._end = self.board[Word.END] if not len(found) else int(found["number"][-1]) + 1
        return found

    def _look(self, now: int) -> None:
        """Go on with the board that took this one's place, if there is one."""
        if self.board[Word.PHASE] == Phase.MOVED:
            if self.board[Word.ROW] <= self._next:
                moved = (self.board.meta() or {}).get("moved")
                if isinstance(moved, str):
                    self._open(open_board(moved, Board))
            return
        if now - self._looked_at < 1e9 * LOOK_EVERY:
            return
        self._looked_at = now
        self._alive = self.board.alive
        if self._alive and not self.over:
            return
        for one in search.loops()[0]:
            same = window.signature(one.meta) == window.signature(self.meta)
            if one.name == self.meta.get("name") and same and one.board.alive:
                self._release()
                self._open(one.board)
                self._shown += 2  # no trail leads from one loop to another
                return

    @property
    def over(self) -> bool:
        """Whether the loop said that it has ended."""
        return self.board[Word.PHASE] in ENDED

    @property
    def paused(self) -> bool:
        """Whether a viewer has paused it."""
        return bool(self.board[Word.PAUSED])

    @property
    def running(self) -> bool:
        """Whether more can come."""
        return self._alive and not self.over

    @property
    def notice(self) -> str | None:
        """What must not be missed about the loop."""
        board = self.board
        ended = ENDED.get(board[Word.PHASE])
        if ended is None and not self._alive:
            ended = "the loop's process is gone: these are its last steps"
        faults = board[Word.FAULTS]
        if faults:
            text = board.newest_fault.strip().splitlines()
            last = shown(text[-1] if text else "")
            many = "1 fault" if faults == 1 else f"{faults} faults"
            fault = f"{many} in the loop's calls: {last}"
            return fault if ended is None else f"{ended}; {fault}"
        if ended is not None:
            return ended
        if self.meta.get("margins") is True and not self.view.margins:
            return "the loop gives margins by now: start the viewer anew to see them"
        if board[Word.PHASE] == Phase.COMPARING:
            return "no steps while the agent is compared with the best so far"
        quiet = 1e-9 * (self._clock() - board[Word.HEARTBEAT])
        return f"nothing from the loop for {quiet:.0f} s" if quiet > STALE else None

    def _release(self) -> None:
        """Remove the board of a loop that was killed: it was shown to its last step."""
        if not self.board.alive:
            self.board.unlink()

    def close(self) -> None:
        """Leave the loop as it is."""
        self._release()
        if self._said is not None:
            Path(self._said).unlink(missing_ok=True)


class Controlled(Attached):
    """Shows a loop that asks for control: as `Pausable`."""

    _paused, _called = False, 0

    def step(self) -> Samples | None:
        """As `Attached`; nothing if another viewer let the loop go on that this one paused."""
        if self._paused and not self.board[Word.PAUSED]:
            return None
        return super().step()

    def pause(self, paused: bool) -> None:
        """As `Pausable`; another viewer's pause stays as it is. The loop waits for as long as this
        is called: if that took too long, it went on, and is paused again."""
        now = self._clock()
        lapsed = now - self._called > 1e9 * LAPSED
        self._called = self.board[Word.LOOKED] = now
        if paused != self._paused or (paused and lapsed):
            self._paused = paused
            self.board[Word.PAUSED] = int(paused)

    def single_step(self) -> None:
        """As `Pausable`."""
        self.board[Word.GRANTED] += 1

    def rate(self, steps_per_second: float) -> None:
        """Have the loop take at most so many steps per second."""
        fast = not np.isfinite(steps_per_second)
        self.board[Word.RATE] = 0 if fast else max(round(1000.0 * steps_per_second), 1)

    def close(self) -> None:
        """Let the loop go on."""
        if self._paused:
            self.board[Word.PAUSED] = 0
        self.board[Word.RATE] = 0
        super().close()


def watch(found: search.Found) -> Attached:
    """A source that shows this loop."""
    kind = Controlled if found.board[Word.CONTROLLED] else Attached
    return kind(found.board.path)


def find(name: str) -> search.Found:
    """The loop of a name, or a process id. Raises UserError if there is none, or are several."""
    loops, troubles = search.loops()
    wanted = [one for one in loops if name in (one.name, str(one.board[Word.PID]))]
    living = [one for one in wanted if one.board.alive]
    if len(living) > 1:
        pids = ", ".join(str(one.board[Word.PID]) for one in living)
        raise UserError(f"{len(living)} loops are called {shown(name)}: give a process id: {pids}")
    if living or wanted:
        return (living or wanted)[0]
    if troubles:
        raise UserError(troubles[0])
    there = ", ".join(sorted({one.name for one in loops}))
    others = f"; there is {there}" if there else ", nor any other"
    raise UserError(f"no loop called {shown(name)} runs here{others}")


def open_board(path: Path | str, kind: type[B]) -> B:
    """Map a board. Raises UserError if it cannot be read, or is none of this version."""
    try:
        return kind.open(str(path))
    except BoardError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def meta_read(board: Board) -> tuple[int, dict[str, Any]]:
    """Version and contents of a board's meta block. Raises UserError if it is damaged."""
    for _ in range(TORN):
        version = board[Word.META]
        try:
            meta = board.meta()
        except BoardError as error:
            raise UserError(str(error)) from error
        if meta is not None:
            return version, meta
    raise UserError(f"{board.path}: its loop ended while it wrote: nothing can be shown")
