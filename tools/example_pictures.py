"""Pictures of the examples: each is run and watched to its end.

    python tools/example_pictures.py [NAME ...] [--output examples/pictures]

The examples are those in examples/, by the names of their files: plain_loop, cleanrl/td3, ... What
a picture shows depends a little on how fast the machine is, as of any loop that is watched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import click
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.errors import UserError, shown
from calf_viz.files import make_folder, write_aside
from calf_viz.run_command import run_command
from calf_viz.sources.attached import Attached

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
OPTIONS: dict[str, tuple[str, ...]] = {
    "plain_loop": ("--steps", "3000"),
    "numpy_critic": ("--steps", "6000"),
    "certificate_filter": ("--steps", "6000"),
    "gymnasium_vector": ("--steps", "3000"),
    "sb3_callback": ("--steps", "3000"),
    "cleanrl/td3": ("--steps", "12000"),
    "cleanrl/sac": ("--steps", "16000"),
    "cleanrl/ppo": ("--steps", "60000"),
    "cleanrl/dqn": ("--steps", "30000"),
}
"""What each is given."""
SIZE = 960, 540
TRAIL = {"cleanrl/td3": 150, "cleanrl/sac": 150, "sb3_callback": 300}
"""Steps of a trail, where others than usual show more."""
LONGEST = 600.0
"""Seconds that one may take."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--output", type=GIVEN_PATH, default=EXAMPLES / "pictures", help="Folder.")
def example_pictures(names: tuple[str, ...], output: Path) -> None:
    """Draw the examples, or those with these NAMES."""
    for name in names:
        if name not in OPTIONS:
            raise UserError(f"{shown(name)}: choose one of {', '.join(OPTIONS)}")
    make_folder(output)
    for name in names or OPTIONS:
        path = output / f"{name.replace('/', '_')}.webp"
        draw(name, path)
        say(path)


def draw(name: str, path: Path) -> None:
    """Run an example, and write the picture that is shown when it ends. Raises UserError if it
    fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(EXAMPLES / f"{name}.py"), *OPTIONS[name]]
        environment = {**os.environ, "CALF_BOARDS": folder, "OMP_NUM_THREADS": "1"}
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            watch(child, Path(folder), path, TRAIL.get(name, 100))
        finally:
            child.kill()
            child.wait()


def watch(child: subprocess.Popen[bytes], folder: Path, path: Path, trail: int) -> None:
    """Follow the loop whose board is in this folder until its process ends."""
    deadline = time.monotonic() + LONGEST
    source = None
    while source is None:
        if child.poll() is not None or time.monotonic() > deadline:
            raise UserError(f"{shown(path.stem)} ended before its first step: run it by itself")
        time.sleep(0.005)
        for board in folder.iterdir():
            with suppress(UserError):  # it is being made
                source = Attached(board)
    config = VisualizationConfig(headless=True, size=SIZE, trail_length=trail)
    with CALFApplication(config, source=source) as app:
        while child.poll() is None and time.monotonic() < deadline:
            app.advance()
            time.sleep(0.002)
        app.step()
        for _ in range(config.morph_frames):  # to the newest critic
            app.draw()
        if child.wait() or app.failure is not None:
            raise UserError(f"{shown(path.stem)} failed: {app.failure or child.returncode}")
        with write_aside(path) as part:
            Image.fromarray(app.screenshot(2)).save(part, format="WEBP", quality=88)


if __name__ == "__main__":
    run_command(example_pictures, "example_pictures")
