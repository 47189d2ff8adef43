"""One font atlas: every glyph of every style, rasterised at its exact size in pixels.

    image                     one row of the table per glyph
    +------------------+
    | A B C D E ...    |      x, y, width, height in the image
    | a b c ...        |
    +------------------+

Each style has the same characters; glyph 0 is empty. Whatever the font lacks is drawn as a box.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from calf_viz.errors import UserError

FONT = "OpenSans-Regular.ttf"
"""Apache License 2.0; comes with Ursina. Its digits are tabular."""
CHARACTERS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "".join(map(chr, range(0xA1, 0x100)))
    + "αβγδεζηθικλμνξοπρστυφχψωΔΣΩ"
    + "–—‘’“”•…′″€−√∞≈≠≤≥"
)
TRIANGLES = {"▶": False, "◀": True}
"""Characters that fonts for text lack, drawn here, and whether they point to the left."""
REPLACEMENT = "\ufffd"
EMPTY = 0
"""The glyph that draws nothing."""
WIDTH = 512
_GAP = 1  # between glyphs, so that drawing one never touches the next


class Glyph(NamedTuple):
    """A character of a style: its row in the table, its offset, and its advance [px]."""

    row: int
    left: int
    """From the pen to the glyph's left edge."""
    top: int
    """From the baseline to the glyph's upper edge; negative is up."""
    advance: int


@dataclass(frozen=True, eq=False)
class Face:
    """The glyphs of one style, and its lines [px]."""

    glyphs: dict[str, Glyph]
    ascent: int
    """From a line's top to its baseline."""
    descent: int
    cap_height: int

    @property
    def height(self) -> int:
        """Height of a line."""
        return self.ascent + self.descent

    def glyph(self, character: str) -> Glyph:
        """The character's glyph, or a box if it is missing."""
        return self.glyphs.get(character) or self.glyphs[REPLACEMENT]


class Atlas:
    """Glyphs of several sizes in one image.

    Attributes:
        image: coverage, (height, `WIDTH`) uint8.
        table: x, y, width, height of each glyph in the image, (n, 4) float32.
        faces: the glyphs of each style.
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        """sizes: pixels per em of each style."""
        self.sizes = sizes
        self._rows: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
        self._pictures: list[NDArray[np.uint8]] = [np.zeros((0, 0), np.uint8)]
        self._pen = self._top = self._bottom = 0
        self.faces = {style: self._face(size) for style, size in sizes.items()}
        self.table = np.array(self._rows, dtype=np.float32)

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        image = np.zeros((max(self._bottom, 1), WIDTH), np.uint8)
        for (x, y, width, height), picture in zip(self._rows, self._pictures, strict=True):
            image[y : y + height, x : x + width] = picture
        return image

    def _face(self, size: int) -> Face:
        font = typeface(size)
        ascent, descent = font.getmetrics()
        missing = _coverage(font, "\U0010ffff")
        glyphs = {}
        for character in CHARACTERS:
            picture, left, top = _coverage(font, character)
            if character != " " and np.array_equal(picture, missing[0]):
                continue  # the font's own box for a missing glyph; ours is the same in all fonts
            advance = round(font.getlength(character))
            glyphs[character] = Glyph(self._add(picture), left, top - ascent, advance)
        # As wide as a digit, so that changing numbers do not move what follows.
        widest = max(glyphs[digit].advance for digit in "0123456789")
        for digit in "0123456789":
            row, left, top, advance = glyphs[digit]
            glyphs[digit] = Glyph(row, left + (widest - advance) // 2, top, widest)
        capital = glyphs["H"]
        height = -capital.top
        for character, to_left in TRIANGLES.items():
            drawn = _triangle(height, to_left)
            glyphs[character] = Glyph(self._add(drawn), 0, -height, drawn.shape[1] + 1)
        box = _box(max(3, round(0.62 * height)), height)
        glyphs[REPLACEMENT] = Glyph(self._add(box), 1, -height, box.shape[1] + 2)
        return Face(glyphs, ascent, descent, height)

    def _add(self, picture: NDArray[np.uint8]) -> int:
        """Place a glyph's picture; returns its row in the table."""
        height, width = picture.shape
        if not picture.any():
            return EMPTY
        if self._pen + width > WIDTH:
            self._pen, self._top = 0, self._bottom
        self._rows.append((self._pen, self._top, width, height))
        self._pictures.append(picture)
        self._pen += width + _GAP
        self._bottom = max(self._bottom, self._top + height + _GAP)
        return len(self._rows) - 1


@lru_cache(maxsize=8)
def atlas(sizes: tuple[tuple[str, int], ...]) -> Atlas:
    """The atlas for some (style, pixels per em), cached, as resizing a window needs many."""
    return Atlas(dict(sizes))


@lru_cache(maxsize=32)
def typeface(size: int) -> ImageFont.FreeTypeFont:
    """The font in a size [px per em], cached. Raises UserError if there is none."""
    # Not through `import ursina`, which opens a display if there is one.
    found = find_spec("ursina")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        path = Path(folder) / "fonts" / FONT
        if path.is_file():
            return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    font = ImageFont.load_default(size)  # Pillow's own, with fewer characters
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError("Pillow has no FreeType: install the wheel of pillow, or use `hud=False`")
    return font


def _coverage(font: ImageFont.FreeTypeFont, character: str) -> tuple[NDArray[np.uint8], int, int]:
    """A glyph's picture cropped to its ink, and its offset from the line's top left corner."""
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character))
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.uint8), 0, 0
    picture = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=font)
    return np.asarray(picture), left, top


def _triangle(size: int, to_left: bool) -> NDArray[np.uint8]:
    """One as high as a capital, its edges smooth."""
    fine = 8
    width, high = round(0.87 * size) * fine, size * fine
    picture = Image.new("L", (width, high))
    ImageDraw.Draw(picture).polygon([(0, 0), (width, high / 2), (0, high)], fill=255)
    small = np.asarray(picture.resize((width // fine, size), Image.Resampling.BOX))
    return small[:, ::-1] if to_left else small


def _box(width: int, height: int) -> NDArray[np.uint8]:
    box = np.full((height, width), 255, np.uint8)
    box[1:-1, 1:-1] = 0
    return box
