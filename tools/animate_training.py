"""README's animation of a training: the critic's surface rises, and agents are certified.

    python tools/animate_training.py [--output docs/training.webp] [--seconds 7] [--steps 50000]

The training viewer draws it, with a trainer that takes its steps between frames, in this process:
the same seed gives the same animation, whatever else the machine does. The file has at most --most
bytes: where a better one would be larger, its quality is lowered.
"""

from __future__ import annotations

import io
import math
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
from calf_attach.layout import Phase, Word
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.option_types import GIVEN_PATH, SIZE
from calf_viz.cli.system_option import SYSTEM
from calf_viz.console import say, tracked
from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.run_command import run_command
from calf_viz.sources.trainer_board import TrainerBoard
from calf_viz.sources.worker import Worker
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run import Run
from calf_viz.viewer.app_config import AppConfig

RATE = 20
"""Frames per second."""
QUALITIES = (85, 75, 65, 55, 45, 35, 25, 15, 5)
ROUNDS = 4
"""How often all agents begin at the same places: one sees what was learnt meanwhile."""
HOLD = 1.5
"""Seconds for which the last frame stays."""


class Lockstep:
    """In place of a `TrainerProcess`: trains when told, in this process."""

    failure = failure_report = None
    detached = False

    def __init__(self, folder: Path, board: TrainerBoard, *_: Any) -> None:
        self.board = board
        self.run, trainer = Run.open(folder)
        self.worker = Worker(self.run, trainer, board)
        board[Word.PHASE] = Phase.RUNNING

    def train(self, steps: int) -> None:
        """Take steps, then publish the critic."""
        self.worker.train(steps)

    def pause(self, paused: bool) -> None:
        """As a process; nothing is ever paused."""

    def single_step(self) -> None:
        """As a process."""

    def close(self) -> None:
        """Give the run up."""
        self.run.close()
        self.board.unlink()


def frames(config: AppConfig, count: int, steps: int, supersample: int) -> list[Image.Image]:
    """`count` pictures of a training of that number of steps, of which more and more are between
    two pictures: at first the critic changes fastest."""
    at = np.rint(steps * np.linspace(0.0, 1.0, count + 1) ** 2).astype(int)
    pictures: list[Image.Image] = []
    with (
        patch("calf_viz.sources.training.TrainerProcess", Lockstep),
        CALFApplication(config) as app,
    ):
        app.start_training()
        assert app.live is not None and app.display is not None and app.simulation is not None
        panel, process = app.display.training_panel, app.live.process
        assert panel is not None and isinstance(process, Lockstep)
        panel.clock = lambda: 0.0  # the training's speed, which is the tool's own, stays unknown
        for frame, number in enumerate(tracked(np.diff(at).tolist(), "training")):
            if frame % math.ceil(count / ROUNDS) == 0:
                app.simulation.restart()
            process.train(number)
            app.step()
            pictures.append(Image.fromarray(app.screenshot(supersample)))
    return pictures


def encoded(pictures: list[Image.Image], quality: int) -> bytes:
    """An animated WebP, endless."""
    file, each = io.BytesIO(), round(1000 / RATE)
    times = [each] * (len(pictures) - 1) + [round(1000 * HOLD)]
    pictures[0].save(
        file, format="WEBP", save_all=True, append_images=pictures[1:], duration=times, loop=0,
        quality=quality, method=4,
    )  # fmt: skip
    return file.getvalue()


def within(pictures: list[Image.Image], most: int) -> tuple[bytes, int]:
    """The animation of the best quality that has at most this number of bytes, and its quality.

    Raises UserError if none has.
    """
    for quality in QUALITIES:
        animation = encoded(pictures, quality)
        if len(animation) <= most:
            return animation, quality
    raise UserError(
        f"--most {most}: {len(animation)} bytes at the lowest quality: give fewer --seconds, or a "
        "smaller --size"
    )


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--output", type=GIVEN_PATH, default=Path("docs/training.webp"), show_default=True)
@click.option("--system", type=SYSTEM, default="point_mass", show_default=True)
@click.option("--n-agents", default=12, show_default=True, type=click.IntRange(1, 1000))
@click.option("--seconds", default=7.0, show_default=True, type=click.FloatRange(0.1, 60.0))
@click.option("--steps", default=50_000, show_default=True, type=click.IntRange(1),
              help="Training steps.")  # fmt: skip
@click.option("--size", type=SIZE, default="800x450", show_default=True)
@click.option("--most", default=4_000_000, show_default=True, type=click.IntRange(1),
              help="Bytes.")  # fmt: skip
@click.option("--supersample", default=3, show_default=True, type=click.IntRange(1, 8))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def main(
    output: Path, system: str, n_agents: int, seconds: float, steps: int, size: tuple[int, int],
    most: int, supersample: int, seed: int,
) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory() as runs:
        shown = VisualizationConfig(
            system=system, n_agents=n_agents, size=size, seed=seed, headless=True, train=True,
            speed=6, trail_length=240, grid=64, morph_frames=4, runs=Path(runs),
        )  # fmt: skip
        training = TrainingConfig.from_preset("standard", system=system, seed=seed)
        config = AppConfig(shown, training)
        animation, quality = within(frames(config, round(RATE * seconds), steps, supersample), most)
    with write_aside(output) as part:
        part.write_bytes(animation)
    say(f"{output}: {len(animation)} bytes, quality {quality}")


if __name__ == "__main__":
    run_command(main, "animate_training", "animate_training: ")
