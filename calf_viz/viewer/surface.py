"""A source's surface onto a host, the one way or the other: as heights, or as networks that the
GPU evaluates; and the morph from each to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calf_viz.heightfield import Grid, Heightfield
from calf_viz.hosts.base import Host
from calf_viz.scene.frame import Frame
from calf_viz.view import View
from calf_viz.viewer.feed import Feed

if TYPE_CHECKING:
    from calf_viz.critic_networks import CriticNetworks


class ShownSurface:
    """Keeps a host's surface up to date with a source.

    Attributes:
        morph_frames: frames over which the surface changes to a new one, or fewer.
    """

    def __init__(self, host: Host, grid: Grid, on_gpu: bool, morph_frames: int) -> None:
        """grid: on which the GPU evaluates networks, if it is to."""
        self.host, self.grid, self.on_gpu = host, grid, on_gpu
        self.morph_frames = morph_frames
        self._waiting: CriticNetworks | None = None  # newer than those being evaluated
        self._known = False
        # Where frames are slow the next surface comes before so many: each morph then has as many
        # as there were for the one before, so that it ends.
        self._frames = self._steps = morph_frames

    @property
    def evaluating(self) -> bool:
        """Whether the GPU has still to evaluate the newest networks."""
        return self._waiting is not None or self.host.evaluating

    def show(self, feed: Feed, restart: bool = False) -> None:
        """The newest surface, whole and at once; a flat one until there is any.

        restart: nothing of what was shown before is left for a morph to begin from.

        Raises:
            UserError: the GPU is to evaluate networks, and the source has none.
        """
        with self.host.profiler.section("heatmap"):
            if self.on_gpu:
                self._waiting = feed.networks()
                self.follow(feed.view)
                found = self._waiting is not None
                while self.evaluating:
                    self._evaluate(restart)
            elif found := (heights := feed.surface()) is not None:
                self.follow(feed.view)
                self.host.set_heightfield(
                    heights, restart=restart or (self._known and self._elsewhere)
                )
            if not found and (restart or not self._known):
                self.host.set_heightfield(_flat(feed.view), restart=True)
        self._known = found or (self._known and not restart)

    def follow(self, view: View) -> None:
        """Have the scene be where a source's bounds are now, should they have changed."""
        if (self.grid.lo, self.grid.hi) == (view.lo, view.hi):
            return
        self.grid = replace(self.grid, lo=view.lo, hi=view.hi)
        self.host.reframe(Frame.of(view))
        if not self._known:
            self.host.set_heightfield(_flat(view), restart=True)

    @property
    def _elsewhere(self) -> bool:
        """Whether what is drawn is of other bounds, until a surface of these comes."""
        drawn = self.host.grid
        return (drawn.lo, drawn.hi) != (self.grid.lo, self.grid.hi)

    def frame(self, feed: Feed) -> None:
        """Before each frame: what is newest, and on with the morph."""
        host = self.host
        begun, fresh = self._take(feed)
        self._frames += 1
        if begun and fresh:
            if not self._elsewhere:
                host.frame_surface(keep=self._known)
            self._known, host.morph = True, 1.0
            return
        if begun:
            self._steps, self._frames = min(self.morph_frames, self._frames), 0
        if begun or host.morph < 1.0:  # a morph's first step is in the frame that begins it
            host.morph = min(1.0, host.morph + 1.0 / self._steps)

    def _take(self, feed: Feed) -> tuple[bool, bool]:
        """Whether another surface is shown from now on, and whether at once, as there is none that
        it could come from by a morph."""
        host, section = self.host, self.host.profiler.section("heatmap")
        if self.on_gpu:
            self._waiting = feed.networks() or self._waiting
            heights = None
        else:
            heights = feed.surface()
        self.follow(feed.view)
        fresh = not self._known or self._elsewhere
        if self.on_gpu and self.evaluating:
            with section:
                return self._evaluate(restart=fresh), fresh
        if heights is None:
            return False, fresh
        with section, feed.blamed("surface"):
            host.set_heightfield(heights, morph=0.0, restart=fresh)
            return True, fresh
        return False, fresh

    def _evaluate(self, restart: bool = False) -> bool:
        """A frame's share of the newest networks; whether their surface is shown from now on.

        One that was begun is shown before the next is.
        """
        host = self.host
        if self._waiting is not None and not host.evaluating:
            networks, self._waiting = self._waiting, None
            host.evaluate_critic(networks, self.grid)
        return host.evaluating and host.continue_critic(restart=restart)


def _flat(view: View) -> Heightfield:
    return Heightfield(np.zeros((2, 2), np.float32), view.lo, view.hi)
