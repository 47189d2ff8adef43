"""What a host keeps samples in."""

from __future__ import annotations

from typing import Protocol

from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Packed, RingLayout


class Ring(Protocol):
    """A host's storage of the samples that it draws."""

    def append(self, packed: Packed) -> None:
        """Add the samples of one or more steps. Their texels are overwritten by the next ones:
        upload or copy them."""

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        """Change to a layout with more agents, keeping the samples."""

    def move(self, by: Move) -> None:
        """Move all samples to another place in the scene."""
