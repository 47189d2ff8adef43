"""Systems that are not of this package: from a file, an installed module, an entry point."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from calf_viz import systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError
from calf_viz.systems import loading as outside
from calf_viz.systems import registry
from calf_viz.systems.point_mass import PointMass
from calf_viz.training import pool
from calf_viz.training import train as training
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.config import VisualizationConfig

MINE = """\
from calf_viz.systems.point_mass import PointMass

class Mine(PointMass):
    name = "{name}"

    def nominal(self, states):
        return {nominal}

{last}
"""
NOMINAL = "super().nominal(states)"


def written(
    path: Path, name: str = "mine", nominal: str = NOMINAL, last: str = "SYSTEM = Mine()"
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MINE.format(name=name, nominal=nominal, last=last), encoding="utf-8")
    return path


def distribution(folder: Path, name: str, point: str = "mine = theirs.systems:SYSTEM") -> None:
    """As `pip install` leaves it in a folder of the path."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[calf_viz.systems]\n{point}\n")


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test gives goes with it."""

    def forget() -> None:
        outside.announced.cache_clear()
        registry._installed.cache_clear()
        for name in [name for name in sys.modules if name.split(".")[0] == "theirs"]:
            del sys.modules[name]

    forget()
    monkeypatch.setattr(registry, "_given", {})
    yield
    monkeypatch.undo()
    forget()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the path, with a package `theirs` whose `systems` has one called `mine`."""
    folder = tmp_path / "site"
    written(folder / "theirs" / "systems.py")
    (folder / "theirs" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def refused(text: str) -> str:
    with pytest.raises(UserError) as caught:
        systems.given(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# A file


def test_a_file_gives_a_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "mine.py")
    monkeypatch.chdir(tmp_path)
    assert systems.given("./mine.py") == "mine"
    system = systems.get("mine")
    assert type(system).__name__ == "Mine" and "mine" in systems.names()
    assert systems.reference("mine") == f"{path}:SYSTEM"
    # Again, by whatever name of the file, it is the same.
    for text in ("mine.py", f"{path}:SYSTEM"):
        assert systems.given(text) == "mine" and systems.get("mine") is system
    with pytest.raises(UserError, match=r"train --system \./mine\.py --output mine\.safetensors"):
        shipped.load(system)


def test_of_several_in_a_file_one_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.py", last="FAST, SLOW = Mine(), Mine(); SLOW.name = 'slow'")
    assert refused(str(path)) == (
        f"{path}: SYSTEM does not exist, but FAST, SLOW: give {path}:FAST"
    )
    assert systems.given(f"{path}:SLOW") == "slow"


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        ({"last": "SYSTEM = Mine("}, 9, "SyntaxError: '(' was never closed"),
        ({"last": "SYSTEM = Yours()"}, 9, "NameError: name 'Yours' is not defined"),
        ({"last": "raise SystemExit(3)"}, 9, "SystemExit: 3"),
        ({"last": "import nothing_such"}, 9, "ModuleNotFoundError: No module named"),
        ({"nominal": "1 / 0"}, 7, "ZeroDivisionError: division by zero"),
        ({"nominal": "self.clip(states @ states)"}, 7, "ValueError: matmul: Input operand 1 has"),
    ],
)
def test_an_error_in_a_file_is_reported_with_its_line(
    tmp_path: Path, change: dict[str, str], line: int, said: str
) -> None:
    path = written(tmp_path / "mine.py", **change)
    assert refused(str(path)).startswith(f"{path}:{line}: {said}")
    assert str(path) not in sys.modules or "nominal" in change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"last": "SYSTEM = Mine"}, "SYSTEM is a class: write SYSTEM = Mine()"),
        ({"last": ""}, "SYSTEM does not exist: write SYSTEM = MySystem(), an object"),
        ({"last": "SYSTEM = 3"}, "SYSTEM is a int, not a System: write"),
        ({"name": "My System"}, "name = My System: give a string of at most 60 lower-case"),
        ({"name": "../up"}, "name = ../up: give"),
        (
            {"nominal": "states"},
            "nominal returns float32 of shape (5, 2) for 5 agents: return",
        ),
        ({"nominal": "9 * states[:, :1]"}, "nominal = "),
        (
            {"nominal": "states[:, :1] / 0.0"},
            "nominal returns values that are not finite at a start in column 0: fix them",
        ),
    ],
)
def test_what_is_no_system_is_refused(tmp_path: Path, change: dict[str, str], said: str) -> None:
    path = written(tmp_path / "mine.py", **change)
    assert refused(str(path)).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("state_dim", 1, "state_dim = 1: give 2 to 100"),
        ("action_limits", [0.0], "action_limits = array"),
        ("dt", 0.0, "dt = 0.0: give seconds above 0"),
        ("angles", (2,), r"angles = \(2,\): give states, each of 0 to 1"),
        ("angles", (0,), "plane: a periodic axis whose bounds are not one period: state 0 is an "
                         "angle, from -5.0 to 5.0: give 2 pi"),
        ("heading_axis", 0, "heading_axis = 0: give a state that is also in angles"),
        ("goal", (0.0, 0.0), r"goal = \(0.0, 0.0\): give centre and radius"),
        ("goal", (0.0, 0.0, -1.0), r"goal = \(0.0, 0.0, -1.0\): give centre and radius"),
        ("goal", "all", "goal = all: give centre and radius"),
        ("goal", (4.0, 0.0, 0.1), r"goal = \(4.0, 0.0, 0.1\): give a centre that is in_goal"),
        ("marker", "arrow", "heading_axis = None: give the angle that the arrow"),
        ("edges", {0: (5.0, -5.0)}, "edges = "),
        ("edges", {7: (-5.0, 5.0)}, "edges = "),
        ("state_names", ("x", "x"), "state_names = "),
        ("state_names", ("x", "a=b"), "state_names = "),
        ("plane", systems.Plane((1.0, 0.0), (1.0, 1.0)), "plane = "),
        ("plane", systems.Plane((float("nan"), 0.0), (1.0, 1.0)), "plane = "),
        ("plane", systems.Plane(axes=(0, 0)), r"plane.axes = \(0, 0\): give two states"),
        ("plane", None, "plane = None: give a Plane"),
    ],
)  # fmt: skip
def test_attributes_without_sense_are_refused(name: str, value: object, said: str) -> None:
    system = PointMass()
    setattr(system, name, value)
    with pytest.raises(UserError, match=said):
        outside.check(system)


@pytest.mark.parametrize("lo", [-np.pi, 0.0, np.float32(-np.pi), -3.14159])
def test_an_angles_axis_may_begin_anywhere(lo: float) -> None:
    system = PointMass()
    system.angles = (1,)
    system.plane = systems.Plane((-5.0, lo), (5.0, -lo if lo < -3.0 else lo + 2 * np.pi))
    outside.check(system)


def test_those_that_come_with_the_program_are_sound() -> None:
    for name in systems.own():
        outside.check(systems.get(name))


def test_a_name_twice_is_reported_with_both_places(tmp_path: Path) -> None:
    shipped_name = written(tmp_path / "a.py", name="pendulum")
    assert refused(str(shipped_name)) == (
        "two systems are called pendulum: the one of calf_viz (calf_viz.systems.pendulum) and "
        f"{shipped_name}; give one of them another name"
    )
    one, two = (written(tmp_path / f"{i}.py") for i in (1, 2))
    systems.given(str(one))
    assert refused(str(two)) == (
        f"two systems are called mine: {one} and {two}; give one of them another name"
    )
    assert type(systems.get("pendulum")).__module__ == "calf_viz.systems.pendulum"


def test_only_the_command_line_runs_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.py", last=f"open({str(tmp_path / 'ran')!r}, 'w')")
    for text in (str(path), f"{path}:SYSTEM", "theirs.systems"):
        for kind in (VisualizationConfig, TrainingConfig):
            with pytest.raises(
                UserError, match=r"unknown system .* only be given on the command line"
            ):
                kind(system=text)
    assert not (tmp_path / "ran").exists()


def test_a_system_of_python_alone_is_known_by_its_name() -> None:
    system = PointMass()
    system.name = "mine"
    assert systems.add(system) == "mine" and systems.get("mine") is system
    assert TrainingConfig(system="mine").system == "mine"
    with pytest.raises(UserError, match=r"put it into a file, and give that to systems\.given"):
        systems.reference("mine")


# A module


def test_a_module_that_is_installed_gives_a_system(installed: Path) -> None:
    assert systems.given("theirs.systems:SYSTEM") == "mine"
    assert systems.reference("mine") == "theirs.systems:SYSTEM"
    assert systems.given("theirs.systems") == "mine"


def test_a_module_of_the_current_folder_is_not_imported(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(installed)
    for entry in ("", ".", str(installed)):
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert refused("theirs.systems:SYSTEM") == (
        "system theirs.systems: no module theirs is installed (the current folder is not "
        "searched): install it, or give a file, such as ./mine.py"
    )


def test_an_error_in_a_module_is_reported_with_its_file_and_line(installed: Path) -> None:
    path = written(installed / "theirs" / "systems.py", last="SYSTEM = Mine(1)")
    assert refused("theirs.systems:SYSTEM").startswith(f"{path}:9: TypeError: Mine() takes no a")
    assert refused("theirs.others").startswith("system theirs.others: no module theirs.others is")
    written(path, last="import nothing_such")
    assert refused("theirs.systems").startswith(f"{path}:9: ModuleNotFoundError: No module named")


@pytest.mark.parametrize("text", ["a:b:c", "mine:", ":SYSTEM", "1.2", "a b.c", ".."])
def test_what_is_neither_file_nor_module_is_refused(text: str) -> None:
    assert "is neither a file nor a module" in refused(text)


# An entry point


def test_an_entry_point_gives_a_system_by_its_name(installed: Path) -> None:
    distribution(installed, "theirs")
    assert "mine" in systems.names() and "theirs.systems" not in sys.modules
    assert type(systems.get("mine")).__module__ == "theirs.systems"
    assert systems.given("mine") == systems.reference("mine") == "mine"
    assert TrainingConfig(system="mine").system == "mine"
    assert "mine" not in systems.own()


def test_two_packages_with_one_name_are_reported_when_it_is_asked_for(installed: Path) -> None:
    for name in ("theirs", "others"):
        distribution(installed, name)
    with pytest.raises(UserError, match=r"are called mine: theirs\.systems:SYSTEM of "):
        systems.get("mine")
    assert systems.get("point_mass").name == "point_mass"


def test_an_entry_point_by_another_name_than_its_systems_is_refused(installed: Path) -> None:
    distribution(installed, "theirs", "yours = theirs.systems")
    with pytest.raises(UserError, match=r"entry point yours \(theirs.systems of theirs\) leads to"):
        systems.get("yours")


def test_a_broken_entry_point_harms_only_who_asks_for_it(installed: Path) -> None:
    distribution(installed, "theirs", "mine = theirs.nothing:SYSTEM")
    assert systems.get("pendulum").name == "pendulum"
    with pytest.raises(UserError, match=r"no module theirs\.nothing is installed"):
        systems.get("mine")


# As the command line has it, and its children


def calf_viz(folder: Path, *arguments: str, path: Path | None = None) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": "" if path is None else str(path)}
    done = subprocess.run(
        [Path(sys.executable).with_name("calf-viz"), *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_file_that_is_broken_ends_the_program_with_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.py", nominal="nothing")
    code, said = calf_viz(tmp_path, "--system", "./mine.py", "--policy", "nominal")
    assert code == 2
    assert said == f"calf-viz: {path}:7: NameError: name 'nothing' is not defined; fix it\n"


@pytest.mark.parametrize("way", ["train", "child"])
def test_an_error_that_comes_later_is_reported_with_its_line_as_well(
    tmp_path: Path, way: str
) -> None:
    """Where few starts do not find it: in 30 agents at once."""
    nominal = "super().nominal(states) if len(states) < 30 else nothing"
    path = written(tmp_path / "mine.py", nominal=nominal)
    said = f"{path}:7: NameError: name 'nothing' is not defined; fix it"
    if way == "train":
        flags = ("--episodes=1", "--steps=900", "--selection-episodes=40", "--no-progress")
        code, printed = calf_viz(tmp_path, "train", "--system", "./mine.py", *flags)
        assert (code, printed) == (2, f"calf-viz: {said}\n")
        return
    systems.given(str(path))
    config = TrainingConfig.from_preset("quick", system="mine", episodes=1, steps=5, batch=4)
    task = {"policy": "nominal", "config": asdict(config), "system": systems.reference("mine")}
    with pytest.raises(UserError, match=re.escape(said)):
        list(pool.answers("calf_viz.training.benchmark_worker", [task], 1))


SHORT = ("--episodes", "2", "--steps", "20", "--batch", "8", "--selection-episodes", "2")


def test_a_system_of_a_file_is_trained_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "mine.py")
    few = {"steps": 20, "batch": 8, "selection_episodes": 2, "progress": False}
    systems.given(str(path))
    training.train("mine", episodes=1, runs=tmp_path / "runs", **few)
    (run,) = (tmp_path / "runs").iterdir()
    # Another process does not know it by its name, and runs no file that a run could name.
    monkeypatch.setattr(registry, "_given", {})
    with pytest.raises(UserError, match="unknown system 'mine': choose one of"):
        training.train(resume_from=run, episodes=2, progress=False)
    with pytest.raises(UserError, match=r"say where that is \(`system` \./mine\.py\)"):
        CALFAgent.load(run / "agent.safetensors")
    systems.given(str(path))
    assert training.train(resume_from=run, episodes=2, progress=False).done == 2
    assert CALFAgent.load(run / "agent.safetensors").system is systems.get("mine")


def test_processes_of_a_comparison_have_the_system_of_the_file(tmp_path: Path) -> None:
    systems.given(str(written(tmp_path / "mine.py")))
    config = TrainingConfig.from_preset("quick", system="mine", episodes=1, steps=5, batch=4)
    task = {"policy": "nominal", "config": asdict(config), "system": systems.reference("mine")}
    (answer,) = pool.answers("calf_viz.training.benchmark_worker", [task], 1)
    assert answer["policy"] == "nominal"


@pytest.mark.rendering
@pytest.mark.parametrize("way", ["file", "module", "entry point"])
def test_a_new_system_is_shown_and_watched(tmp_path: Path, installed: Path, way: str) -> None:
    """Without a checkpoint anywhere: over fresh networks, or as it learns in a process of its own.

    An entry point is found by every process itself: there the nominal policy is enough.
    """
    text = {"file": "../site/theirs/systems.py", "module": "theirs.systems:SYSTEM"}.get(way, "mine")
    asked = ("--policy", "nominal") if way == "entry point" else ("--train", *SHORT)
    if way == "entry point":
        distribution(installed, "theirs")
    folder = tmp_path / "here"
    folder.mkdir()
    few = ("--system", text, "--headless", "--frames", "3", "--size", "64x48", "--grid", "8")
    code, said = calf_viz(folder, *few, *asked, path=installed)
    assert code == 0, said
    untrained = "no agent comes with mine: its surface is that of untrained networks"
    assert (untrained in said) == ("--train" not in asked)
    assert [log.read_text() for log in folder.glob("runs/*/trainer.log")] == [""] * (
        "--train" in asked
    )
    assert [path.name for path in folder.glob("pictures/*")] == ["mine_5_3.png"]
