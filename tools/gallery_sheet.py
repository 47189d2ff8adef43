"""Sheets of the gallery: pictures beside and below each other, each with a caption.

+-----------------------+
| title                 |
|  whole, made smaller  |      as wide as a page, so that what is said to be pixels as they
|  its caption          |      are is shown so there
|   crop   |   crop     |
|  caption |  caption   |
+-----------------------+
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from calf_viz.hud.atlas import typeface

HALF, GAP = 480, 8
WIDTH = 2 * HALF + GAP
"""Of a sheet [px]."""
GROUND, TEXT, TITLE = (255, 255, 255), (60, 60, 60), (20, 20, 20)
CAPTION_SIZE, TITLE_SIZE = 13, 18


class Tile(NamedTuple):
    """A picture on a sheet."""

    picture: Image.Image
    caption: str


def crop(picture: Image.Image, centre: tuple[float, float], size: tuple[int, int]) -> Image.Image:
    """A part of it, or all where it is smaller, as near around a place as its edges allow."""
    width, height = (min(pair) for pair in zip(size, picture.size, strict=True))
    left = min(max(round(centre[0] - width / 2), 0), picture.width - width)
    top = min(max(round(centre[1] - height / 2), 0), picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def shrunk(picture: Image.Image, width: int) -> Image.Image:
    """It in that width; as it is, if it is no wider."""
    if picture.width <= width:
        return picture
    size = width, round(width * picture.height / picture.width)
    return picture.resize(size, Image.Resampling.LANCZOS)


def sheet(title: str, rows: Sequence[Sequence[Tile]]) -> Image.Image:
    """The whole sheet, of rows of one tile or of two."""
    large, small = typeface(TITLE_SIZE), typeface(CAPTION_SIZE)
    lines = [
        [_wrapped(tile.caption, small, WIDTH if len(row) == 1 else HALF) for tile in row]
        for row in rows
    ]
    line = round(1.35 * CAPTION_SIZE)
    top = 2 * GAP + round(1.35 * TITLE_SIZE)
    heights = [
        max(tile.picture.height for tile in row) + GAP // 2 + line * max(map(len, found)) + GAP
        for row, found in zip(rows, lines, strict=True)
    ]
    whole = Image.new("RGB", (WIDTH, top + sum(heights)), GROUND)
    pen = ImageDraw.Draw(whole)
    pen.text((0, GAP), title, TITLE, large)
    for row, found, height in zip(rows, lines, heights, strict=True):
        for column, (tile, texts) in enumerate(zip(row, found, strict=True)):
            left = column * (HALF + GAP)
            whole.paste(tile.picture, (left, top))
            below = top + tile.picture.height + GAP // 2
            for number, text in enumerate(texts):
                pen.text((left, below + number * line), text, TEXT, small)
        top += height
    return whole


def _wrapped(text: str, face: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines that fit."""
    lines = [""]
    for word in text.split(" "):  # not at spaces that hold together
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and face.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
