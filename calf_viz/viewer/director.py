"""Points an application's camera at its agents, until the user takes over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calf_viz.errors import UserError, shown
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.composition import Composition
from calf_viz.scene.glide import FRAMES, Glide
from calf_viz.scene.placement import Picture, Rectangle
from calf_viz.scene.viewpoint import Viewpoint
from calf_viz.scene.whereabouts import Points, Region, Whereabouts

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.hud.layout import Rect
    from calf_viz.samples import Samples
    from calf_viz.view import View
    from calf_viz.viewer.feed import Feed

FORESEEN = 300
"""Steps that are foreseen."""
LEAST_AT_HOME = 0.3
"""Least fraction of the plane that the initial view shows."""
NEARLY = 0.2
"""Distance from an edge of the plane, as a fraction of it, within which the initial view shows the
edge, with its ticks."""
DIGITS = 6
"""Digits that are read back from the camera: more than a picture shows."""


class Director:
    """Gives the camera its poses: at start, on a key, and while agents leave the picture.

    It follows agents only outwards, so that the picture is calm, but those of a live source inwards
    as well, rarely; and only while the camera is where it put it.

    Attributes:
        view: of the source shown.
        viewpoint: what the camera was last pointed at.
    """

    def __init__(self, host: Host, view: View, viewpoint: Viewpoint) -> None:
        self.host, self.view, self.viewpoint = host, view, viewpoint
        self.camera: OrbitCamera = host.scene.camera
        self._glide = Glide(self.camera, FRAMES if host.has_window else 0)
        self._size = host.scene.size
        self._panels: tuple[Rect, ...] | None = None
        self._picture = Picture(self._size[0] / self._size[1])
        self._forget()

    def _forget(self) -> None:
        self._whereabouts = Whereabouts(self.host.scene.trail)
        self._looks = 0
        self._framed: Region | None = None

    def meet(self, feed: Feed) -> None:
        """Look at another source's agents from now on."""
        self.view = feed.view
        self._forget()
        if self.viewpoint.follows:
            foreseen = feed.foreseen(FORESEEN)
            if foreseen is not None:
                self._whereabouts.foresee(foreseen, self.view, FORESEEN)

    def see(self, samples: Sequence[Samples]) -> None:
        """Take note of a frame's steps."""
        for one in samples:
            self._whereabouts.see(one.positions, self.view)

    @property
    def in_charge(self) -> bool:
        """Whether the camera is where this put it."""
        return self._glide.undisturbed

    def surface_changed(self, view: View, keep: bool = False) -> None:
        """There is the first surface, or the plane has other bounds.

        keep: leave the camera where the user moved it.
        """
        self.view = view
        in_charge, pose = self.in_charge, self.camera.pose
        self.host.frame_surface()
        if keep and not in_charge:
            self.camera.pose = pose
        else:
            self.look(on_plane(self.viewpoint, view))

    def surface_rescaled(self) -> None:
        """The surface has another scale of values, and so another shape: what was in the picture
        still is, unless the user moved the camera."""
        in_charge, pose = self.in_charge, self.camera.pose
        self.host.frame_surface()
        self.camera.pose = pose
        if in_charge:
            self._point(self.viewpoint, self._framed, at_once=not self.host.drawn)

    def frame(self) -> None:
        """Called before each frame, when texts and size of its HUD are known."""
        self._look_around()
        if self._looks != self._whereabouts.looks:
            self._looks = self._whereabouts.looks
            self._follow()
        self._glide.step()

    def _look_around(self) -> None:
        """Move what is seen to where the panels are not, if these or the picture's size changed,
        unless the user moved the camera."""
        size, panels = self.host.scene.size, self.host.panels()
        if size == self._size and panels is self._panels:  # the same object until a new layout
            return
        picture = Picture(size[0] / size[1], tuple(_covered(panel, size) for panel in panels))
        at_once, before = size != self._size or not self.host.drawn, self._picture
        # Who hides the panels wants to see the same picture without them.
        toggled = not at_once and bool(picture.covered) != bool(before.covered)
        self._picture, self._size, self._panels = picture, size, panels
        if picture != before and self.in_charge and not toggled:
            self._point(self.viewpoint, self._framed, at_once)

    def _follow(self) -> None:
        if self.viewpoint.follows and self.in_charge:
            lately = self._whereabouts.lately()
            if lately is not None and self._is_lost_in_the_picture(lately):
                self._whereabouts.ever = lately
                self.look(self.viewpoint, at_once=not self.host.drawn)
                return
            region, framed = self._region(self.viewpoint), self._framed
            if region is None or (framed is not None and framed.holds(region)):
                return
            if framed is not None and self._shows(region):
                self._framed = framed.joined(region)
                return
            shown = self._widened(region) if framed is None else region.ahead(framed, self.view)
            self._point(self.viewpoint, shown, at_once=not self.host.drawn)

    def _widened(self, region: Region) -> Region:
        """With a margin, and, at home, so much around it that the surface's shape is seen."""
        if self.viewpoint.preset.subject != "home":
            return region.with_margin(self.view)
        return region.with_margin(self.view, LEAST_AT_HOME).to_edges(self.view, NEARLY)

    def _is_lost_in_the_picture(self, lately: Region) -> bool:
        """Whether a live source's agents, whose ways change as they learn, have long been in a
        small part of what is shown."""
        framed = self._framed
        return (
            self.view.live
            and framed is not None
            and framed.dwarfs(self._widened(self._aim(lately)))
        )

    def _shows(self, region: Region) -> bool:
        """Whether agents in a region are in the picture, once the camera is there."""
        here = self._whereabouts.here
        inside = ((here >= region.lo) & (here <= region.hi)).all(axis=1)
        return self._composition.shows(self._glide.end, here[inside])

    @property
    def _composition(self) -> Composition:
        scene = self.host.scene
        return Composition(self.camera, self.host.ground, scene.frame, self._picture)

    def look(self, viewpoint: Viewpoint, at_once: bool = True) -> None:
        """Point the camera. Raises UserError for a target outside the plane."""
        check_target(viewpoint, self.view)
        self.viewpoint, region = viewpoint, self._region(viewpoint)
        self._point(viewpoint, None if region is None else self._widened(region), at_once)

    def _point(self, viewpoint: Viewpoint, framed: Region | None, at_once: bool) -> None:
        self.viewpoint, self._framed = viewpoint, framed
        pose = self._composition.pose(viewpoint, framed, self._sights())
        self._glide.to(pose, at_once)

    def look_at_agents(self) -> None:
        """Have agents in the picture as large as possible, from the side that is seen now."""
        camera = self.camera
        angles = math.degrees(camera.azimuth), math.degrees(camera.elevation)
        self.look(Viewpoint("agents", *angles), at_once=False)

    def look_at_plane(self) -> None:
        """Have all of the plane in the picture, from the usual side, at once."""
        self.look(Viewpoint("plane"))

    def look_from_above(self) -> None:
        """Have all of the plane in the picture, from straight above, at once."""
        self.look(Viewpoint("top"))

    def _sights(self) -> list[Points]:
        """What no wall should hide: where agents are and will be, and the goal if it is there."""
        sights, goal, framed = [self._whereabouts.paths], self.view.goal_ellipse, self._framed
        if goal is not None and framed is not None:
            x, y, width, height = goal
            if framed.holds(Region((x, y), (x, y))):
                rim = [(x + width, y), (x - width, y), (x, y + height), (x, y - height)]
                sights.append(np.array([(x, y), *rim]))
        return sights

    def _region(self, viewpoint: Viewpoint) -> Region | None:
        """The part of the plane that a viewpoint shows; None: all of it."""
        if viewpoint.preset.subject == "plane":
            return None
        home = viewpoint.preset.subject == "home"
        region = self._whereabouts.ever if home else self._whereabouts.now
        return None if region is None else self._aim(region) if home else region.within(self.view)

    def _aim(self, region: Region) -> Region:
        """Where agents are and the goal to which they go, as far as these are on the plane."""
        if (goal := self.view.goal_ellipse) is not None:
            x, y, width, height = goal
            region = region.joined(Region((x - width, y - height), (x + width, y + height)))
        return region.within(self.view)

    @property
    def text(self) -> str:
        """The camera as it is now, as `Viewpoint.read` accepts it."""
        (x, y, z), distance, azimuth, elevation = self.camera.pose
        frame, view = self.host.scene.frame, self.view
        place = (x / frame.scale[0] + frame.centre[0], y / frame.scale[1] + frame.centre[1])
        x, y = (
            min(max(_rounded(at, hi - lo), lo), hi)
            for at, lo, hi in zip(place, view.lo, view.hi, strict=True)
        )
        return str(
            Viewpoint(
                "home",
                round(math.degrees(math.remainder(azimuth, 2 * math.pi)), 4),
                round(math.degrees(elevation), 4),
                _rounded(distance, distance),
                x,
                y,
                round(z, 4),
            )
        )


def _covered(panel: Rect, size: tuple[int, int]) -> Rectangle:
    """A panel's part of the picture, with y upwards."""
    width, height = size
    return (
        2.0 * panel.x / width - 1.0,
        1.0 - 2.0 * panel.bottom / height,
        2.0 * panel.right / width - 1.0,
        1.0 - 2.0 * panel.y / height,
    )


def check_target(viewpoint: Viewpoint, view: View) -> None:
    """Raises UserError for a target that is not on the plane."""
    for name, at, lo, hi in zip("xy", (viewpoint.x, viewpoint.y), view.lo, view.hi, strict=True):
        if at is not None and not lo <= at <= hi:
            raise UserError(
                f"`camera`: {name} {shown(at)} is outside of the plane of {shown(view.title)}: "
                f"give {lo!r} to {hi!r}"
            )


def on_plane(viewpoint: Viewpoint, view: View) -> Viewpoint:
    """With the nearest target that is on the plane."""
    pairs = zip((viewpoint.x, viewpoint.y), view.lo, view.hi, strict=True)
    x, y = (None if at is None else min(max(at, lo), hi) for at, lo, hi in pairs)
    return replace(viewpoint, x=x, y=y)


def _rounded(value: float, size: float) -> float:
    """Rounded to some digits relative to a size."""
    return round(value, DIGITS - math.floor(math.log10(size)))
