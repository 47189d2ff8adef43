"""Every picture of README and docs, drawn anew.

    python tools/docs_pictures.py [NAME ...] [--all] [--list] [--output docs]

Without names it draws those that show the program, which takes some minutes; --all also those that
plot measurements, which takes hours and a quiet machine; --list tells names, pictures and commands.
Those marked `timed` depend on how fast the machine is; all others are the same each time on one.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from gallery import SHEETS
from PIL import Image
from small_webp import write_webp

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.errors import UserError
from calf_viz.files import make_folder, write_aside
from calf_viz.run_command import run_command

ROOT = Path(__file__).resolve().parents[1]
SYSTEMS = "point_mass", "differential_drive", "pendulum"
LOOKS = "certificate", "ink", "night", "topographic", "tunnel"
PLOTS = "frame", "cpu", "draws", "upload_bytes", "critic_queries"


@dataclass(frozen=True)
class Drawing:
    """Pictures that are drawn together.

    Attributes:
        pictures: their names in the docs' folder.
        commands: as typed at the repository's root; {docs} is that folder, {work} an empty one.
        take: where each picture is then, below {work}, in their order; empty if already in place.
            The first file that matches is taken; one whose picture is a WebP is made that.
        finish: makes the pictures of what is in {work}, given {work} and {docs}.
        timed: whether they depend on how fast the machine is.
        measures: whether they plot measurements.
    """

    pictures: tuple[str, ...]
    commands: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
    finish: Callable[[Path, Path], None] | None = None
    timed: bool = False
    measures: bool = False


def _beside(work: Path, docs: Path) -> None:
    """The same part of two designs' pictures, enlarged, beside each other."""
    both = Image.new("RGB", (1690, 560))
    for i, renderer in enumerate(("gpu", "per_agent")):
        part = Image.open(work / renderer / "point_mass_12_237.png").crop((440, 180, 860, 460))
        both.paste(part.resize((840, 560)), (850 * i, 0))
    with write_aside(docs / "renderers.png") as file:
        both.save(file, format="PNG", optimize=True)


def _example(work: Path, docs: Path) -> None:
    """The picture that the first example of docs/extending.md makes."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(found[1], "docs/extending.md", "exec"), names)
    write_webp(Image.fromarray(names["picture"]), docs / "extending_source.webp")


DRAWINGS: dict[str, Drawing] = {
    "readme": Drawing(
        ("point_mass_20_240.webp",),
        ("calf-viz --n-agents 20 --screenshot --output {work}",),
        ("point_mass_20_240.png",),
    ),
    "training": Drawing(
        ("training.webp",), ("python tools/animate_training.py --output {docs}/training.webp",)
    ),
    "gallery": Drawing(
        tuple(f"gallery/{name}.webp" for name in SHEETS),
        ("python tools/gallery.py --output {docs}/gallery",),
    ),
    "looks": Drawing(
        (*(f"looks/{look}.png" for look in LOOKS), "two_looks.png", "themes.png"),
        ("python tools/draw_looks.py --output {docs}",),
    ),
    "renderers": Drawing(
        ("renderers.png",),
        tuple(
            f"calf-viz --headless --n-agents 12 --frames 237 --supersample 1 --renderer {renderer} "
            f"--output {{work}}/{renderer}"
            for renderer in ("gpu", "per_agent")
        ),
        finish=_beside,
    ),
    "fork": Drawing(
        ("fork.webp",),
        (
            "calf-viz --system pendulum --n-agents 8 --headless --frames 600 --supersample 1 "
            "--record {work}/swing.calf --output {work}/last.png",
            "calf-viz replay {work}/swing.calf --fork 120 --with nominal,actor --agents 1,2,5 "
            "--frames 250 --trail-length 300 --output {work}/fork.png",
        ),
        ("fork.png",),
    ),
    "compare": Drawing(
        ("compare.webp",),
        (
            "calf-viz train --system point_mass --preset quick --no-progress "
            "--output {work}/quick.safetensors",
            "calf-viz compare point_mass {work}/quick.safetensors --episodes 20 --n-agents 8 "
            "--frames 200 --output {work}/compare.png",
        ),
        ("compare.png",),
    ),
    "why": Drawing(
        ("why.webp",),
        (
            "calf-viz --system differential_drive --n-agents 12 --headless --frames 110 "
            "--chosen 3 --why --output {work}/why.png",
        ),
        ("why.png",),
    ),
    "extending_source": Drawing(("extending_source.webp",), finish=_example),
    "training_view": Drawing(
        ("training_view.png",),
        (
            "calf-viz --train --n-agents 12 --headless --frames 5000 --runs {work}/runs "
            "--output {work}",
        ),
        ("point_mass_12_5000.png",),
        timed=True,
    ),
    "returns": Drawing(
        ("returns.webp",),
        (
            "calf-viz --headless --system pendulum --n-agents 100 --frames 1500 "
            "--record {work}/swing.calf --output {work}/last.png",
            "calf-viz returns {work}/swing.calf --output {work}/returns.png",
        ),
        ("returns.png",),
    ),
    "timeline": Drawing(
        ("timeline.png",),
        (
            "calf-viz --train --system pendulum --n-agents 12 --headless --frames 1500 "
            "--size 320x200 --no-hud --runs {work}/runs --record {work}/a.calf --output {work}",
            "calf-viz replay {work}/a.calf --from 730 --frames 60 --supersample 2 "
            "--output {docs}/timeline.png",
        ),
        timed=True,
    ),
    "training_certificate": Drawing(
        ("training_certificate.png",),
        ("calf-viz train --system point_mass --preset quick --runs {work}",),
        ("*/certificate.png",),
    ),
    **{
        f"learning_{system}": Drawing(
            (f"learning_{system}.png",),
            (
                f"calf-viz train --system {system} --preset standard --seed {seed} "
                f"--output {{work}}/{system}.safetensors",
                f"python tools/plot_learning.py {{work}}/{system}.safetensors.metrics.csv "
                f"--output {{docs}}/learning_{system}.png",
            ),
            measures=True,
        )
        for system, seed in zip(SYSTEMS, (0, 4, 0), strict=True)
    },
    **{
        f"benchmark_{system}": Drawing(
            (f"benchmark_{system}.png",),
            (f"calf-viz benchmark --system {system} --seeds 10 --preset quick --output {{work}}",),
            ("**/*.png",),
            measures=True,
        )
        for system in SYSTEMS
    },
    "performance_report": Drawing(
        tuple(f"performance_report/{plot}.png" for plot in PLOTS),
        ("python tools/performance_report.py --frames 200 --output {docs}/performance_report.md",),
        timed=True,
        measures=True,
    ),
    "profiling_comparison": Drawing(
        ("profiling_comparison.png",),
        (
            "calf-viz --headless --profile --grid 128 --output {work}/a",
            "calf-viz --headless --profile --grid 40 --output {work}/b",
            "python tools/compare_profiles.py {work}/a/*.json {work}/b/*.json "
            "--output {work}/comparison.md",
        ),
        ("comparison.png",),
        timed=True,
        measures=True,
    ),
}


def words(command: str, docs: Path, work: Path) -> list[str]:
    """A command as a process takes it, with `*` resolved."""
    found: list[str] = []
    for word in shlex.split(command):
        word = word.replace("{docs}", str(docs)).replace("{work}", str(work))
        matching = (
            sorted(map(str, work.glob(str(Path(word).relative_to(work))))) if "*" in word else []
        )
        found += matching or [word]
    start = {"calf-viz": ["-m", "calf_viz"], "python": []}[found[0]]
    return [sys.executable, *start, *found[1:]]


def draw(drawing: Drawing, docs: Path) -> None:
    """Draw its pictures into the folder. Raises UserError if a command fails, or makes none."""
    for picture in drawing.pictures:
        make_folder((docs / picture).parent)
    with tempfile.TemporaryDirectory(prefix="docs_pictures") as folder:
        work = Path(folder)
        for command in drawing.commands:
            done = subprocess.run(words(command, docs, work), cwd=ROOT, check=False)
            if done.returncode:
                raise UserError(f"{command}: ended with exit code {done.returncode}")
        for place, picture in zip(drawing.take, drawing.pictures, strict=bool(drawing.take)):
            file = next(iter(sorted(work.glob(place))), None)
            if file is None:
                raise UserError(f"{picture}: its commands wrote no {place}")
            _put(file, docs / picture)
        if drawing.finish is not None:
            drawing.finish(work, docs)


def _put(file: Path, picture: Path) -> None:
    if picture.suffix == ".webp" and file.suffix != ".webp":
        with Image.open(file) as image:
            write_webp(image.convert("RGB"), picture)
        return
    with write_aside(picture) as part:
        shutil.copyfile(file, part)


def _listed(name: str, drawing: Drawing) -> str:
    notes = ", ".join(note for note in ("timed", "measures") if getattr(drawing, note))
    lines = [f"{name}: {', '.join(drawing.pictures)}{f' ({notes})' if notes else ''}"]
    return "\n".join([*lines, *(f"    {command}" for command in drawing.commands)])


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("names", nargs=-1, type=click.Choice(list(DRAWINGS)))
@click.option("--all", "everything", is_flag=True, help="Measurements as well.")
@click.option("--list", "listed", is_flag=True, help="Draw nothing: tell what there is.")
@click.option("--output", type=GIVEN_PATH, default=ROOT / "docs", help="Folder.  [default: docs]")
def main(names: tuple[str, ...], everything: bool, listed: bool, output: Path) -> None:
    chosen = names or tuple(
        n for n, d in DRAWINGS.items() if everything or listed or not d.measures
    )
    for name in chosen:
        if listed:
            say(_listed(name, DRAWINGS[name]))
            continue
        draw(DRAWINGS[name], output.absolute())
        for picture in DRAWINGS[name].pictures:
            say(output / picture)


if __name__ == "__main__":
    run_command(main, "docs_pictures", "docs_pictures: ")
