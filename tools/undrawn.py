"""Frames that the driver does not draw, so that only the program's own part takes time.

Mesa draws nothing with GALLIUM_NOOP=1, but other drivers ignore that, and their time would be
mistaken for Python's. So the measurement runs in a separate process, checks whether something was
drawn, and has no result then.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.children import script_child


class Drawn(Protocol):
    """Something with a picture: a host, or an application."""

    def screenshot(self) -> NDArray[np.uint8]: ...


def draws_nothing(drawn: Drawn) -> bool:
    """Whether drawing left no trace in the picture."""
    return not drawn.screenshot().any()


def undrawn(script: str, *arguments: str) -> Any:
    """What a tool prints as JSON in its last line, in a process where Mesa draws nothing; None (it
    prints null) if the driver draws nevertheless."""
    command, environment = script_child(script, *arguments)
    environment["GALLIUM_NOOP"] = "1"
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
