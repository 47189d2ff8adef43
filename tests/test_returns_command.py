"""`calf-viz returns`: its table, its pictures, and what it refuses."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rewarded import VIEW, pendulums, recorded, walk

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.recording.limits import Limits
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.returns.errors import measure
from calf_viz.returns.meaning import read
from calf_viz.samples import Samples

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return pendulums(tmp_path_factory.mktemp("own") / "a.calf")


def invoked(*words: object) -> Any:
    return CliRunner().invoke(calf_viz, ["returns", *map(str, words)])


def test_the_table_names_the_worst_region_first(pendulum: Recording, tmp_path: Path) -> None:
    done = invoked(pendulum.folder, "--regions", 4, "--csv", tmp_path / "a.csv")
    assert done.exit_code == 0, done.output
    assert "gamma 0.99, rewards times 10" in done.output and "bootstrapped" in done.output
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    known = [abs(float(row["error"])) for row in rows if int(row["steps"])]
    assert known and known == sorted(known, reverse=True)
    assert all(row["error"] == "nan" for row in rows if not int(row["steps"]))
    meaning = read(pendulum)
    regions = measure(pendulum, meaning, 4).regions
    assert sum(int(row["steps"]) for row in rows) == regions.steps
    out = invoked(pendulum.folder, "--leave-out")
    assert out.exit_code == 0 and "are left out" in out.output


@pytest.mark.rendering
def test_a_picture_of_the_errors(pendulum: Recording, tmp_path: Path) -> None:
    pictures = []
    for words in (["--theme", "dark"], ["--theme", "light"], ["--shaders", "certificate"]):
        file = tmp_path / f"{words[1]}.png"
        done = invoked(pendulum.folder, "--output", file, "--size", "480x270", "--supersample", 1,
                       *words, "--no-hud")  # fmt: skip
        assert done.exit_code == 0, done.output
        with Image.open(file) as picture:
            pictures.append(np.asarray(picture.convert("RGB")).astype(int))
    assert abs(pictures[0] - pictures[1]).mean() > 30
    # What is unknown is grey, and nothing is hatched in the colour of faults.
    for picture in pictures:
        red, green, blue = np.moveaxis(picture, 2, 0)
        assert not ((red > 150) & (green < 80) & (blue > 120)).any()
        grey = (abs(red - green) < 3) & (abs(green - blue) < 3) & (red > 40)
        assert grey.mean() > 0.02 or picture is pictures[2], "a look has its own light"


def test_what_has_no_returns_is_refused_in_one_line(pendulum: Recording, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps = walk(rng, 20, [2], "q")
    bare = [Samples(s.positions, s.modes, s.first, None, s.step) for s in steps]
    recorded(tmp_path / "bare.calf", bare)
    recorded(tmp_path / "good.calf", steps)
    recorded(tmp_path / "empty.calf", [])
    (tmp_path / "foreign").mkdir()
    recorder = Recorder(tmp_path / "some.calf", VIEW, limits=Limits(every=2))
    for samples in steps:
        recorder.see(samples)
    recorder.close()
    no_critic = [
        Samples(s.positions, s.modes, s.first, None, s.step, {"reward": s.columns["reward"]})
        for s in steps
    ]
    recorded(tmp_path / "critic.calf", no_critic)
    own = pendulum.folder
    for words, said in {
        (tmp_path / "none.calf",): "no such recording",
        (tmp_path / "foreign",): "meta.json",
        (tmp_path / "empty.calf",): "no steps",
        (tmp_path / "bare.calf",): "no rewards",
        (tmp_path / "critic.calf", "--gamma", 1): "no critic",
        (tmp_path / "some.calf",): "one of 2 steps",
        (tmp_path / "good.calf",): "how returns are discounted",
        (tmp_path / "good.calf", "--gamma", 2): " 2 is not within 0 and 1",
        (tmp_path / "good.calf", "--gamma", "nan"): " nan is not within 0 and 1",
        (own, "--reward-scale", 0): "reward-scale 0",
        (own, "--regions", 0): "--regions",
        (own, "--from", 9, "--to", 3): "--from 9 is after step 3",
        (own, "--from", 10**9): "--from",
        (own, "--to", -1): "--to",
        (own, "--theme", "light"): "--theme has no effect without a picture",
        (own, "--output", tmp_path / "a.jpg"): "a.png",
        (own, "--output", tmp_path): "FILE.png",
        (own, "--show", "--output", tmp_path / "a.png"): "cannot be combined",
        (own, "--csv", own / "meta.json"): "would be replaced",
    }.items():  # fmt: skip
        done = invoked(*words)
        assert done.exit_code == 2 or isinstance(done.exception, UserError), (words, done.output)
        assert said in done.output + str(done.exception), (words, done.output, done.exception)
