"""Frames of which the driver draws nothing, so that only the program's own part takes time.

Mesa draws nothing where GALLIUM_NOOP=1, which no other driver knows: what a frame takes there would
be taken for Python's. So the tool that measures it runs in a process of its own, looks whether
something was drawn, and has no figure then.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.children import script_child


class Drawn(Protocol):
    """What has a picture: a host, or an application."""

    def screenshot(self) -> NDArray[np.uint8]: ...


def draws_nothing(drawn: Drawn) -> bool:
    """Whether what was drawn left no trace in the picture."""
    return not drawn.screenshot().any()


def undrawn(script: str, *arguments: str) -> Any:
    """What a tool prints, as JSON in its last line, in a process in which Mesa draws nothing. None
    where it finds that the driver draws all the same, and prints null."""
    command, environment = script_child(script, *arguments)
    environment["GALLIUM_NOOP"] = "1"
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
