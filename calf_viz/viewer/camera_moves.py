"""How the camera of a video moves: it stands, orbits, follows an agent, or takes a path.

    home, top,distance=8 …         stands, as the setting `camera` says
    orbit, orbit:30                turns once in the video, or by 30 degrees a second
    follow:7                       keeps agent 7 in the middle
    FILE.toml, FILE.json           takes the path through the file's poses

Parts of a viewpoint may follow: orbit:-10,elevation=50 or follow:7,distance=6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calf_viz.errors import UserError, quoted, shown
from calf_viz.scene.camera import Point, Pose
from calf_viz.scene.camera_path import SUFFIXES, CameraPath, read_poses
from calf_viz.scene.glide import partway
from calf_viz.scene.viewpoint import PRESETS, Viewpoint

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication

FASTEST_TURN = 3600.0
"""Degrees per second."""
NEAR = 7.0
"""Distance from an agent that is followed, in units of which the plane is 10 wide."""
LAG = 0.25
"""Seconds by which the camera comes after an agent: it is calm, and a jump becomes a pan."""
OTHERS = (
    "give orbit, orbit:30 (degrees per second), follow:7 (an agent), a file "
    f"{' or '.join(SUFFIXES)} of poses, or {', '.join(PRESETS)} with numbers"
)

Move = Callable[[float], Pose]
"""The pose at seconds of the video, asked once for each frame, in order."""


@dataclass(frozen=True)
class CameraMove:
    """A camera as it was given.

    Attributes:
        setting: the setting `camera` from which it starts.
        make: makes the move of an application that shows its first frame, in a video of so many
            frames and so many of them a second; None if it stands.
        inputs: files that were read.
        agent: the one that it follows; None if none.
    """

    setting: str = "home"
    make: Callable[[CALFApplication, int, float], Move] | None = None
    inputs: tuple[Path, ...] = ()
    agent: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of an application that it moves in; the agent that is followed is marked."""
        marked = {} if self.agent is None else {"chosen": self.agent}
        return {"camera": self.setting, **marked}


def read_camera(text: str) -> CameraMove:
    """What a text says. Raises UserError, FileTrouble, FileDamaged."""
    head, _, rest = (part.strip() for part in text.partition(","))
    name, colon, number = (part.strip() for part in head.partition(":"))
    if Path(text).suffix.lower() in SUFFIXES:
        return _path(Path(text))
    if name == "orbit":
        turn = _number(text, number, FASTEST_TURN) if colon else None
        return CameraMove(_viewpoint("plane", rest), lambda *video: _orbit(turn, *video))
    if name == "follow":
        agent = _number(text, number, 1e9)
        if agent < 0 or agent != int(agent):
            raise UserError(f"`camera` {quoted(text)}: give the number of an agent: follow:7")
        start = _viewpoint("home", rest)
        return CameraMove(
            start, lambda *video: _follow(int(agent), start, *video), agent=int(agent)
        )
    if name.isalpha() and name.lower() not in PRESETS:
        raise UserError(f"unknown `camera` '{shown(text)}': {OTHERS}")
    Viewpoint.read(text)
    return CameraMove(text)


def _viewpoint(name: str, rest: str) -> str:
    text = f"{name},{rest}" if rest else name
    Viewpoint.read(text)
    return text


def _number(text: str, number: str, most: float) -> float:
    try:
        found = float(number)
    except ValueError:
        found = math.nan
    if not -most <= found <= most:
        raise UserError(f"`camera` {quoted(text)}: {quoted(number)} is no such number: {OTHERS}")
    return found


def _orbit(turn: float | None, app: CALFApplication, frames: int, fps: float) -> Move:
    start = app.host.scene.camera.pose
    speed = 2.0 * math.pi * fps / frames if turn is None else math.radians(turn)
    return lambda seconds: start._replace(
        azimuth=(start.azimuth + speed * seconds) % (2.0 * math.pi)
    )


def _follow(agent: int, viewpoint: str, app: CALFApplication, frames: int, fps: float) -> Move:
    scene, start = app.host.scene, app.host.scene.camera.pose
    if Viewpoint.read(viewpoint).distance is None:
        start = start._replace(distance=NEAR * scene.camera.size)
    part = 1.0 - math.exp(-1.0 / (LAG * fps))
    target: Point | None = None

    def pose(seconds: float) -> Pose:
        nonlocal target
        there = _place(app, agent)
        target = there if target is None else partway(target, there, part)
        return start._replace(target=target)

    return pose


def _place(app: CALFApplication, agent: int) -> Point:
    """Where an agent is in the scene, or at the edge of the plane that it left. Raises UserError if
    there is none of that number."""
    samples, view, host = app.playhead.samples(), app.feed.view, app.host
    if samples is None or agent >= len(samples):
        there = 0 if samples is None else len(samples)
        raise UserError(f"`camera` follow:{agent}: there are {there} agents, from 0 on")
    place = host.place(samples.positions[agent])
    if place is None:
        return host.scene.camera.target
    lo, hi = host.scene.frame.places(np.array([view.lo, view.hi])).tolist()
    x, y = (min(max(at, low), high) for at, low, high in zip(place[:2], lo, hi, strict=True))
    return x, y, place[2]


def _path(file: Path) -> CameraMove:
    keys = read_poses(file)

    def make(app: CALFApplication, frames: int, fps: float) -> Move:
        poses = []
        for key in keys:
            app.director.look(key.viewpoint)
            poses.append(app.host.scene.camera.pose)
        return CameraPath([key.at for key in keys], poses).pose

    return CameraMove(str(keys[0].viewpoint), make, (file,))
