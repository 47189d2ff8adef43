"""`calf-viz compare`: two agents, in a table, and together on the difference of their critics."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calf_viz.agent.torch_import import whole_imports
from calf_viz.cli.attach import OF_A_SIMULATION, TOLD
from calf_viz.cli.config_options import config_options
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.cli.pictures import check_picture, picture_of, write_picture
from calf_viz.cli.showing import PRESET, config_of
from calf_viz.cli.system_option import own_system
from calf_viz.console import say, tables
from calf_viz.errors import UserError
from calf_viz.files import make_folder
from calf_viz.hosts import display_found
from calf_viz.scene.theme import THEMES
from calf_viz.settings import one_of
from calf_viz.systems.hidden_states import hidden_values
from calf_viz.viewer.config import RECORDING_ONLY, VisualizationConfig

if TYPE_CHECKING:
    from calf_viz.comparison.compare import Comparison, Figures
    from calf_viz.comparison.intervals import Interval
    from calf_viz.comparison.sides import Side
    from calf_viz.viewer.app import CALFApplication

USED = ("n_agents", "speed", "seed", "grid", "slice", "policy")
DIVERGING = {True: "crameri:vanimo", False: "colorbrewer:PiYG"}
"""Colour maps of a difference, by whether the theme is dark: far from the trails' colours."""
WIDTH = 110


def _config_options(command: Any) -> Any:
    without = [name for name in OF_A_SIMULATION if name not in USED]
    told = {
        "n_agents": "Pairs of agents.",
        "policy": "Policy of both: calf, which is strict, or actor.",
        "seed": "Determines where episodes start, shown and counted.",
        "colour_map": f"{_help('colour_map')}  [default: the theme's; of a difference one of two "
        "sides]",
        "value_scale": TOLD["value_scale"].replace("linear]", "by system; of a difference symlog]"),
        "clim": TOLD["clim"].replace("auto]", "by system; of a difference as far down as up]"),
    }
    return config_options(command, [*without, "record", *RECORDING_ONLY], told, of_preset=PRESET)


def _help(name: str) -> str:
    return str(VisualizationConfig.__dataclass_fields__[name].metadata["help"]).partition("  [")[0]


@click.command()
@click.argument("a")
@click.argument("b")
@own_system
@_config_options
@click.option("--surface", help="Surface shown: a, b, or difference, A's critic less B's.  "
              "[default: difference]")  # fmt: skip
@click.option("--episodes", "held_out", default=200, show_default=True, help="Held-out starts.")
@click.option("--output", type=GIVEN_PATH,
              help="Folder for pictures on all three surfaces, or FILE.png for one, after "
              "--frames, without a window.  [default: pictures]")  # fmt: skip
@click.pass_context
def compare(
    context: click.Context,
    a: str,
    b: str,
    surface: str | None,
    held_out: int,
    output: Path | None,
    **changes: Any,
) -> None:
    """Compare two agents of one system, A and B: a table of the same held-out episodes, and both on
    the difference of their critics, from the same starts.

    Each is a checkpoint, a run's folder, a recording *.calf (its last critic, or *.calf@STEP that
    at a step), or a system, for the agent that comes with it.
    """
    with whole_imports():
        from calf_viz.comparison import compare as comparing
        from calf_viz.sources.pairs import SURFACES

    if surface is not None:
        one_of("--surface", surface, SURFACES)
    pair = comparing.pair(a, b)
    config = config_of(context, {**changes, "system": pair[0].agent.system.name})
    if config.policy == "nominal":
        raise UserError("--policy nominal is the same for both: give calf or actor")
    file = picture_of(output)
    window = output is None and not config.headless and display_found()
    if file is not None:
        check_picture(file)
    elif not window:
        make_folder(output or Path("pictures"))
    _print(comparing.compare(*pair, held_out, config.seed, config.slice))
    if window:
        with _opened(config, pair, surface or "difference") as app:
            app.run()
        return
    config, folder = config.changed(headless=True), output or Path("pictures")
    for shown in ("difference",) if file is not None and surface is None else SURFACES:
        if surface in (None, shown):
            with _opened(config, pair, shown) as app:
                write_picture(app, file or folder / f"{config.system}_{shown}.png")


def _opened(config: VisualizationConfig, pair: tuple[Side, Side], shown: str) -> CALFApplication:
    from calf_viz.sources.pairs import CELLS, On, Pairs
    from calf_viz.viewer.app import CALFApplication

    hidden = hidden_values(pair[0].agent.system, config.slice)
    on = On(shown, hidden, config.grid or CELLS)
    source = Pairs(*pair, config.n_agents, config.seed, config.policy, on)
    changed: dict[str, Any] = {"n_agents": 2 * config.n_agents}
    if shown == "difference" and config.colour_map is None:
        changed["colour_map"] = DIVERGING[sum(THEMES[config.theme].background) < 1.5]
    return CALFApplication(config.changed(**changed), source=source)


def _print(found: Comparison) -> None:
    from calf_viz.agent.evaluation import HORIZON
    from calf_viz.training.train import narrow_table

    out = narrow_table(f"{found.system}, {found.episodes} held-out starts, seed {found.seed}")
    for head in ("policy", "", "goal %", "steps", "cost", "certified\n%"):
        out.add_column(head, justify="left" if head in ("policy", "") else "right")
    for row in found.rows:
        sides = [("A", row.a), ("B", row.b), ("A − B", row.difference)]
        if row.b is None:
            sides = [("", row.a)]
        for number, (name, figures) in enumerate(sides):
            if figures is not None:
                cells = _cells(figures, signed=name == "A − B", moded=row.policy == "calf strict")
                out.add_row("" if number else row.policy, name, *cells)
    out.caption = (
        "[95 % intervals]: of shares Wilson's, of paired ones Newcombe's, of means bootstrap over "
        "episodes. steps: to the goal, of episodes that reached it; of A − B, of those where both "
        f"did. cost: over {HORIZON} steps, zero after the goal."
    )
    for letter, name in (("A", found.a), ("B", found.b)):
        say(f"{letter}: {name}")
    tables(WIDTH).print(out)


def _cells(figures: Figures, signed: bool, moded: bool) -> list[str]:
    plus = "+" if signed else ""
    texts = [
        _text(figures.goal, f"{plus}.1f", 100.0),
        _text(figures.steps, f"{plus}.0f"),
        _text(figures.cost, f"{plus}.1f"),
    ]
    return [*texts, f"{100 * figures.certified:{plus}.1f}" if moded else "-"]


def _text(interval: Interval, form: str, scale: float = 1.0) -> str:
    value, low, high = (scale * each for each in interval)
    return "-" if math.isnan(value) else f"{value:{form}} [{low:{form}}, {high:{form}}]"
