"""Puts a source's surface onto a host, either as heights or as networks that the GPU evaluates, and
morphs from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calf_viz.heightfield import Grid, Heightfield
from calf_viz.hosts.base import Host
from calf_viz.samples import Samples
from calf_viz.scene.frame import Frame
from calf_viz.value_limits import Clim, Scaling
from calf_viz.view import View
from calf_viz.viewer.agent_values import AgentValues
from calf_viz.viewer.director import Director
from calf_viz.viewer.feed import Feed

if TYPE_CHECKING:
    from calf_viz.critic_networks import CriticNetworks


LOOK_EVERY = 30
"""Steps between comparisons of the scale with where agents are."""
UNSEEN = 4
"""If no frame was drawn for so many of these, a new scale is shown at once."""
RESCALE_FRAMES = 30
"""Frames of the morph to a scale that follows agents."""


class ShownSurface:
    """Keeps a host's surface up to date with a source.

    Attributes:
        morph_frames: most frames over which the surface morphs to a new one.
        of_then: returns the surface to show, if it is another one, given the newest, if that is
            new, and whether all before it are forgotten.
    """

    def __init__(
        self, host: Host, grid: Grid, on_gpu: bool, morph_frames: int, director: Director
    ) -> None:
        """grid: nodes at which the GPU evaluates networks, if `on_gpu`. director: points the camera
        at a new surface."""
        self.host, self.grid, self.on_gpu, self.director = host, grid, on_gpu, director
        self.morph_frames = morph_frames
        self.of_then: Callable[[Heightfield | None, bool], Heightfield | None] = _newest
        self._agents = AgentValues(host.scene.trail)
        self._looked = 0  # steps seen when the agents' values were last compared with the scale
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
            elif found := (heights := self.of_then(feed.surface(), restart)) is not None:
                self.follow(feed)
                self.host.set_heightfield(
                    heights, restart=restart or (self._known and self._elsewhere)
                )
            if not found and (restart or not self._known):
                self.host.set_heightfield(_flat(feed.view), restart=True)
        self._known = found or (self._known and not restart)

    def scale(self, value_scale: str, clim: Clim) -> None:
        """Set the scale of values and its limits: at once, if they changed."""
        host = self.host
        if (host.scaling.value_scale, host.scaling.clim) != (value_scale, clim):
            host.scaling = Scaling(value_scale, clim, self._agents.limits)
            if "heightfield" in vars(host):
                host.rescale()
                self.director.surface_rescaled()

    def see(self, samples: Sequence[Samples], feed: Feed) -> None:
        """Steps that were taken, for the limits that follow agents."""
        self._agents.see(samples, feed.view)

    def restart(self) -> None:
        """The source starts over."""
        self._agents.restart()
        self._looked = 0
        if self.host.scaling.clim == "agents":
            self.host.rescale()

    def _follow_agents(self) -> bool:
        """Bring the scale to where agents are, if it should be; returns whether a morph to it
        began."""
        host, steps, looked = self.host, self._agents.steps, self._looked
        if host.scaling.clim != "agents" or steps - looked < LOOK_EVERY * (looked > 0):
            return False
        if not steps or host.morph < 1.0 or host.evaluating:
            return False
        self._looked = steps
        limits = self._agents.limits(host.heightfield)
        if limits is None or limits == host.value_range:
            return False
        unseen = looked == 0 or steps - looked > UNSEEN * LOOK_EVERY
        return host.rescale(morph=1.0 if unseen else 0.0) and not unseen

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
            self.director.surface_changed(view, keep=True)
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
                self.director.surface_changed(feed.view, keep=self._known)
            self._known, host.morph = True, 1.0
            return
        if begun:
            self._steps, self._frames = min(self.morph_frames, self._frames), 0
        elif self._follow_agents():
            begun, self._steps = True, RESCALE_FRAMES
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
            heights = self.of_then(feed.surface(), False)
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


def _newest(field: Heightfield | None, restart: bool) -> Heightfield | None:
    return field


def _flat(view: View) -> Heightfield:
    return Heightfield(np.zeros((2, 2), np.float32), view.lo, view.hi)
