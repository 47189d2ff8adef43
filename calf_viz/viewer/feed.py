"""Checks what a source provides, and handles one that fails."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from calf_viz.console import as_options
from calf_viz.errors import UserError, innermost, shown, text_of
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.base import (
    Accountable,
    Adjustable,
    Certified,
    Choosing,
    Evaluable,
    Foreseeing,
    Noticing,
    Pausable,
    Resizable,
    Slider,
    Source,
    Valued,
    capable,
)
from calf_viz.view import Certificate, View

if TYPE_CHECKING:
    from calf_viz.agent.explanation import Explanation
    from calf_viz.critic_networks import CriticNetworks

log = logging.getLogger("calf_viz")
T = TypeVar("T")

MOST_STEPS = 4096
"""Most steps per frame from a live source."""
SILENCE = 60.0
"""Seconds without anything new after which a notice says so."""


BOUNDS = ("lo", "hi")
"""Fields of a view that may change while it is shown."""


class Tap(Protocol):
    """Sees all that a feed returns."""

    def steps(self, found: list[Samples], view: View) -> None: ...

    def surface(self, field: Heightfield) -> None: ...

    def bounds(self, view: View) -> None: ...

    def pause(self, paused: bool) -> None: ...


class Feed:
    """Reads a source. If it raises, or returns what its view does not allow, it is not called
    again: the last picture stays, and the reason is reported once.

    Attributes:
        failure: why the source failed, in one line; None if it has not.
        tap: sees all that it returns, if there is one.
    """

    tap: Tap | None = None

    def __init__(
        self, source: Source, guarded: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """guarded: whether exceptions of the source are caught; in the program's own sources, which
        are bugs, they should not be."""
        self.source, self.guarded, self.clock = source, guarded, clock
        self.failure: str | None = None
        self._view = view_shown(source) if guarded else source.view
        self._pausable = capable(source, Pausable)
        self._certified = capable(source, Certified)
        self._evaluable = capable(source, Evaluable)
        self._foreseeing = capable(source, Foreseeing)
        self._valued = capable(source, Valued)
        self._noticing = capable(source, Noticing)
        self._resizable = capable(source, Resizable)
        self._adjustable = capable(source, Adjustable)
        self._choosing = capable(source, Choosing)
        self._accountable = capable(source, Accountable)
        self._last_news = clock()
        self._silent = False
        self._paused = False

    @property
    def view(self) -> View:
        """The source's view at the last call."""
        return self._view

    @property
    def notice(self) -> str | None:
        """A notice that must not be missed, if any."""
        found = None if self._noticing is None else self._call("notice", self._notice)
        if self.failure is not None:
            return as_options(self.failure)
        if found is None and self._silent:
            return f"nothing new for {SILENCE:.0f} s"
        return found

    def steps(self, wanted: int = 1) -> list[Samples]:
        """The next `wanted` steps, or all new ones of a live source; one at most while paused."""
        return self._steps(1 if self._paused else MOST_STEPS if self._view.live else wanted)

    def late_steps(self) -> list[Samples]:
        """Steps that a live source took before it heeded the pause, or takes as a single step: they
        arrive after they were requested. None of others."""
        if not (self._paused and self._view.live and self._pausable is not None):
            return []
        return self._steps(MOST_STEPS)

    def _steps(self, most: int) -> list[Samples]:
        found: list[Samples] = []
        for _ in range(most):
            samples = self._call("step", self._step)
            if samples is None:
                break
            found.append(samples)
        self._call("view", self._look)  # the view that came with them; the newest counts
        self._note_news(bool(found))
        if self.tap is not None and found:
            self.tap.steps(found, self._view)
        return found

    def surface(self) -> Heightfield | None:
        """The newest surface, once."""
        self._call("view", self._look)
        found = self._call("surface", self._surface)
        if found is None:
            return None
        self._call("view", self._look)  # the surface may be the first of other bounds
        placed = self._call("surface", lambda: self._placed(found))
        if placed is not None:
            self._note_news(True)
            if self.tap is not None:
                self.tap.surface(placed)
        return placed

    def networks(self) -> CriticNetworks | None:
        """The newest networks, once. Raises UserError if the source has none."""
        source = self._evaluable
        if source is None:
            raise UserError(
                "`critic_on_gpu`: the source has no networks for the GPU to evaluate: leave it out"
            )
        self._call("view", self._look)
        return self._call("networks", lambda: _networks(source))

    def certificate(self, chosen: int) -> Certificate | None:
        """What the certificate requires of that agent now; None if there is no certificate."""
        source = self._certified
        if source is None:
            return None
        return self._call("certificate", lambda: _a(Certificate, source.certificate(chosen)))

    @property
    def accountable(self) -> bool:
        """Whether the source may know why its agents took their steps."""
        return self._accountable is not None

    def why(self, agent: int) -> Explanation | None:
        """Why an agent took its last step; None if that is unknown."""
        source = self._accountable
        return None if source is None else self._call("why", lambda: source.why(agent))

    def foreseen(self, steps: int) -> NDArray[np.floating] | None:
        """Where the agents will be in their first steps, (m, 2); None if that is unknown."""
        source = self._foreseeing
        if source is None:
            return None
        return self._call("foresee", lambda: Samples.of(source.foresee(steps)).positions)

    def agents(self) -> int | None:
        """The number of agents, if it can be changed; else None."""
        source = self._resizable
        return None if source is None else self._call("__len__", lambda: len(source))

    def mean_value(self, samples: Samples, surface: Heightfield) -> float:
        """Mean over a step's agents, from the source if it knows it, else from the surface."""
        source = self._valued
        if source is None:
            return surface.mean_height(self._view.wrapped(samples.positions))
        found = self._call("mean_value", lambda: float(source.mean_value()))
        return math.nan if found is None else found

    @property
    def adjustable(self) -> bool:
        """Whether the source may have sliders."""
        return self._adjustable is not None

    def sliders(self) -> Sequence[Slider]:
        """The source's numbers that a user may change; none for most sources."""
        source = self._adjustable
        return (self._call("sliders", lambda: tuple(source.sliders())) or ()) if source else ()

    def slide(self, name: str, value: float) -> None:
        """Set one of them."""
        source = self._adjustable
        if source is not None:
            self._call("slide", lambda: source.slide(name, value))

    def choose(self, agent: int | None) -> None:
        """The user chose an agent; None: nobody did."""
        source = self._choosing
        if source is not None and agent is not None:
            self._call("choose", lambda: source.choose(agent))

    def pause(self, paused: bool) -> None:
        """Called before each frame: whether no steps are requested."""
        self._paused = paused
        if self.tap is not None:
            self.tap.pause(paused)
        pausable = self._pausable
        if pausable is not None:
            self._call("pause", lambda: pausable.pause(paused))

    def single_step(self) -> None:
        """Called before a single step is requested while paused."""
        pausable = self._pausable
        if pausable is not None:
            self._call("single_step", lambda: pausable.single_step())

    def ask(self, name: str, question: Callable[[], T]) -> T | None:
        """The answer of the source to anything else; None if it fails. name: of the method."""
        return self._call(name, question)

    def close(self) -> None:
        """Close the source."""
        self._call("close", lambda: self.source.close())

    def _look(self) -> None:
        """The current view, of which only the bounds may have changed."""
        old, new = self._view, _a(View, self.source.view)
        if new is old:
            return
        changed = [f.name for f in fields(new) if getattr(old, f.name) != getattr(new, f.name)]
        for name in changed:
            if name not in BOUNDS:
                before, now = getattr(old, name), getattr(new, name)
                raise ValueError(
                    f"{name} {shown(before)} became {shown(now)}: while it is shown, only lo and "
                    "hi may change"
                )
        if changed:
            self._view = new
            if self.tap is not None:
                self.tap.bounds(new)

    def _step(self) -> Samples | None:
        samples = self.source.step()
        if samples is None:
            return None
        view, n = self._view, len(_a(Samples, samples))
        samples.check_modes(len(view.modes))
        if view.trainee is not None and view.trainee >= n:
            raise ValueError(f"{n} agents, where its view's trainee is agent {view.trainee}")
        return samples

    def _surface(self) -> Heightfield | None:
        field = self.source.surface()
        return None if field is None else _a(Heightfield, field)

    def _placed(self, field: Heightfield) -> Heightfield:
        view = self._view
        if (field.lo, field.hi) != (view.lo, view.hi):
            raise ValueError(
                f"its plane goes from {field.lo} to {field.hi}, the view's from {view.lo} to "
                f"{view.hi}"
            )
        return field

    def _notice(self) -> str | None:
        assert self._noticing is not None
        found = self._noticing.notice
        return None if found is None else _a(str, found)

    @contextmanager
    def blamed(self, name: str) -> Iterator[None]:
        """In the block, if this machine cannot handle the source's data, the source has failed."""
        try:
            yield
        except (UserError, MemoryError) as error:
            if not self.guarded:
                raise
            self._fail(name, error)

    def _call(self, name: str, call: Callable[[], T]) -> T | None:
        if self.failure is not None and name != "close":
            return None
        try:
            return call()
        except Exception as error:
            if not self.guarded:
                raise
            self._fail(name, error)
            return None

    def _fail(self, name: str, error: Exception) -> None:
        kind = "" if isinstance(error, UserError) else type(error).__name__
        said = ": ".join(part for part in (kind, text_of(error)) if part)
        self.failure = f"the source failed in {name}: {shown(said)}{_place(error, self.source)}"
        log.error(self.failure)
        log.debug("where it failed:", exc_info=True)

    def _note_news(self, anything: bool) -> None:
        now = self.clock()
        if anything or self._paused:
            self._last_news = now
        self._silent = now - self._last_news > SILENCE


def view_shown(source: Source) -> View:
    """A source's view. Raises UserError if it is not a View, or the source is not a Source."""
    for name in ("step", "surface", "close"):
        try:
            found = getattr(source, name, None)
        except Exception as error:
            raise _unusable(name, error, source) from error
        if not callable(found):
            raise UserError(f"source: {type(source).__name__} has no method `{name}`: add it")
    try:
        view = source.view
    except UserError:
        raise
    except Exception as error:
        raise _unusable("view", error, source) from error
    if not isinstance(view, View):
        raise UserError(f"the source's view: {type(view).__name__}, where View is wanted")
    return view


def _unusable(name: str, error: Exception, source: Source) -> UserError:
    said = f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")
    return UserError(f"the source's {name}: {shown(said)}{_place(error, source)}")


def _place(error: Exception, source: Source) -> str:
    """Where an exception arose in the source's code, rather than in a library."""
    own = str(type(source).__module__)
    top = own.split(".")[0]
    place = innermost(error, lambda name: name == own or name.split(".")[0] == top)
    if place is None:  # a base class of other origin
        place = innermost(error, lambda name: name.split(".")[0] != __name__.split(".")[0])
    return "" if place is None else f" ({shown(Path(place[0]).name)}:{place[1]})"


def _a(kind: type[T], found: Any) -> T:
    """A source's answer, if of the required type; else raises ValueError."""
    if not isinstance(found, kind):
        advice = ": give Samples.of(positions)" if kind is Samples else ""
        raise ValueError(f"{type(found).__name__}, where {kind.__name__} is wanted{advice}")
    return found


def _networks(source: Evaluable) -> CriticNetworks | None:
    from calf_viz.critic_networks import CriticNetworks

    found = source.networks()
    return None if found is None else _a(CriticNetworks, found)
