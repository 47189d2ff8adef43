"""A camera's way through poses at given times, and the file that holds them.

    [[pose]]
    at = 0.0                        # seconds of the video
    camera = "home"                 # as the setting `camera`

    [[pose]]
    at = 6.0
    camera = "-60,30,8,0.5,0.5"

Or in JSON: {"pose": [{"at": 0.0, "camera": "home"}, ...]}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import FileDamaged, UserError, quoted, shown
from calf_viz.files import parsing, read_text
from calf_viz.scene.camera import Pose
from calf_viz.scene.viewpoint import Viewpoint
from calf_viz.settings import LARGEST, parse_toml

SUFFIXES = (".toml", ".json")
LATEST = 1e6
"""Seconds: later ones are a mistake."""
ADVICE = "give a table [[pose]] of `at` and `camera` for each: docs/video.md"


class KeyPose(NamedTuple):
    """Where the camera is at a time."""

    at: float
    """Seconds from the beginning."""
    viewpoint: Viewpoint


def read_poses(path: Path) -> list[KeyPose]:
    """The poses in a file, in order, at least one.

    Raises:
        FileTrouble, FileDamaged: it cannot be read, or is no such file.
    """
    text = read_text(path, LARGEST)
    if path.suffix.lower() == ".json":
        with parsing(path, "JSON"):
            found = json.loads(text)
    else:
        found = parse_toml(path, text)

    def wrong(reason: str) -> FileDamaged:
        return FileDamaged(path, reason, ADVICE)

    poses = found.get("pose") if isinstance(found, dict) else None
    if not isinstance(poses, list) or not poses:
        raise wrong("it has no poses")
    if extra := found.keys() - {"pose"}:
        raise wrong(f"unknown {shown(min(extra))}")
    keys: list[KeyPose] = []
    for number, given in enumerate(poses, 1):
        try:
            key = _key(given)
        except UserError as error:
            raise wrong(f"pose {number}: {error}") from error
        if keys and key.at <= keys[-1].at:
            raise wrong(f"pose {number}: `at` {key.at:g} is not after {keys[-1].at:g}")
        keys.append(key)
    return keys


def _key(given: Any) -> KeyPose:
    if not isinstance(given, dict) or given.keys() != {"at", "camera"}:
        raise UserError(f"it has {quoted(given)}, not `at` and `camera`")
    at, camera = given["at"], given["camera"]
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0.0 <= at <= LATEST:
        raise UserError(f"`at` {quoted(at)}: give seconds, 0 or more")
    if not isinstance(camera, str):
        raise UserError(f"`camera` {quoted(camera)}: give a text")
    return KeyPose(float(at), Viewpoint.read(camera))


class CameraPath:
    """The smooth way through poses: it stands still at both ends, passes each at its time, and
    does not go beyond any on the way to another (a cubic with the slopes of Fritsch and Carlson).
    Azimuths change by the shorter way around.
    """

    def __init__(self, times: Sequence[float], poses: Sequence[Pose]) -> None:
        """times: in seconds, rising, as many as there are poses: at least one."""
        self._times = np.asarray(times, np.float64)
        rows = [
            (*pose.target, math.log(pose.distance), pose.azimuth, pose.elevation) for pose in poses
        ]
        self._values = np.array(rows, np.float64)
        self._values[:, 4] = np.unwrap(self._values[:, 4])
        self._slopes = _slopes(self._times, self._values)

    def pose(self, seconds: float) -> Pose:
        """The pose at a time; before the first and after the last, theirs."""
        times, values = self._times, self._values
        after = int(np.searchsorted(times, seconds, "right"))
        if after == 0 or after == len(times):
            x, y, z, distance, azimuth, elevation = values[min(after, len(times) - 1)].tolist()
        else:
            start, width = after - 1, times[after] - times[after - 1]
            t = (seconds - times[start]) / width
            come, go = t * t * (3.0 - 2.0 * t), t * (1.0 - t)
            found = (
                (1.0 - come) * values[start]
                + come * values[after]
                + width * go * ((1.0 - t) * self._slopes[start] - t * self._slopes[after])
            )
            x, y, z, distance, azimuth, elevation = found.tolist()
        return Pose((x, y, z), math.exp(distance), azimuth % (2.0 * math.pi), elevation)


def _slopes(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a monotone cubic through values (n, k) at times (n,), 0 at both ends and at extremes."""
    slopes = np.zeros_like(values)
    if len(times) > 2:
        widths = np.diff(times)[:, None]
        rises = np.diff(values, axis=0) / widths
        before, after = rises[:-1], rises[1:]
        near, far = 2.0 * widths[1:] + widths[:-1], widths[1:] + 2.0 * widths[:-1]
        same = before * after > 0.0
        safe_before, safe_after = np.where(same, before, 1.0), np.where(same, after, 1.0)
        mean = (near + far) / (near / safe_before + far / safe_after)
        slopes[1:-1] = np.where(same, mean, 0.0)
    return slopes
