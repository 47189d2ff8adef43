"""The playhead: which of a source's steps the picture shows.

    recording   |=========================================|   any row: what the ring lacks is
                           first |..........|               pushed anew
    ring                         |..........| newest         any of these rows: one uniform
    picture                             ^ at

Steps of a live source are in the ring alone; the newest is the end of what can be shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.base import Pausable, Seekable, capable
from calf_viz.viewer.kept_critics import KeptCritics
from calf_viz.viewer.past import Past

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.viewer.feed import Feed
    from calf_viz.viewer.playback import Playback

BEFORE, PHASE = 256, 32
"""Steps before a trail that decide on how it is drawn, and the period in which they do."""
TOGETHER = 1 << 18
"""Samples that are pushed together while the ring is filled."""
MOST_TOGETHER = 128
"""Steps of them."""
STRIDE = 16
"""Steps before a trail that its first curve may be drawn through."""
NEAR = 64
"""Rows before the ring's first from where the next ones are probably wanted as well."""
FURTHER = 200_000
"""Samples by which the ring is filled further back for that."""


class Playhead:
    """Moves through the steps of one feed.

    Rows count steps: of a recording its own, of others those that were pushed.

    Attributes:
        newest: the newest row in the ring; -1 before the first.
        held: whether the picture stays where it is although the source goes on.
        goes_on: whether the source goes on by itself, whatever is shown.
        pausable: whether the source can be paused.
        critics: surfaces of a source that gives each once.
        loop: the first and last row to stay between, if playback is looping.
        marked: rows that the user marked, in order, of a source that keeps no marks itself.
    """

    def __init__(
        self,
        host: Host,
        feed: Feed,
        playback: Playback,
        push: Callable[[list[Samples], int | None], None],
        goes_on: bool,
    ) -> None:
        """push: shows steps; to fill the ring, with the number of steps that follow if these are
        before all trails, or 0 if they are within them."""
        self._host, self._feed, self._playback, self._push = host, feed, playback, push
        self.seekable = capable(feed.source, Seekable)
        self.pausable = capable(feed.source, Pausable) is not None
        self.goes_on = self.seekable is None and (goes_on or not self.pausable)
        self._past = Past(host.layout.slots)
        self.critics = KeptCritics()
        self.restart()

    def untie(self) -> None:
        """Drop the reference back to what shows steps: it moves no more."""
        self._push = lambda found, settle: None

    def restart(self) -> None:
        """The source starts over."""
        self.newest, self._whole_from = -1, 0
        self._back: int | None = None
        self.held = self._paused_here = self._playback.looping = False
        self.loop: tuple[int, int] | None = None
        self.marked: list[int] = []
        self._past.forget()
        self.critics.forget()

    @property
    def at(self) -> int:
        """The row shown; -1 before the first."""
        return self.newest - self._host.scrub

    @property
    def behind(self) -> bool:
        """Whether the picture shows another step of the source than its newest."""
        return self.seekable is None and self._host.scrub > 0

    @property
    def last(self) -> int:
        """The last row that can be shown."""
        return self.newest if self.seekable is None else self.seekable.rows - 1

    @property
    def first(self) -> int:
        """The first row that can be shown."""
        return self._first_in_ring if self.seekable is None else 0

    @property
    def _first_in_ring(self) -> int:
        """The first row in the ring whose picture is as it was."""
        return max(self.newest - self._host.reach, min(self._whole_from, self.newest), 0)

    def samples(self) -> Samples | None:
        """Those shown; None if they are not known any more."""
        if self.at < 0:
            return None
        source, row = self.seekable, self.at
        if source is not None:
            return self._feed.ask("samples", lambda: source.samples(row))
        return self._past.back(self._host.scrub)

    def see(self, found: Sequence[Samples]) -> None:
        """Steps that were pushed."""
        if self.seekable is None:
            self.newest += len(found)
            self._past.see(found)
        else:
            self.newest = self.seekable.at
        host, back = self._host, self._back
        if back is None:
            back = host.scrub + len(found) if host.scrub or self.held else 0
        self._back = None
        host.scrub = min(back, host.reach)
        if self.seekable is None:
            self._forget_before(self.first)

    def _forget_before(self, first: int) -> None:
        """Forget marks, and a loop, that cannot be shown any more."""
        if self.marked and self.marked[0] < first:
            self.marked = self.marked[bisect_left(self.marked, first) :]
        if self.loop is not None and self.loop[1] <= first:
            self.loop, self._playback.looping = None, False

    def take(self, times: int, speed: int) -> list[Samples]:
        """Move on by `speed` rows so many times, backwards if negative; returns the steps that have
        to be pushed for that."""
        if self.goes_on:
            return self._go_along(times, speed)
        rows = times * speed
        target = self._looped(self.at + rows, rows)
        if target != self.at + rows or rows < 0:
            self.go(target)
            return []
        inside = min(rows, self._host.scrub)
        if inside:
            self._show(self._host.scrub - inside)
        if rows == inside:
            return []
        if self._playback.paused:
            self._feed.single_step()
        return self._feed.steps(rows - inside)

    def _go_along(self, times: int, speed: int) -> list[Samples]:
        """As `take`, of a source that goes on: who is behind stays so, or catches up if faster."""
        if self._playback.paused and not self.held:
            self._feed.single_step()
        found = self._feed.steps(speed)
        newest = self.newest + len(found)
        if self.held:
            target = self.at
        elif self._host.scrub == 0 and times > 0:
            target = newest
        else:
            target = self._looped(self.at + times * max(len(found), 1), times)
        self._back = max(newest - target, 0)
        if not found:
            self._show(min(self._back, self._host.reach))
            self._back = None
        return found

    def _looped(self, row: int, rows: int) -> int:
        """The row to which so many rows lead or, if outside of the loop, where that goes on."""
        if not self._playback.looping or self.loop is None or not rows:
            return row
        begin, end = self.loop
        if begin <= row <= end:
            return row
        return begin if rows > 0 else end

    def _show(self, back: int) -> None:
        """Show another row of the ring."""
        self._host.scrub = back
        source, row = self.seekable, self.at
        if source is not None and row >= 0:
            self._feed.ask("show", lambda: source.show(row))

    def go(self, row: int) -> None:
        """Show a row, or the nearest that can be shown: of a recording any one, with the trails
        that agents had then."""
        row = min(max(row, self.first), self.last)
        if self._first_in_ring <= row <= self.newest:
            self._show(self.newest - row)
        elif self.seekable is not None:
            self._fill(row)

    def renew(self) -> None:
        """Show the row of a recording anew, with all that led there, as its source has other
        agents in it."""
        if self.seekable is not None and self.at >= 0:
            self._fill(self.at, anew=True)

    def _fill(self, row: int, anew: bool = False) -> None:
        host, source = self._host, self.seekable
        assert source is not None
        trail, start = host.scene.trail, self.newest + 1
        if anew or not 0 < row - self.newest <= trail:
            further = 0
            if host.looks_back and 0 < self._first_in_ring - row <= NEAR:
                most = max(FURTHER // max(host.agents, 1), PHASE)
                further = max(min(host.layout.slots - 1 - trail, most), 0)
            # What follows from steps before a trail's, its detail and density, is as it was, too.
            start = max(row - further - trail - BEFORE, 0) // PHASE * PHASE
            host.restart(start)
            source.seek(start)
            self._whole_from = start + trail + BEFORE if start else 0
            # Those before a trail's first stride are never drawn.
            drawn_from = start and max(row - further - trail - STRIDE, start)
        else:
            drawn_from = start
        host.scrub = 0
        self._feed.pause(False)
        most = min(max(TOGETHER // max(host.agents, 1), 1), MOST_TOGETHER)
        while start <= row:
            early = start < drawn_from
            end = drawn_from if early else row + 1
            found = self._feed.steps(min(most, end - start))
            if not found:
                break
            start += len(found)
            self._push(found, row + 1 - start if early else 0)

    def surface(self, newest: Heightfield | None, restart: bool) -> Heightfield | None:
        """The surface to show, if it is another one. newest: that of the source, if it is new.
        restart: forget those before."""
        if self.seekable is not None:  # it gives that of the row shown
            return newest
        if restart:
            self.critics.forget()
        if newest is not None:
            self.critics.see(newest, self.newest, self.first)
        return self.critics.take(self.at)

    @property
    def of_today(self) -> bool:
        """Whether every row is shown on the newest surface, rather than on that of then."""
        return (self.seekable or self.critics).of_today

    @of_today.setter
    def of_today(self, of_today: bool) -> None:
        (self.seekable or self.critics).of_today = of_today

    def beginnings(self) -> Sequence[int]:
        """Rows at which another surface begins, as far as these are known."""
        source = self.seekable
        if source is None:
            return self.critics.rows
        return self._feed.ask("beginnings", source.beginnings) or ()

    def episode(self, agent: int, forwards: bool) -> int | None:
        """The nearest row, after the one shown or before it, at which an agent begins an episode;
        None if none is found."""
        source, at = self.seekable, self.at
        if source is not None:
            return self._feed.ask("episode", lambda: source.contents.episode(agent, at, forwards))
        rows = range(at + 1, self.newest + 1) if forwards else range(at - 1, self.first - 1, -1)
        for row in rows:
            samples = self._past.back(self.newest - row)
            if samples is not None and agent < len(samples) and samples.first[agent]:
                return row
        return None

    def hold(self) -> None:
        """Stay at the step shown: a source that goes on does so, others are paused."""
        if self.goes_on:
            self.held = True
        elif not self._playback.paused:
            self._playback.toggle()
            self._paused_here = self.seekable is None

    def resume(self) -> None:
        """Pause or resume, or go on from the step that is held; a source that cannot be paused
        goes on while the picture is held."""
        self._paused_here = False
        if self.held or not self.pausable:
            self.held = not self.held
        else:
            self._playback.toggle()

    def to_the_end(self) -> None:
        """Show the newest step, and go on if it was `hold` that paused."""
        if self.seekable is not None:
            self.hold()
            self.go(self.last)
            return
        self.held, self._playback.backwards = False, False
        self._show(0)
        if self._paused_here and self._playback.paused:
            self._playback.toggle()
        self._paused_here = False
