"""The command line: pictures it writes, what it says, and one line for whatever is wrong.

In this process where that is enough: `main` is what `calf-viz` runs.
"""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from calf_viz import compare_results
from calf_viz.agent.checkpoint import shipped
from calf_viz.cli import main as cli
from calf_viz.cli.without_effect import refuse_without_effect
from calf_viz.errors import UserError
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.profiling.profile_file import load_profile
from calf_viz.viewer import app
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

LEGIBLE = ("--size", "480x320")  # given after SMALL: large enough for the HUD
SMALL = ("--headless", "--size", "64x36", "--n_agents", "2", "--grid", "8")


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of someone who can put it right; nothing else was said."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        assert self.err.startswith("calf-viz: "), self.err
        return self.err.removeprefix("calf-viz: ").strip()


Command = Callable[..., Said]


@pytest.fixture
def calf_viz(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """`calf-viz` with arguments. The driver's own words on stderr are caught as well."""

    def run(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["calf-viz", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert isinstance(end.value.code, int)
        return Said(end.value.code, *capfd.readouterr())

    return run


def in_a_child(*arguments: str | Path, before: Callable[[], object] | None = None) -> Said:
    child = subprocess.run(
        [sys.executable, "-m", "calf_viz", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=before,
    )
    return Said(child.returncode, child.stdout, child.stderr)


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.rendering
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds memory as Linux does")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--n-agents", "16384", "--trail-length", "4000"), "the ring, a texture of 16384 x 4096,"),
        (("--n-agents", "16384", "--trail-length", "1500"), "the ring, a texture of 16384 x 4096,"),
        (("--size", "16384x16384"), "the picture, a texture of 16384 x 16384,"),
    ],
)
def test_what_the_driver_has_no_memory_for_is_refused_in_a_line(
    arguments: tuple[str, ...], said: str
) -> None:
    """Not drawn wrong, and not the end of the process."""
    import resource

    most = 2_700_000 * 1024
    ended = in_a_child(
        "--headless", "--frames", "3", *arguments,
        before=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
    )  # fmt: skip
    assert said in ended.complaint and ": give " in ended.complaint


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ("--system nonsense", "unknown system 'nonsense': choose one of differential_drive, "),
            ("--preset nonsense", "unknown preset 'nonsense': choose one of low, medium, high"),
            (
                "--policy nonsense",
                "unknown --policy 'nonsense': choose one of calf, nominal, actor",
            ),
            ("--palette nonsense", "unknown --palette 'nonsense': choose one of standard, "),
            ("--value-scale log", "unknown --value-scale 'log': choose one of linear, sqrt, "),
            ("--clim 5,1", "--clim '5,1' has no extent upwards: give auto, robust, agents, or"),
            ("--clim nan,1", "clim 'nan,1' is not finite: give auto, robust, agents, or two"),
            ("--clim 1", "unknown --clim '1': give auto, robust, agents, or two numbers"),
            ("--colour-map nonsense", "unknown colour map 'nonsense'"),
            ("--nonsense 3", "No such option '--nonsense'"),
            ("nonsense", "No such command 'nonsense'"),
            ("--screenshot mine.png", "'mine.png' belongs to no option: --output FILE.png names a"),
            ("--profile --output a.png", "--output a.png: profiles need a folder: give another"),
            ("--headless=3", "Option '--headless' does not take a value"),
            ("--seed", "Option '--seed' requires an argument"),
            ("--n_agents 0", "--n-agents 0 is out of range: give 1 to "),
            ("--n_agents -1", "--n-agents -1 is out of range: give 1 to "),
            ("--n_agents 1000000000", "--n-agents 1000000000 is out of range: give 1 to "),
            ("--n_agents 2.5", "Invalid value for '--n-agents': '2.5' is not a valid integer"),
            pytest.param(
                "--n_agents 10000000",
                "10000000 agents with trails of 600 steps do not fit ",
                marks=pytest.mark.rendering,
            ),
            ("--frames 0", "--frames 0 is out of range: give 1 to "),
            ("--p_relax nan", "--p-relax nan is out of range: give 0.0 to 1.0"),
            ("--size 0x0", "size: width 0 is out of range: give 16 to "),
            ("--size abc", "'abc' is not a size: give one such as 1280x720"),
            ("--size 64", "'64' is not a size: give one such as 1280x720"),
            ("--size=-64x36", "'-64x36' is not a size: give one such as 1280x720"),
            ("--profile --screenshot", "--profile and --screenshot cannot be combined: give one"),
            ("--screenshot --frames 3", "--frames has no effect with --screenshot, which draws"),
            ("--policy actor --p-relax 0.5", "--p-relax has no effect with --policy actor: leave"),
            ("--slice 0.4", "--slice has no effect with point_mass, whose plane shows all of its"),
            ("--no-hud --stats-q-value-update-freq 3", "-freq has no effect with --no-hud: leave"),
            ("--no-hud --hud-scale 2", "--hud-scale has no effect with --no-hud: leave"),
            ("--profile --supersample 2", "--supersample has no effect where no picture is saved"),
            ("--output x.jpg", "--output x.jpg: pictures are PNG: give x.png"),
            ("--camera 10,20,10,0,0,0,7", "--camera has 7 numbers, but at most 6 are wanted"),
            ("--theme pink", "unknown --theme 'pink': choose one of dark, light"),
            ("--no-vsync", "--no-vsync has no effect without a window: leave --no-vsync out"),
            ("--define TRIALS=0", "--define TRIALS=0: no shader mentions it: did you mean TRAILS?"),
            ("--define FOO", "--define FOO=1: no shader mentions it: leave it out"),
            ("--trace", "--trace needs --profile: give both"),
            (
                "--stats-text-update-freq 0",
                "--stats-text-update-freq 0 is out of range: give 1 to ",
            ),
            ("--shaders no/such/folder", "--shaders no/such/folder: neither a folder nor a file"),
            ("--ab no/such/folder", "--ab no/such/folder: neither a folder nor a file"),
            ("--shaders=", "Invalid value for '--shaders': is empty: give a path"),
            ("--set u_x=1", "--set u_x is not a control of these shaders: they have none"),
            ("--set u_x", "--set u_x: write NAME=VALUE"),
            ("--set b:u_x=1", "--set b:u_x=1: there is no look B: give --ab as well"),
            ("train", "no system to train: give --system"),
            ("train --system nonsense", "unknown system 'nonsense': choose one of "),
            ("train --system point_mass --preset nonsense", "unknown preset 'nonsense': choose "),
            ("train --resume no/such", "no/such: neither a run's folder nor a checkpoint with "),
            ("evaluate", "Missing option '--system'"),
            ("evaluate --system point_mass --episodes 0", "episodes 0 is out of range: give 1 to"),
            ("evaluate --system point_mass --seed -1", "seed -1 is out of range: give 0 to"),
            (
                "evaluate --system point_mass --checkpoint no/such",
                "no/such: there is no checkpoint; ",
            ),
        ],
    )
    def test_is_reported_in_one_line(self, calf_viz: Command, arguments: str, said: str) -> None:
        here = () if arguments.startswith(("train", "evaluate")) else ("--headless",)
        assert said in calf_viz(*here, *arguments.split()).complaint

    def test_in_a_process_of_its_own(self) -> None:
        said = in_a_child("--n_agents", "0").complaint
        assert said.startswith("--n-agents 0 is out of range: give 1 to ")

    def test_in_a_folder_with_one_of_the_packages_name(self, tmp_path: Path) -> None:
        """As the parent of a checkout is."""
        (tmp_path / "calf_viz").mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "calf_viz", "--version"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        if done.returncode == 0:  # installed as a path, not by a finder: it is not hidden then
            assert done.stdout.startswith("calf-viz, version ")
        else:
            said = Said(done.returncode, done.stdout, done.stderr).complaint
            assert said.startswith(f"the folder {tmp_path / 'calf_viz'} hides the package: use ")

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            ("missing", "{}: there is no checkpoint; "),
            ("truncated", "{}: truncated or not a safetensors file; "),
            ("empty", "{}: truncated or not a safetensors file; "),
            ("of another system", "{}: it is for system differential_drive, not point_mass; "),
            ("saved by torch", "{}: it is a pickle, which can run code"),
            ("pickle", "{}: it is a pickle, which can run code"),
            ("folder", "{}: it is a folder, not a regular file; "),
        ],
    )
    def test_checkpoint(self, calf_viz: Command, tmp_path: Path, kind: str, said: str) -> None:
        path = tmp_path / "agent.safetensors"
        whole = shipped("point_mass").read_bytes()
        if kind == "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        elif kind == "empty":
            path.touch()
        elif kind == "of another system":
            path.write_bytes(shipped("differential_drive").read_bytes())
        elif kind == "saved by torch":
            torch.save({"actor.w1": torch.ones(2)}, path)
        elif kind == "pickle":
            path.write_bytes(pickle.dumps({"actor.w1": [1.0]}))
        elif kind == "folder":
            path.mkdir()
        assert calf_viz("--headless", "--checkpoint", path).complaint.startswith(said.format(path))

    @pytest.mark.rendering
    def test_shader_that_does_not_compile(self, calf_viz: Command, tmp_path: Path) -> None:
        text = (shader_folder() / "trail_width.glsl").read_text()
        file = tmp_path / "trail_width.glsl"
        file.write_text(f"{text}\nfloat broken() {{ return unknown_thing; }}\n")
        line = len(text.splitlines()) + 2
        said = calf_viz(*SMALL, "--shaders", tmp_path).complaint
        assert said.startswith(f"{file}:{line}: ") and "unknown_thing" in said

    @pytest.mark.rendering
    @pytest.mark.parametrize("how", ["--screenshot", "--profile", "--frames=300"])
    def test_folder_that_cannot_be_written_is_known_before_drawing(
        self, calf_viz: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        monkeypatch.setattr(CALFApplication, "step", lambda app: pytest.fail("drew for nothing"))
        (tmp_path / "file").write_text("no folder")
        # Below a regular file nobody can write, root included.
        below = tmp_path / "file" / "below"
        said = calf_viz(*SMALL, how, "--output", below).complaint
        assert said.startswith(f"cannot write to {below}: ")


@pytest.mark.rendering
class TestPictures:
    def test_screenshots_depend_on_the_seed_alone(self, calf_viz: Command, tmp_path: Path) -> None:
        """Byte for byte, in this process and in another."""
        first, again, other = (tmp_path / name for name in ("first", "again", "other"))
        shot = (*SMALL, *LEGIBLE, "--screenshot", "--seed", "5")
        said = calf_viz(*shot, "--output", first)
        assert (said.code, said.err) == (0, "")
        names = [f"point_mass_2_{frame}.png" for frame in app.SCREENSHOT_FRAMES]
        assert said.out.split() == [str(first / name) for name in names]
        assert sorted(pictures(first)) == sorted(names)
        assert in_a_child(*shot, "--output", again).code == 0
        assert pictures(again) == pictures(first)
        assert calf_viz(*shot, "--seed", "6", "--output", other).code == 0
        for name in names:
            assert pictures(other)[name] != pictures(first)[name]

    def test_screenshots_show_what_stepping_to_their_frame_shows(
        self, calf_viz: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the frames before are not drawn."""
        monkeypatch.setattr(app, "SCREENSHOT_FRAMES", (1, 12))
        shot = (*SMALL, *LEGIBLE)
        calf_viz(*shot, "--screenshot", "--output", tmp_path)
        assert calf_viz(*shot, "--frames", "12", "--output", tmp_path / "drawn").code == 0
        name = "point_mass_2_12.png"
        assert pictures(tmp_path / "drawn") == {name: (tmp_path / name).read_bytes()}
        assert (tmp_path / "point_mass_2_1.png").is_file()

    @pytest.mark.parametrize("also", [(), ("--screenshot",)])
    def test_a_single_picture_gets_the_name_given(
        self, calf_viz: Command, tmp_path: Path, also: tuple[str, ...]
    ) -> None:
        shot, path = (*SMALL, *LEGIBLE, *also, "--frames", "12"), tmp_path / "new" / "mine.PNG"
        said = calf_viz(*shot, "--output", path)
        assert (said.code, said.out.split()) == (0, [str(path)])
        calf_viz(*SMALL, *LEGIBLE, "--frames", "12", "--output", tmp_path / "drawn")
        assert list(pictures(tmp_path / "drawn").values()) == [path.read_bytes()]

    def test_a_folder_may_have_a_picture_s_name(self, calf_viz: Command, tmp_path: Path) -> None:
        (tmp_path / "mine.png").mkdir()
        said = calf_viz(*SMALL, "--frames", "2", "--output", tmp_path / "mine.png")
        assert str(tmp_path / "mine.png" / "point_mass_2_2.png") in said.out

    def test_the_hud_can_be_left_out(self, calf_viz: Command, tmp_path: Path) -> None:
        drawn = []
        for flag in ("--hud", "--no-hud"):
            folder = tmp_path / flag
            far = "--camera", "distance=40"  # no surface below the panel
            calf_viz(*SMALL, *LEGIBLE, *far, flag, "--frames", "3", "--output", folder)
            (path,) = folder.iterdir()
            drawn.append(np.asarray(Image.open(path)))
        with_hud, without = drawn
        assert (without[16:80, 16:80] == without[0, 0]).all()
        assert (with_hud[16:80, 16:80] != without[0, 0]).any()

    def test_without_a_window_it_says_what_it_did(self, calf_viz: Command, tmp_path: Path) -> None:
        said = calf_viz(*SMALL, "--frames", "4", "--output", tmp_path)
        assert said.code == 0
        start, path, end = said.out.splitlines()
        renderer = start.removeprefix("no window (EGL), OpenGL by ")
        assert renderer and renderer != start
        assert path == str(tmp_path / "point_mass_2_4.png")
        assert end.startswith("median frame ") and end.endswith(f" ms, 2 agents, {renderer}")
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((64, 36), "RGB")
            assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 20

    def test_shaders_that_compile_again_are_said(
        self, calf_viz: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look, step = tmp_path / "look", CALFApplication.step
        look.mkdir()

        def save_and_step(shown: CALFApplication) -> None:
            assert shown.live_shaders is not None
            for text in ("broken", "float trail_half_width(float age) { return 1.0; }"):
                (look / "trail_width.glsl").write_text(text)
                shown.live_shaders.rebuild()
            step(shown)

        monkeypatch.setattr(CALFApplication, "step", save_and_step)
        watched = ("--shaders", look, "--watch", "--frames", "1", "--output", tmp_path)
        said = calf_viz(*SMALL, *watched)
        assert "trail_width.glsl:1: " in said.err
        assert said.err.index("broken") < said.err.index(f"{look / 'trail_width.glsl'} is fixed\n")

    def test_hyphens_and_underscores_are_the_same(self, calf_viz: Command, tmp_path: Path) -> None:
        written = []
        for way in ("-", "_"):
            options = f"--n{way}agents 3 --trail{way}length 50 --system differential{way}drive"
            folder = tmp_path / way
            said = calf_viz(*SMALL, *options.split(), "--frames", "3", "--output", folder)
            assert said.code == 0, said.err
            written.append(pictures(folder))
        assert written[0] == written[1]
        assert list(written[0]) == ["differential_drive_3_3.png"]

    def test_a_failed_write_leaves_the_old_picture(
        self, calf_viz: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def disk_runs_full(self: Image.Image, path: Path, **_: str) -> None:
            Path(path).write_text("half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Image.Image, "save", disk_runs_full)
        old = tmp_path / "point_mass_2_2.png"
        old.write_text("old")
        said = calf_viz(*SMALL, "--frames", "2", "--output", tmp_path)
        assert said.code == 2
        assert f"calf-viz: cannot write {old}: No space left on device; " in said.err
        assert "Traceback" not in said.err
        assert pictures(tmp_path) == {old.name: b"old"}

    def test_interrupted(
        self, calf_viz: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(_: CALFApplication) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(CALFApplication, "advance", interrupt)
        said = calf_viz(*SMALL, "--screenshot", "--output", tmp_path)
        assert (said.code, said.out, said.err.strip()) == (130, "", "")


@pytest.mark.rendering
class TestProfile:
    def test_three_runs_of_which_the_median_is_reported(
        self, calf_viz: Command, tmp_path: Path
    ) -> None:
        said = calf_viz(*SMALL, "--profile", "--frames", "20", "--output", tmp_path)
        assert said.code == 0, said.err
        (path,) = tmp_path.iterdir()
        assert re.fullmatch(r"point_mass_n2_gpu_\d{8}_\d{6}\.json", path.name)
        profile = load_profile(path)
        assert [len(run) for run in profile.runs] == [20] * 3
        medians = [float(np.median(run.frame_ms)) for run in profile.runs]
        assert medians[profile.reported] == sorted(medians)[1]
        # The same frames of the same seed, each time from the start.
        for run in profile.runs:
            assert run.counters.keys() == profile.run.counters.keys()
            for name, counts in run.counters.items():
                np.testing.assert_array_equal(counts, profile.run.counters[name])
        start, *lines, last = said.out.splitlines()
        assert start.startswith("no window (EGL), OpenGL by ") and last == str(path)
        text = "\n".join(lines)
        for word in ("policy", "physics", "upload", "draw", "p95", "frames a second", "memory"):
            assert word in text
        assert f"{profile.summary['frame_time_p95_ms']:.3f}" in text
        assert "run 3 of 3" in said.err, "a progress bar"

    def test_what_it_writes_can_be_compared_and_traced(
        self, calf_viz: Command, tmp_path: Path
    ) -> None:
        for name in "ab":
            flags = ("--profile", "--trace", "--frames", "8", "--output", tmp_path / name)
            said = calf_viz(*SMALL, *flags)
            assert said.code == 0, said.err
        a, b = (next(p for p in (tmp_path / n).iterdir() if "trace" not in p.name) for n in "ab")
        compared = compare_results(a, b)
        assert compared["upload_bytes"].verdict == "no difference"
        trace = a.with_suffix(".trace.json")
        events = json.loads(trace.read_text())["traceEvents"]
        assert [event["name"] for event in events].count("frame") == 8
        assert said.out.splitlines()[-1].endswith(".trace.json")


def test_help_names_every_option_with_its_default(calf_viz: Command) -> None:
    said = calf_viz("--help")
    assert (said.code, said.err) == (0, "")
    assert "Usage: calf-viz" in said.out
    words = " ".join(said.out.split())  # however the columns wrap
    for text in ("--n-agents", "--trail-length", "--checkpoint", "[default: 1280x720]", "evaluate"):
        assert text in words
    assert "--no-use-gpu-geometry" in words and "[default: gpu]" in words


def test_version(calf_viz: Command) -> None:
    assert calf_viz("--version").out.startswith("calf-viz, version ")


def test_samples_of_a_picture_are_refused_where_none_is_saved() -> None:
    refuse_without_effect(["supersample"], VisualizationConfig(headless=True), False, False)
    with pytest.raises(UserError, match=r"saved: add --output FILE.png, or leave --supersample"):
        refuse_without_effect(["supersample"], VisualizationConfig(), False, False)
