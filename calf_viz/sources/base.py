"""The protocol of all sources, and the optional protocols of some.

A source implements the four members of `Source`; further capabilities are checked by `capable`, and
keys, panels and settings that need one exist only if the source has it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.view import Certificate, View

if TYPE_CHECKING:
    from calf_viz.agent.explanation import Explanation
    from calf_viz.critic_networks import CriticNetworks
    from calf_viz.recording.contents import Contents


T = TypeVar("T")


class Source(Protocol):
    """Provides samples of agents, and the surface that they move on."""

    @property
    def view(self) -> View:
        """What samples and surface mean. While the source is shown, only its bounds may change,
        with the next step or surface; the surface must have the same bounds then."""

    def step(self) -> Samples | None:
        """The next step, or None if there is nothing new this frame."""

    def surface(self) -> Heightfield | None:
        """The newest surface, once; None if it was returned before, or if there is none yet."""

    def close(self) -> None:
        """Called at the end; nothing is called after it."""


@runtime_checkable
class Resizable(Protocol):
    """Its number of agents can be changed."""

    def __len__(self) -> int: ...

    def resize(self, n_agents: int) -> None:
        """Keep the first n agents; new ones appear with the next step."""


@runtime_checkable
class Pausable(Protocol):
    """Waits while no steps are requested."""

    def pause(self, paused: bool) -> None:
        """Called before each frame."""

    def single_step(self) -> None:
        """Called before a single step is requested while paused."""


@runtime_checkable
class Certified(Protocol):
    """Its agents' actions are certified by a critic."""

    def certificate(self, chosen: int) -> Certificate:
        """What the certificate requires of that agent now; of the last one, if there are fewer."""


@runtime_checkable
class Valued(Protocol):
    """Knows the value of its agents' full states, beyond what the plane shows."""

    def mean_value(self) -> float:
        """Mean over all agents, in the unit of the surface."""


@runtime_checkable
class Evaluable(Protocol):
    """Its surface is given by networks that a GPU can evaluate."""

    def networks(self) -> CriticNetworks | None:
        """The newest networks, once, in place of `Source.surface`; None as there. Raises UserError
        for networks that are too wide."""


@runtime_checkable
class Foreseeing(Protocol):
    """Knows where its agents are going to be, so that the camera can start there."""

    def foresee(self, steps: int) -> NDArray[np.floating]:
        """Positions, (m, 2), that agents will have in their first steps, as a whole, in any order;
        a sample of them will do. Changes nothing."""


@runtime_checkable
class Noticing(Protocol):
    """Has a notice that must not be missed."""

    @property
    def notice(self) -> str | None: ...


class Slider(NamedTuple):
    """A number of a source's that its user may change."""

    name: str
    label: str
    low: float
    high: float
    value: float


@runtime_checkable
class Adjustable(Protocol):
    """Has numbers that sliders in a window change."""

    def sliders(self) -> Sequence[Slider]:
        """Them, in the order to show; asked every now and then, as they may change."""

    def slide(self, name: str, value: float) -> None:
        """Set one."""


@runtime_checkable
class Choosing(Protocol):
    """What it provides may depend on the agent that its user chose."""

    def choose(self, agent: int) -> None:
        """This one was chosen, counted from 0; the last one, if there are fewer."""


@runtime_checkable
class Explained(Protocol):
    """Says what decides for its agents."""

    def explain(self) -> str:
        """That, in a few words for the panel: a policy, and where it is from."""


@runtime_checkable
class Accountable(Protocol):
    """Knows why its agents took their last steps."""

    def why(self, agent: int) -> Explanation | None:
        """Why this one took the step that led to where it is; None where no decision did, as where
        an episode begins, or where what decided is not known."""


@runtime_checkable
class Seekable(Protocol):
    """Its steps are rows, which can be shown in any order."""

    @property
    def contents(self) -> Contents:
        """Modes, episodes and marks along it."""

    @property
    def of_today(self) -> bool:
        """Whether it gives the newest surface, instead of that of the row shown; may be set."""

    @of_today.setter
    def of_today(self, of_today: bool) -> None: ...

    @property
    def rows(self) -> int:
        """How many there are by now."""

    @property
    def grows(self) -> bool:
        """Whether there may be more: it is being recorded, or its recorder was killed."""

    @property
    def at(self) -> int:
        """The row shown: that of the newest step, unless `show` named another since; -1 before the
        first."""

    def seek(self, row: int) -> None:
        """Make this row the next step."""

    def show(self, row: int) -> None:
        """The picture shows this row, which was a step before; the next step stays what it is."""

    def samples(self, row: int) -> Samples:
        """The agents in a row."""

    def beginnings(self) -> Sequence[int]:
        """Rows at which another surface begins."""

    def moment(self) -> str:
        """What time it is at the row shown, in words."""


@runtime_checkable
class Forkable(Protocol):
    """From the row shown, its agents can go on by other policies, as ghosts beside what happened:
    with the next call of `step`."""

    @property
    def ghost_modes(self) -> range:
        """Modes of its view that only ghosts have."""

    @property
    def ways(self) -> Sequence[Sequence[str]]:
        """What one may fork by: the policies of some ghosts, or none."""

    def fork(self, policies: Sequence[str], agents: Sequence[int] | None = None) -> None:
        """Ghosts of these agents, or of all, for each policy, in place of those before. Raises
        UserError if they cannot go on from there."""


@runtime_checkable
class Recordable(Protocol):
    """Knows more for a recording than for a picture."""

    def record(self) -> None:
        """From now on, give what it knows about agents in `Samples.columns`: `state`, `action`
        (which led there), `reward` (for it), `ended` (0 no, 1 terminated, 2 truncated), `value` (as
        in `Valued`), `q` (what the rule compared), `q_plus` (of the last certified triple),
        `margin` (by how much its inequalities hold)."""

    def about(self) -> dict[str, Any]:
        """What decided on all that, as JSON has it, for whoever re-checks it."""

    @property
    def trained(self) -> int | None:
        """Training steps behind the newest surface; None without a training."""

    def weights(self) -> NDArray[np.float32] | None:
        """All of the networks' behind the newest surface, (weights,); None if they are not its
        own."""


class _Empty(Protocol):
    """What every protocol has."""


_EMPTY, _MISSING = runtime_checkable(_Empty), object()


def capable(source: Any, protocol: Callable[..., T]) -> T | None:
    """The source, if it has the members of an optional protocol; else None.

    Unlike isinstance, which reads properties (in Python 3.11), it does not run the source's code.
    """
    for name in vars(protocol).keys() - vars(_EMPTY).keys():
        found = inspect.getattr_static(source, name, _MISSING)
        if found is _MISSING:  # perhaps by __getattr__
            try:
                found = getattr(source, name)
            except Exception:
                return None
        if found is None and callable(vars(protocol)[name]):  # a class does without its base's
            return None
    capable_source: T = source
    return capable_source
