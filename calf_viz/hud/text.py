"""Lines of text: measuring, shortening, wrapping, and their texels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud.atlas import Face

ELLIPSIS = "…"


def width(face: Face, text: str) -> int:
    """Distance from the first pen position to the last [px]."""
    return _line(face, text)[0]


def shortened(face: Face, text: str, room: int) -> str:
    """The text, or as much as fits `room` px with an ellipsis; empty if not even that fits."""
    if width(face, text) <= room:
        return text
    left = room - face.glyph(ELLIPSIS).advance
    if left < 0:
        return ""
    kept = 0
    for character in text:
        left -= face.glyph(character).advance
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def wrapped(face: Face, text: str, room: int) -> list[str]:
    """Lines of at most `room` px, broken between words; a longer word, such as a path, is broken
    wherever its line ends."""
    lines: list[str] = []
    space = width(face, " ")
    for paragraph in text.split("\n"):
        line, used = "", 0
        for word in paragraph.split():
            needed = width(face, word)
            if line and used + space + needed <= room:
                line, used = f"{line} {word}", used + space + needed
                continue
            if line:
                lines.append(line)
            at = 0  # of the word, what is on lines of its own
            while needed > room and (fit := _fitting(face, word, room, at)):
                lines.append(word[at : at + fit])
                needed -= width(face, lines[-1])
                at += fit
            line, used = word[at:], needed
        lines.append(shortened(face, line, room))
    return lines


def _fitting(face: Face, text: str, room: int, start: int = 0) -> int:
    """Number of characters from `start` that fit `room` px."""
    for at in range(start, len(text)):
        room -= face.glyph(text[at]).advance
        if room < 0:
            return at - start
    return len(text) - start


def texels(face: Face, text: str, x: int, baseline: int, colour: int) -> NDArray[np.float32]:
    """Glyphs of a line that starts at (x, baseline) px, one texel each, (len(text), 4)."""
    return _line(face, text)[1] + np.array((x, baseline, 0.0, colour), np.float32)


@lru_cache(maxsize=1024)
def _line(face: Face, text: str) -> tuple[int, NDArray[np.float32]]:
    """A line's width, and its texels at (0, 0) px in black. Cached, as axes that move mostly have
    the same texts as in the frame before."""
    x, rows = 0, []
    for glyph in map(face.glyph, text):
        rows.append((x + glyph.left, glyph.top, glyph.row, 0))
        x += glyph.advance
    return x, np.array(rows, np.float32).reshape(-1, 4)
