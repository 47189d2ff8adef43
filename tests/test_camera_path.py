"""A camera's path passes its poses, and its file says what is wrong with it."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from camera_poses import POSES

from calf_viz import UserError
from calf_viz.scene.camera import Pose
from calf_viz.scene.camera_path import CameraPath, read_poses


def test_a_path_passes_its_poses_and_stays_between_them() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.5, 2.0, 6))
    poses = [
        Pose((x, y, z), 10.0 + 5.0 * x, math.pi + y, 0.8 + 0.1 * z)
        for x, y, z in rng.uniform(-1.0, 1.0, (6, 3)).tolist()
    ]
    path = CameraPath(times.tolist(), poses)
    for at, pose in zip(times, poses, strict=True):
        found = path.pose(float(at))
        np.testing.assert_allclose([*found.target, *found[1:]], [*pose.target, *pose[1:]])
    for start, (one, other) in enumerate(pairwise(poses)):
        for at in np.linspace(times[start], times[start + 1], 40):
            found = path.pose(float(at))
            for value, a, b in zip(
                (*found.target, found.distance, found.elevation),
                (*one.target, one.distance, one.elevation),
                (*other.target, other.distance, other.elevation),
                strict=True,
            ):
                assert min(a, b) - 1e-9 <= value <= max(a, b) + 1e-9
    assert path.pose(-1.0) == path.pose(float(times[0]))
    assert path.pose(1e9) == path.pose(float(times[-1]))
    seen = np.array([path.pose(float(at)).distance for at in np.linspace(0, times[-1], 2000)])
    assert np.abs(np.diff(seen, 2)).max() < 0.01  # no corners


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no poses"),
        ("pose = 3", "it has no poses"),
        ("x = 1\n" + POSES, "unknown x"),
        ("[[pose]]\nat = 1", "pose 1: it has {'at': 1}"),
        ("[[pose]]\nat = -1\ncamera = 'top'", "pose 1: `at` -1"),
        ("[[pose]]\nat = nan\ncamera = 'top'", "pose 1: `at` nan"),
        ("[[pose]]\nat = true\ncamera = 'top'", "pose 1: `at` True"),
        (POSES + "[[pose]]\nat = 0.1\ncamera = 'top'", "pose 3: `at` 0.1 is not after 0.1"),
        ("[[pose]]\nat = 0\ncamera = 'nowhere'", "unknown `camera` 'nowhere'"),
        ("[[pose]]\nat = 0\ncamera = 3", "`camera` 3: give a text"),
        ("[[", "not TOML"),
    ],
)
def test_what_is_wrong_with_a_file_of_poses_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"bad\.toml") as caught:
        read_poses(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
