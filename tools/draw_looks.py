"""A picture of the program in each shipped look.

    python tools/draw_looks.py [--output docs/looks] [--look ink ...]

The shipped point mass, its agents from the same starts each time; the same picture on one machine.
"""

from __future__ import annotations

from pathlib import Path

import click
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.files import write_aside
from calf_viz.render.sources import look_names

AGENTS, STEPS = 20, 330


def draw(look: str, size: tuple[int, int]) -> Image.Image:
    """The look's picture."""
    config = VisualizationConfig(
        n_agents=AGENTS, shaders=Path(look), size=size, headless=True, seed=3
    )
    app = CALFApplication(config)
    try:
        for _ in range(STEPS - 1):
            app.advance()
        app.step()
        return Image.fromarray(app.screenshot())
    finally:
        app.close()


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--output", type=click.Path(path_type=Path), default=Path("docs/looks"))
@click.option("--look", "looks", multiple=True, help="May be repeated.  [default: all]")
@click.option("--width", default=960, show_default=True, type=click.IntRange(64, 3840))
def main(output: Path, looks: tuple[str, ...], width: int) -> None:
    for look in looks or look_names():
        path = output / f"{look}.png"
        with write_aside(path) as part:
            draw(look, (width, width * 9 // 16)).save(part, format="PNG", optimize=True)
        click.echo(str(path))


if __name__ == "__main__":
    main()
