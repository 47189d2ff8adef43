"""Lines of text: measuring, shortening, wrapping, and their texels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud.atlas import Face

ELLIPSIS = "…"


def width(face: Face, text: str) -> int:
    """Distance from the first pen position to the last [px]."""
    return sum(face.glyph(character).advance for character in text)


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
    drawn = np.empty((len(text), 4), np.float32)
    for texel, character in zip(drawn, text, strict=True):
        glyph = face.glyph(character)
        texel[:] = x + glyph.left, baseline + glyph.top, glyph.row, colour
        x += glyph.advance
    return drawn
