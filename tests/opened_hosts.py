"""Hosts of a scene, opened for a while, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from scene_folder import SceneFolder, gl_error

from calf_viz.hosts.base import Host

SMALL = SceneFolder("small", size=(160, 90), trail=60, steps=40)


@contextmanager
def opened(kind: str, scene: SceneFolder = SMALL, /, **changes: Any) -> Iterator[Host]:
    """A host whose context stays current, and which must leave no GL error."""
    host = scene.open(kind, **changes)
    with host.context if kind == "moderngl" else nullcontext():
        gl_error()
        yield host
        assert gl_error() == 0
    host.close()


def play(kind: str, scene: SceneFolder, **changes: Any) -> np.ndarray:
    with opened(kind, scene, **changes) as host:
        return scene.play(host)
