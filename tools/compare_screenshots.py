"""Compares the pictures in two folders, name by name, in numbers and in a visual report.

    python tools/compare_screenshots.py A/ B/ [--html report.html] [--level 3] [--fraction 0.001]

A pair passes if no more than a fraction of its pixels differs by more than a level of 255. The mean
FLIP error (Andersson et al., HPG 2020) measures how visible the difference is to someone who flips
between the two. The exit code is 1 if a pair does not pass, or a picture of A is missing from B; 2
for unreadable files, which are reported last. The pixel tests use the same comparison and report.
"""

from __future__ import annotations

import base64
import html
import io
import math
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image
from rich.table import Table

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import plain, say, tables
from calf_viz.errors import UserError, shown, visible
from calf_viz.files import is_folder, not_over, parsing, read_bytes, write_aside
from calf_viz.run_command import run_command

LEVEL, FRACTION = 3, 0.001
LARGEST = 2**28
"""Most bytes of a picture's file."""


@dataclass(frozen=True)
class Comparison:
    """Two pictures of the same name, (height, width, 3) uint8.

    Attributes:
        level: by how much a pixel's components may differ, of 255.
        fraction: share of pixels that may differ by more.
    """

    name: str
    a: np.ndarray
    b: np.ndarray
    level: int = LEVEL
    fraction: float = FRACTION

    @property
    def same_size(self) -> bool:
        return self.a.shape == self.b.shape

    @cached_property
    def levels(self) -> np.ndarray:
        """Largest difference of a pixel's components, (height, width) int; the maximum if the sizes
        differ."""
        if not self.same_size:
            return np.full((1, 1), 255)
        return np.abs(self.a.astype(int) - self.b.astype(int)).max(axis=2)

    @property
    def share(self) -> float:
        """Share of the pixels that differ by more than the level."""
        return float((self.levels > self.level).mean())

    @property
    def largest(self) -> int:
        """Largest difference of a component, in levels."""
        return int(self.levels.max())

    @property
    def passes(self) -> bool:
        return self.same_size and self.share <= self.fraction

    @cached_property
    def _flip(self) -> tuple[np.ndarray, float]:
        import flip_evaluator

        pair = (np.ascontiguousarray(p, dtype=np.float32) / 255.0 for p in (self.a, self.b))
        heat, mean, _ = flip_evaluator.evaluate(*pair, "LDR")
        return np.rint(255.0 * np.clip(heat, 0.0, 1.0)).astype(np.uint8), float(mean)

    @property
    def flip(self) -> float:
        """Mean FLIP error, 0 to 1; at 67 pixels a degree, a screen at arm's length."""
        return self._flip[1] if self.same_size else 1.0

    @property
    def heat(self) -> np.ndarray:
        """FLIP error of each pixel, (height, width, 3) uint8 in the colour map magma."""
        return self._flip[0] if self.same_size else np.zeros((1, 1, 3), np.uint8)

    @property
    def verdict(self) -> str:
        """The result on one line."""
        if not self.same_size:
            sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (self.a, self.b))
            return f"sizes differ: {sizes}"
        return (
            f"{100 * self.share:.3f} % of pixels differ by more than level {self.level} "
            f"(allowed: {100 * self.fraction:.3f} %), largest difference {self.largest}"
        )


@dataclass(frozen=True)
class Folders:
    """All comparisons between two folders, worst first, and the names that only one of them has."""

    pairs: list[Comparison]
    missing: list[str] = field(default_factory=list)
    """Names only in A."""
    extra: list[str] = field(default_factory=list)
    """Names only in B."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """What is wrong with files that are not pictures, by name."""
    sides: tuple[str, str] = ("A", "B")
    """Names of the two on a page."""

    @property
    def passes(self) -> bool:
        good = not self.missing and not self.unreadable
        return good and all(pair.passes for pair in self.pairs)

    @property
    def notes(self) -> dict[str, str]:
        """Notes on pictures without a counterpart, by name."""
        alone = dict.fromkeys(self.missing, "missing") | dict.fromkeys(self.extra, "extra")
        return alone | dict.fromkeys(self.unreadable, "unreadable")


def read_picture(path: Path) -> np.ndarray:
    """The picture, (height, width, 3) uint8. Raises UserError if it is not one."""
    data = io.BytesIO(read_bytes(path, LARGEST))
    # Pillow only warns about a picture so large that it may be an attack.
    with parsing(path, "a picture"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(data) as image:
                if image.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut off at 255
                    grey = np.rint(np.asarray(image) / 257.0).astype(np.uint8)
                    return np.repeat(grey[..., None], 3, axis=2)
                return np.asarray(image.convert("RGB"))
        except Image.UnidentifiedImageError as error:
            raise ValueError("of no kind that is known") from error
        except OSError as error:  # it was read long since
            raise ValueError(str(error)) from error


def _pictures(folder: Path) -> dict[str, Path]:
    """PNG files by name, their endings in lower case."""
    if not is_folder(folder):
        raise UserError(f"{shown(folder)} is not a folder: give one with PNG files")
    with parsing(folder, "a folder"):
        found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".png"]
    return {path.with_suffix(".png").name: path for path in found}


def compare_folders(a: Path, b: Path, level: int = LEVEL, fraction: float = FRACTION) -> Folders:
    """Compare PNG files in two folders, paired by name. Raises UserError if there are none."""
    one, other = _pictures(a), _pictures(b)
    if not one and not other:
        raise UserError(f"no PNG files in {shown(a)} and {shown(b)}: give folders with some")
    pairs, unreadable = [], {}
    for name in sorted(one.keys() & other.keys()):
        try:
            both = read_picture(one[name]), read_picture(other[name])
        except UserError as error:
            unreadable[name] = str(error)
        else:
            pairs.append(Comparison(name, *both, level, fraction))
    pairs.sort(key=lambda pair: (pair.passes, -pair.share))
    missing, extra = sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys())
    return Folders(pairs, missing, extra, unreadable, (f"A: {shown(a)}", f"B: {shown(b)}"))


def _picture(picture: np.ndarray, what: str, caption: str) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    called = html.escape(caption)
    return (
        f'<figure class="{what}"><figcaption>{called}</figcaption>'
        f'<img class="{what}" alt="{called}" src="data:image/png;base64,{data}"></figure>'
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1340px; padding: 0 1em;
  background: #14171d; color: #dde3ea; }}
h2 {{ margin: 2em 0 0; font-size: 1.1em; }}
p {{ margin: .2em 0 .6em; color: #9ba7b6; }}
.over h2::after {{ content: " over"; color: #ff7b6b; }}
.view {{ display: grid; gap: 8px; --at: 50%; position: relative; }}
.view img {{ width: 100%; image-rendering: pixelated; display: block; }}
figure {{ margin: 0; min-width: 0; }}
figcaption {{ background: #14171d; color: #f2c14e; padding: .2em 0; overflow-wrap: anywhere; }}
.view > .heat {{ display: none; }}
.side {{ grid-template-columns: 1fr 1fr; }}
.blink > *, .slider > * {{ grid-area: 1 / 1; align-self: end; }}
.blink > .b {{ animation: blink 1s steps(1) infinite; }}
.slider img.b {{ clip-path: inset(0 0 0 var(--at)); }}
.slider > .b figcaption {{ background: none; text-align: right; }}
.slider figcaption {{ box-sizing: border-box; }}
.slider > .a figcaption {{ padding-right: 50%; }}
.slider > .b figcaption {{ padding-left: 50%; }}
.slider::after {{ content: ""; position: absolute; inset: 0 auto 0 var(--at); width: 1px;
  background: #f2c14e; }}
.map > .a, .map > .b {{ display: none; }}
.map > .heat {{ display: block; }}
@keyframes blink {{ 50% {{ visibility: hidden; }} }}
label {{ margin-right: 1.2em; }}
input[type=range] {{ width: 100%; }}
</style></head><body><h1>{title}</h1><p>{summary}</p>
{sections}
<script>
for (const section of document.querySelectorAll("section")) {{
  const view = section.querySelector(".view"), range = section.querySelector("[type=range]");
  for (const choice of section.querySelectorAll("[type=radio]"))
    choice.onchange = () => {{ view.className = "view " + choice.value;
      range.hidden = choice.value !== "slider"; }};
  range.oninput = () => view.style.setProperty("--at", range.value + "%");
}}
</script></body></html>
"""
_MODES = {"side": "side by side", "blink": "blink", "slider": "slider", "map": "heat map (FLIP)"}


def report(folders: Folders, title: str = "Pictures compared") -> str:
    """A self-contained page: each pair side by side, blinking, under a slider, as a heat map."""
    sections = [_section(number, pair, folders.sides) for number, pair in enumerate(folders.pairs)]
    over = sum(not pair.passes for pair in folders.pairs)
    said = [f"{len(folders.pairs)} pairs, {over} over"]
    for word in ("missing", "extra", "unreadable"):
        names = [name for name, note in folders.notes.items() if note == word]
        said += [f"{word}: {', '.join(names)}"] if names else []
    return _PAGE.format(
        title=html.escape(visible(title)),
        summary=html.escape(visible("; ".join(said))),
        sections="\n".join(sections),
    )


def _section(number: int, pair: Comparison, sides: tuple[str, str]) -> str:
    choices = "".join(
        f'<label><input type="radio" name="mode{number}" value="{mode}"'
        f"{' checked' if mode == 'side' else ''}> {words}</label>"
        for mode, words in _MODES.items()
    )
    a, b = sides
    heat = _picture(pair.heat, "heat", f"FLIP error between {a} and {b}")
    pictures = _picture(pair.a, "a", a) + _picture(pair.b, "b", b) + heat
    kind, head = "ok" if pair.passes else "over", html.escape(visible(pair.name))
    return (
        f'<section class="{kind}"><h2>{head}</h2>'
        f"<p>{html.escape(pair.verdict)}, mean FLIP error {pair.flip:.4f}</p>{choices}"
        f'<div class="view side">{pictures}</div>'
        '<input type="range" min="0" max="100" value="50" hidden></section>'
    )


def write_report(path: Path, folders: Folders, title: str = "Pictures compared") -> None:
    """Write `report`, completely or not at all. Raises UserError if it cannot be written."""
    with write_aside(path) as part:
        part.write_text(report(folders, title), encoding="utf-8")


def _table(folders: Folders) -> Table:
    table = Table("picture", "share over", "largest", "mean FLIP", "")
    for pair in folders.pairs:
        row = [f"{100 * pair.share:.3f} %", str(pair.largest), f"{pair.flip:.4f}"]
        table.add_row(plain(pair.name), *row, "ok" if pair.passes else "over")
    for name, note in folders.notes.items():
        table.add_row(plain(name), "", "", "", note)
    return table


class _Share(click.FloatRange):
    """A number from 0 to 1, excluding nan, which range checks let pass."""

    def convert(self, value: Any, parameter: Any, context: Any) -> Any:
        if math.isnan(share := super().convert(value, parameter, context)):
            self.fail("nan is not a number from 0 to 1", parameter, context)
        return share


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("a", type=GIVEN_PATH)
@click.argument("b", type=GIVEN_PATH)
@click.option("--html", "page", type=GIVEN_PATH, help="Report to write.")
@click.option("--level", default=LEVEL, show_default=True, type=click.IntRange(0, 255),
              help="Level of 255 that pixels may differ by.")  # fmt: skip
@click.option("--fraction", default=FRACTION, show_default=True, type=_Share(0, 1),
              help="Share of the pixels that may differ by more.")  # fmt: skip
@click.pass_context
def compare_screenshots(
    context: click.Context, a: Path, b: Path, page: Path | None, level: int, fraction: float
) -> None:
    if page is not None:
        not_over(page, [*_pictures(a).values(), *_pictures(b).values()])
    folders = compare_folders(a, b, level, fraction)
    tables(120).print(_table(folders))
    if page is not None:
        write_report(page, folders, f"{shown(a)} and {shown(b)}")
        say(page)
    for problem in folders.unreadable.values():
        click.echo(f"compare_screenshots: {visible(problem)}", err=True)
    context.exit(2 if folders.unreadable else 0 if folders.passes else 1)


def main() -> None:
    """Run from the command line."""
    run_command(compare_screenshots, "compare_screenshots", "compare_screenshots: ")


if __name__ == "__main__":
    main()
