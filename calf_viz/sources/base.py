"""What everything that can be shown has, and what only some of it has.

Whoever writes a source writes the four members of `Source`; what else one can do is asked by
isinstance, and keys, panels and settings that need it are there only where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.view import Certificate, View

if TYPE_CHECKING:
    from calf_viz.critic_networks import CriticNetworks


class Source(Protocol):
    """Gives samples of agents, and the surface that they move on."""

    @property
    def view(self) -> View:
        """What samples and surface mean. While the source is shown, its bounds alone may become
        others, with the next step or surface; then the surface is to be one of those too."""

    def step(self) -> Samples | None:
        """The next step, or None where there is nothing new this frame."""

    def surface(self) -> Heightfield | None:
        """The newest surface, once; None where it was given already, or there is none yet."""

    def close(self) -> None:
        """Nothing more will be asked."""


@runtime_checkable
class Resizable(Protocol):
    """Another number of agents can take part."""

    def __len__(self) -> int: ...

    def resize(self, n_agents: int) -> None:
        """Keep the first n agents; those that are new come with the next step."""


@runtime_checkable
class Pausable(Protocol):
    """Waits while it is not asked for steps."""

    def pause(self, paused: bool) -> None:
        """Told before each frame."""

    def single_step(self) -> None:
        """The step that is asked for next is a single one, of a source that is paused."""


@runtime_checkable
class Certified(Protocol):
    """Its agents' actions are certified by a critic."""

    def certificate(self, chosen: int) -> Certificate:
        """What the certificate would ask of that agent now; of the last one, if there are fewer."""


@runtime_checkable
class Valued(Protocol):
    """Knows what its agents' states are worth, beyond what the plane shows of them."""

    def mean_value(self) -> float:
        """Of all agents, in the unit of the surface."""


@runtime_checkable
class Evaluable(Protocol):
    """Its surface is that of networks which a GPU can evaluate."""

    def networks(self) -> CriticNetworks | None:
        """The newest, once, in place of `Source.surface`; None as there. Raises UserError for
        networks that are too wide."""


@runtime_checkable
class Noticing(Protocol):
    """Has something to say that one must not miss."""

    @property
    def notice(self) -> str | None: ...
