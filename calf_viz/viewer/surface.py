"""Puts a source's surface onto a host, either as heights or as networks that the GPU evaluates, and
morphs from one to the next."""

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
        morph_frames: most frames over which the surface morphs to a new one.
    """

    def __init__(self, host: Host, grid: Grid, on_gpu: bool, morph_frames: int) -> None:
        """grid: nodes at which the GPU evaluates networks, if `on_gpu`."""
        self.host, self.grid, self.on_gpu = host, grid, on_gpu
        self.morph_frames = morph_frames
        self._waiting: CriticNetworks | None = None  # newer than those being evaluated
        self._known = False
        self._refused: View | None = None  # bounds that this machine cannot show
        # If frames are slow, the next surface arrives before that many: each morph then takes as
        # many frames as the previous one had, so that it completes.
        self._frames = self._steps = morph_frames

    @property
    def evaluating(self) -> bool:
        """Whether the GPU still has to evaluate the newest networks."""
        return self._waiting is not None or self.host.evaluating

    def show(self, feed: Feed, restart: bool = False) -> None:
        """Show the newest surface completely and at once; a flat one if there is none yet.

        restart: discard what was shown before, so that no morph starts from it.

        Raises:
            UserError: the GPU should evaluate networks, and the source has none.
        """
        with self.host.profiler.section("heatmap"):
            if self.on_gpu:
                self._waiting = feed.networks()
                self.follow(feed)
                found = self._waiting is not None
                while self.evaluating:
                    self._evaluate(restart)
            elif found := (heights := feed.surface()) is not None:
                self.follow(feed)
                self.host.set_heightfield(
                    heights, restart=restart or (self._known and self._elsewhere)
                )
            if not found and (restart or not self._known):
                self.host.set_heightfield(_flat(feed.view), restart=True)
        self._known = found or (self._known and not restart)

    def follow(self, feed: Feed) -> bool:
        """Move the scene to the source's current bounds, if they changed; returns whether it is
        there, which it is not if this machine cannot do it: the source has failed then."""
        view = feed.view
        if (self.grid.lo, self.grid.hi) == (view.lo, view.hi):
            return True
        if view is self._refused:
            return False
        with feed.blamed("view"):
            self._refused = view
            self.host.reframe(Frame.of(view))
            self.grid = replace(self.grid, lo=view.lo, hi=view.hi)
            if not self._known:
                self.host.set_heightfield(_flat(view), restart=True)
            self._refused = None
            return True
        return False

    @property
    def _elsewhere(self) -> bool:
        """Whether the surface drawn has other bounds, until one with the new ones arrives."""
        drawn = self.host.grid
        return (drawn.lo, drawn.hi) != (self.grid.lo, self.grid.hi)

    def frame(self, feed: Feed) -> None:
        """Called before each frame: take what is newest, and advance the morph."""
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
        if begun or host.morph < 1.0:  # a morph takes its first step in the frame that begins it
            host.morph = min(1.0, host.morph + 1.0 / self._steps)

    def _take(self, feed: Feed) -> tuple[bool, bool]:
        """Take the newest surface; returns whether it is shown from now on, and whether at once, as
        there is none to morph from."""
        host = self.host
        if self.on_gpu:
            self._waiting = feed.networks() or self._waiting
            heights = None
        else:
            heights = feed.surface()
        if not self.follow(feed):
            return False, False
        fresh = not self._known or self._elsewhere
        if self.on_gpu and self.evaluating:
            with host.profiler.section("heatmap"), feed.blamed("networks"):
                return self._evaluate(restart=fresh), fresh
            return False, fresh
        if heights is None:
            return False, fresh
        with host.profiler.section("heatmap"), feed.blamed("surface"):
            host.set_heightfield(heights, morph=0.0, restart=fresh)
            return True, fresh
        return False, fresh

    def _evaluate(self, restart: bool = False) -> bool:
        """Evaluate a frame's share of the newest networks; returns whether it is complete, and
        their surface shown from now on.

        An evaluation in progress is completed before the next one begins.
        """
        host = self.host
        if self._waiting is not None and not host.evaluating:
            networks, self._waiting = self._waiting, None
            host.evaluate_critic(networks, self.grid)
        return host.evaluating and host.continue_critic(restart=restart)


def _flat(view: View) -> Heightfield:
    return Heightfield(np.zeros((2, 2), np.float32), view.lo, view.hi)
