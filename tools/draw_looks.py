"""A picture of the program in each shipped look.

    python tools/draw_looks.py [--output docs] [--look ink ...]

writes looks/<name>.png and, without --look, two_looks.png, which shows two side by side, and
themes.png, a strip of the picture in each theme.

The scene is the shipped point mass, with its agents from the same starts each time; pictures are
reproducible on one machine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.files import write_aside
from calf_viz.glsl.shipped_shaders import look_names
from calf_viz.run_command import run_command
from calf_viz.scene.theme import THEMES

AGENTS, STEPS = 20, 330


def draw(look: str, size: tuple[int, int], other: str | None = None) -> Image.Image:
    """The look's picture; half of it in another look, if one is given."""
    return picture(size, shaders=Path(look), ab=None if other is None else Path(other))


def themes(size: tuple[int, int]) -> Image.Image:
    """The picture in all themes, a vertical strip of each."""
    width, height = size
    whole = Image.new("RGB", size)
    for number, theme in enumerate(THEMES):
        left, right = (width * end // len(THEMES) for end in (number, number + 1))
        whole.paste(picture(size, theme=theme).crop((left, 0, right, height)), (left, 0))
    return whole


def picture(size: tuple[int, int], **changes: Any) -> Image.Image:
    config = VisualizationConfig(n_agents=AGENTS, size=size, headless=True, seed=3, **changes)
    app = CALFApplication(config)
    try:
        app.fit_surface(still=True)
        for _ in range(STEPS - 1):
            app.advance()
        app.step()
        return Image.fromarray(app.screenshot(None))
    finally:
        app.close()


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--output", type=GIVEN_PATH, default=Path("docs"))
@click.option("--look", "looks", multiple=True, type=click.Choice(look_names()),
              help="May be repeated.  [default: all]")  # fmt: skip
@click.option("--width", default=960, show_default=True, type=click.IntRange(64, 3840))
def main(output: Path, looks: tuple[str, ...], width: int) -> None:
    size = width, width * 9 // 16
    pictures: dict[Path, Callable[[], Image.Image]] = {
        output / "looks" / f"{look}.png": partial(draw, look, size)
        for look in looks or look_names()
    }
    if not looks:
        pictures[output / "two_looks.png"] = partial(draw, "topographic", size, "night")
        pictures[output / "themes.png"] = partial(themes, size)
    for path, drawn in pictures.items():
        with write_aside(path) as part:
            drawn().save(part, format="PNG", optimize=True)
        say(path)


if __name__ == "__main__":
    run_command(main, "draw_looks", "draw_looks: ")
