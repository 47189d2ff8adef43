"""A recording to read: of any length in constant memory, finished, growing, or cut short."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.recording import critics, events
from calf_viz.recording.agents import RESERVED
from calf_viz.recording.critics import Critic
from calf_viz.recording.events import Event
from calf_viz.recording.folder import ADVICE, EVENTS, read_meta
from calf_viz.recording.lookout import Lookout
from calf_viz.recording.rows import Columns, Rows, batch, check
from calf_viz.recording.storage import exists, locate
from calf_viz.recording.stream import Stream, Unbegun
from calf_viz.recording.streams import Place, Streams
from calf_viz.samples import Samples

if TYPE_CHECKING:
    from calf_viz.agent.explanation import Explanation
    from calf_viz.recording.explaining import Explainer

KEPT_BYTES = 64 << 20
"""Memory for blocks that were read lately."""
ROW = ("step", "time", "x", "y", "mode", "first")
"""Columns that every stream of agents has."""


class Recording:
    """Opens a recording.

    Attributes:
        folder: where it is.
        view: what it shows.
        meta: what its `meta.json` says.
        every: steps from a row to the next.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        """folder: or its address, such as "s3://bucket/swing.calf": see `storage`.

        Raises FileTrouble, FileDamaged, UserError: it is no recording, damaged, or of a newer
        version.
        """
        self.folder = locate(folder)
        self.view, self.meta = read_meta(self.folder)
        self.every: int = self.meta["every"]
        self._agents, self._critics = (
            Streams(self.folder, "agents", _check),
            Streams(self.folder, "critic", _check),
        )
        self._events: Stream | None = None
        self._kept: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._kept_bytes = 0
        self._explainer: Explainer | None = None
        self._lookout = Lookout(self.folder)
        self.refresh()

    def refresh(self) -> int:
        """Look for what was appended; returns how many steps. At an address that is done now and
        then: the more seldom, the longer nothing was new. Raises FileDamaged."""
        before = len(self)
        if not self._lookout.due:
            return 0
        look = self._lookout.look()
        self._critics.refresh(look)
        self._agents.refresh(look)
        if look and self._events is None and exists(self.folder / EVENTS):
            with suppress(Unbegun):
                self._events = Stream(self.folder / EVENTS)
                _check(self._events, "events")
        if self._events is not None:
            self._events.refresh()
        self._lookout.found(len(self) > before or self.torn)
        return len(self) - before

    def __len__(self) -> int:
        """Steps in it."""
        return self._agents.rows

    @property
    def torn(self) -> bool:
        """Whether its writer is still at it, or was killed."""
        return not self._agents.complete

    def row(self, step: int) -> int:
        """The row of a step, or of the last before it; 0 if there is none."""
        place = self._agents.at_step(step)
        if place is None:
            return 0
        found = self._column(place, "step")
        return place.row + max(int(np.searchsorted(found, step, "right")) - 1, 0)

    def about_row(self, step: int) -> int:
        """The first row of a step or after it, without reading any: where blocks leave steps out,
        as if these were evenly spaced."""
        number = max(self._agents.before(step), 0)
        if not self.blocks:
            return 0
        place = self._agents[number]
        last = number + 1 == self.blocks
        end = self.step(len(self) - 1) + 1 if last else self._agents.steps[number + 1]
        rows = -(-(step - place.step) * place.rows // max(end - place.step, 1))
        return place.row + min(max(rows, 0), place.rows)

    def find(self, step: int, name: str) -> int:
        """As `row`, of a step that a setting of that name asks for. Raises UserError for one that
        is not in the recording."""
        there = "no steps"
        if rows := len(self):
            first, last = self.step(0), self.step(rows - 1)
            if first <= step <= last:
                return self.row(step)
            there = f"steps {first} to {last}"
        raise UserError(f"`{name}` {step}: the recording has {there}")

    def step(self, row: int) -> int:
        """The number of a row's step."""
        place = self._agents.at_row(row)
        return int(self._column(place, "step")[row - place.row])

    @property
    def blocks(self) -> int:
        """Blocks of rows in it: what is read at once."""
        return len(self._agents)

    @property
    def bytes(self) -> int:
        """What the blocks of rows take in their files."""
        return self._agents.bytes

    def bytes_of_block(self, number: int) -> int:
        """What one of them takes there."""
        place = self._agents[number]
        block = self._agents.streams[place.stream].blocks[place.block]
        return block.end - block.start

    def modes_of_block(self, number: int) -> tuple[int, NDArray[Any], NDArray[Any]]:
        """A block's first row, and its modes and beginnings of episodes, (rows, n) each. It is not
        kept. Raises FileDamaged."""
        place = self._agents[number]
        stream = self._agents.streams[place.stream]
        found = batch(stream, place.block)
        with parsing(stream.path, "rows of agents", ADVICE):
            rows = Rows(found, self._agents.columns(place.stream))
            return place.row, rows.values("mode"), rows.values("first") > 0

    def block_of(self, row: int) -> int:
        """Number of the block that a row is in. Raises IndexError."""
        return self._agents.number_at_row(row)

    def samples(self, row: int) -> Samples:
        """The agents in a row. Raises IndexError, FileDamaged."""
        place = self._agents.at_row(row)
        found, schema = self._batch(place), self._agents.streams[place.stream].schema
        n, _, widths = self._agents.columns(place.stream)
        at = row - place.row

        def column(name: str) -> NDArray[Any]:
            values = found.column(name)
            flat = values.values.to_numpy(zero_copy_only=True)
            width = n * widths.get(name, 1)
            # (Slices of Arrow's lists know where they begin, their values do not.)
            start = (values.offset + at) * width
            row = flat[start : start + width]
            return row.reshape(n, -1) if name in widths else row

        with parsing(self._agents.streams[place.stream].path, "rows of agents", ADVICE):
            extra = [name for name in schema.names if name not in RESERVED]
            return Samples(
                positions=np.stack([column("x"), column("y")], axis=1),
                modes=column("mode"),
                first=column("first").astype(bool),
                headings=column("heading") if "heading" in schema.names else None,
                step=int(self._column(place, "step")[at]),
                columns={name: column(name) for name in extra},
            )

    def walk(self, start: int = 0, stop: int | None = None) -> Iterator[Samples]:
        """The agents in these rows, one after another."""
        for row in range(start, len(self) if stop is None else min(stop, len(self))):
            yield self.samples(row)

    def array(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """A column in these rows, (rows, n), or (rows, n, k) for k numbers of each agent; `step`
        and `time` are (rows,). Memory is taken for these rows alone.

        Raises:
            UserError: there is no such column, or the number of agents changes within.
        """
        rows = range(len(self))[start:stop]
        if not rows:
            return np.zeros(0)
        begin, end = self.block_of(rows[0]), self.block_of(rows[-1])
        forms = [
            self._form(name, number)
            for number in range(self._agents[begin].stream, self._agents[end].stream + 1)
            if self._agents.streams[number].blocks
        ]
        (_, first), (_, last) = forms[0], forms[-1]
        if any(shape != first for _, shape in forms):
            raise UserError(
                f"{name}: {_in_words(first)} became {_in_words(last)}: give rows between such "
                "changes, which are events of kind `agents`"
            )
        found = np.empty((len(rows), *first), np.result_type(*(kind for kind, _ in forms)))
        at = 0
        for block in self._blocks(rows.start, rows.stop, kept=begin == end):
            with parsing(self.folder, "rows of agents", ADVICE):
                own = {"step": block.steps, "time": block.times}
                found[at : at + len(block.steps)] = own[name] if name in own else block.values(name)
            at += len(block.steps)
        return found

    def _form(self, name: str, stream: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
        """Type and shape of a column's values in a row of a stream. Raises UserError."""
        own = {"step": np.dtype(np.int64), "time": np.dtype(np.float64)}
        if name in own:
            return own[name], ()
        found = self._agents.streams[stream]
        columns = self._agents.columns(stream)
        if name not in columns.kinds:
            there = ", ".join((*own, *columns.kinds))
            raise UserError(f"no column {shown(name)} in {shown(self.folder)}: it has {there}")
        with parsing(found.path, "rows of agents", ADVICE):
            kind = np.dtype(bool if name == "first" else columns.kinds[name].to_pandas_dtype())
        width = (columns.widths[name],) if name in columns.widths else ()
        return kind, (columns.agents, *width)

    def spans(self) -> list[tuple[int, int]]:
        """Rows, from one and up to another, of one number of agents and the same columns."""
        found: list[tuple[int, int]] = []
        last = None
        for number in range(self.blocks):
            place = self._agents[number]
            schema = self._agents.streams[place.stream].schema
            start = place.row
            if last is not None and schema.equals(last, check_metadata=True):
                start = found.pop()[0]
            found.append((start, place.row + place.rows))
            last = schema
        return found

    def time(self, row: int) -> float:
        """Seconds from the recording's beginning to a row."""
        place = self._agents.at_row(row)
        return float(self._column(place, "time")[row - place.row])

    @property
    def critic_steps(self) -> list[int]:
        """The first step on each critic, in order."""
        return list(self._critics.steps)

    def critic(self, number: int) -> Critic:
        """A critic, from 0. Raises IndexError, FileDamaged."""
        place = self._critics[number]
        stream = self._critics.streams[place.stream]
        with parsing(stream.path, "critics", ADVICE):
            return critics.critic(stream.batch(place.block), 0)

    @property
    def critics(self) -> int:
        """How many there are."""
        return len(self._critics)

    def critic_at(self, step: int) -> int | None:
        """Number of the critic that was shown at a step; None if there was none yet."""
        number = self._critics.before(step)
        return None if number < 0 else number

    @property
    def event_blocks(self) -> int:
        """Blocks of events so far."""
        return 0 if self._events is None else len(self._events.blocks)

    def event_steps(self, block: int, kind: str) -> list[int]:
        """Steps of the events of a kind in a block. Raises FileDamaged."""
        assert self._events is not None
        with parsing(self._events.path, "events", ADVICE):
            found = batch(self._events, block)
            kinds = found.column("kind").to_numpy(zero_copy_only=False)
            steps: list[int] = found.column("step").to_numpy()[kinds == kind].tolist()
            return steps

    def events(self) -> list[Event]:
        """All events so far. Raises FileDamaged."""
        if self._events is None:
            return []
        with parsing(self._events.path, "events", ADVICE):
            return [event for found in self.event_batches() for event in events.events(found)]

    def event_batches(self) -> Iterator[Any]:
        """All events so far, as Arrow's record batches. Raises FileDamaged."""
        stream = self._events
        if stream is not None:
            for number in range(len(stream.blocks)):
                yield batch(stream, number)

    def shapes(self) -> list[Columns]:
        """What rows hold, in each stream."""
        return [self._agents.columns(number) for number in range(len(self._agents.streams))]

    def row_blocks(self, start: int = 0, stop: int | None = None) -> Iterator[Rows]:
        """The rows from one and up to another, a block after another. Raises FileDamaged."""
        return self._blocks(start, len(self) if stop is None else stop)

    def _blocks(self, start: int, stop: int, kept: bool = False) -> Iterator[Rows]:
        """As `row_blocks`. kept: keep what is read, as it may soon be wanted again."""
        begin = self.block_of(start) if 0 < start < len(self) else 0
        for number in range(begin, len(self._agents)):
            place = self._agents[number]
            first, last = max(start - place.row, 0), min(stop - place.row, place.rows)
            if stop <= place.row:
                break
            if first < last:
                stream = self._agents.streams[place.stream]
                with parsing(stream.path, "rows of agents", ADVICE):
                    found = self._batch(place) if kept else batch(stream, place.block)
                    part = found.slice(first, last - first)
                    rows = Rows(part, self._agents.columns(place.stream))
                yield rows

    def explain(self, step: int, agent: int) -> Explanation:
        """Why an agent, counted from 0, took the step that led to this one: the certificate's
        inequalities with their margins, and Q of the actor's, the nominal policy's and the taken
        action, and along each action. In float64, from the state and the networks of then.

        Raises:
            UserError: that is not known: no such step or agent, an episode begins there, the step
                before is not recorded, or it is no recording of our own agents.
            FileDamaged: it is damaged.
        """
        from calf_viz.recording.explaining import Explainer

        if self._explainer is None:
            self._explainer = Explainer(self)
        return self._explainer.explain(step, agent)

    def _column(self, place: Place, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self._batch(place).column(name).to_numpy(zero_copy_only=True)
        return found

    def _batch(self, place: Place) -> Any:
        key = place.stream, place.block
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = batch(self._agents.streams[place.stream], place.block)
        self._kept[key] = found
        self._kept_bytes += found.nbytes
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def close(self) -> None:
        """Close all files."""
        self._agents.close()
        self._critics.close()
        if self._events is not None:
            self._events.close()


def _in_words(shape: tuple[int, ...]) -> str:
    """What a row has of a column."""
    each = f" with {shape[1]} numbers each" if len(shape) > 1 else ""
    return f"{shape[0]} agents{each}"


def _check(stream: Stream, kind: str) -> None:
    """Raise FileDamaged for a stream of something else."""
    schema, types = stream.schema, {"critic": critics.schema, "events": events.schema}
    wanted = types[kind]() if kind in types else None
    for name in ROW if wanted is None else wanted.names:
        if name not in schema.names:
            raise FileDamaged(stream.path, f"no stream of {kind}: it has no column {name}", ADVICE)
        if wanted is not None and schema.field(name).type != wanted.field(name).type:
            said = f"no stream of {kind}: its column {name} is {shown(schema.field(name).type)}"
            raise FileDamaged(stream.path, said, ADVICE)
    if wanted is None:
        check(schema, stream.path)
