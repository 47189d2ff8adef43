"""Which agent is at a pixel: the scene drawn again, as numbers of agents in place of colours.

    ask(x, y) ──▶ next frame: the same strip, seen through a window of SIDE x SIDE px ──▶ texture
    answers   ◀── nearest number to the middle ◀── bytes, once the GPU has written them ◀──┘

What hides an agent in the picture hides it here, as the same shaders draw both, with the same
depths. Nothing waits: the bytes of one frame are read in a later one.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl import variants
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import Programs, ProgramSource

log = logging.getLogger("calf_viz")

SIDE = 9
"""Width and height of the window around the pixel, odd [px]."""
HOVER_EVERY = 8
"""Frames between two pickings under a mouse that moves, where the CPU draws: they cost part of a
frame there. A click is never made to wait."""


class Asked(NamedTuple):
    """A pixel of the picture, from its top left corner."""

    x: float
    y: float
    click: bool = False


class Pick(NamedTuple):
    """What is there: the number of an agent, or None. Asked is None when the mouse left."""

    asked: Asked | None
    agent: int | None


class PickDraws(Protocol):
    """Provided by a host: the numbers of agents in a window of the picture.

    Attributes:
        draws: number of draws that it takes.
    """

    @property
    def draws(self) -> int: ...

    def begin(self, seen: NDArray[np.float32]) -> None:
        """Have the next frame draw the numbers as well. seen: the matrix in place of
        `u_view_projection`, (4, 4); `u_viewport` is (SIDE, SIDE)."""

    def end(self) -> None:
        """After that frame: start reading them."""

    def now(self, seen: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Draw them now, of the frame drawn last, and wait for them: as `read`."""

    def read(self) -> NDArray[np.uint8] | None:
        """Texels (SIDE, SIDE, 4), RGBA, the picture's lowest row first; None while they are not
        there. Does not wait."""


class Picks:
    """Pixels that were asked for, and what was found there."""

    def __init__(self, hover_every: int = 1) -> None:
        """hover_every: frames between pickings that are no clicks."""
        self._every, self._since = hover_every, hover_every
        self._clicks: list[Asked] = []
        self._hovered: Asked | None = None
        self._drawing: Asked | None = None  # in the frame that is drawn now
        self._reading: Asked | None = None
        self._left = False  # the mouse, since it asked for that
        self._found: list[Pick] = []

    def ask(self, asked: Asked) -> None:
        """Ask for a pixel; of those that are no clicks only the newest is answered."""
        if asked.click:
            self._clicks.append(asked)
        else:
            self._hovered = asked

    @property
    def hovering(self) -> bool:
        """Whether a pixel that is no click was asked for, and is not answered yet."""
        asked = (self._hovered, self._drawing, self._reading)
        return any(one is not None and not one.click for one in asked)

    def leave(self) -> None:
        """The mouse is elsewhere: pixels asked for that were no clicks are not answered."""
        self._hovered = None
        if self._drawing is not None and not self._drawing.click:
            self._drawing = None
        self._left = self._reading is not None and not self._reading.click
        self._found.append(Pick(None, None))

    def next(self) -> Asked | None:
        """Called once per frame: the pixel for which this frame draws numbers, if any."""
        self._since += 1
        if self._reading is not None or self._drawing is not None:  # one at a time
            return None
        if self._clicks:
            self._drawing = self._clicks.pop(0)
        elif self._hovered is not None and self._since >= self._every:
            self._drawing, self._hovered = self._hovered, None
            self._since = 0
        return self._drawing

    def drawn(self) -> None:
        """The frame is drawn."""
        if self._drawing is not None:
            self._reading, self._drawing = self._drawing, None

    @property
    def reading(self) -> bool:
        """Whether numbers were drawn, and are not read yet."""
        return self._reading is not None

    def found(self, texels: NDArray[np.uint8]) -> None:
        """These are the numbers that were being read."""
        assert self._reading is not None
        if not self._left:
            self._found.append(Pick(self._reading, nearest(texels)))
        self._reading, self._left = None, False

    def take(self) -> list[Pick]:
        """What was found since the last call, in order."""
        found, self._found = self._found, []
        return found


def window(
    seen: NDArray[np.floating], size: tuple[int, int], x: float, y: float
) -> NDArray[np.float32]:
    """A view-projection matrix (4, 4) of a picture, narrowed to the SIDE x SIDE pixels whose middle
    one holds (x, y)."""
    width, height = size
    middle = np.floor(x) + 0.5, height - np.floor(y) - 0.5
    narrowed = np.eye(4)
    for axis, (side, at) in enumerate(zip((width, height), middle, strict=True)):
        narrowed[axis, axis] = side / SIDE
        narrowed[axis, 3] = (side - 2.0 * at) / SIDE
    found: NDArray[np.float32] = (narrowed @ np.asarray(seen, np.float64)).astype(np.float32)
    return found


_ACROSS = np.arange(SIDE) - SIDE // 2
_ORDER = np.argsort((_ACROSS**2 + _ACROSS[:, None] ** 2).ravel(), kind="stable")
"""Texels from the middle outwards."""


def nearest(texels: NDArray[np.uint8]) -> int | None:
    """The agent whose number is nearest to the middle; None if there is none."""
    numbers = np.ascontiguousarray(texels).view("<u4").ravel()[_ORDER]
    there = numbers[numbers != 0]
    return int(there[0]) - 1 if len(there) else None


def of_numbers(program: ProgramSource) -> ProgramSource | None:
    """A program that draws numbers of agents where this one draws colours; None for one of the
    user's own that does not know how."""
    vertex, fragment = (
        variants.picking(program.vertex.text),
        variants.picking(program.fragment.text),
    )
    if vertex is None or fragment is None:
        return None
    return replace(
        program,
        vertex=replace(program.vertex, text=vertex),
        fragment=replace(program.fragment, text=fragment),
    )


class PickPrograms:
    """The programs of numbers that belong to a host's programs, compiled when they are needed."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._known: dict[str, tuple[ProgramSource, Any]] = {}

    def __getitem__(self, name: str) -> Any:
        """That of a program; None if it cannot draw numbers."""
        source = self._programs.sources[name]
        known = self._known.get(name)
        if known is None or known[0] is not source:
            known = self._known[name] = source, self._compiled(source)
        return known[1]

    def _compiled(self, source: ProgramSource) -> Any:
        numbers = of_numbers(source)
        if numbers is None:
            log.warning(
                "%s is your own, and draws no numbers: agents cannot be picked", source.name
            )
            return None
        try:
            return self._programs.compiler(numbers)
        except ShaderError as error:  # a driver that takes the colours refuses the numbers
            log.warning("agents cannot be picked: %s", error)
            return None
