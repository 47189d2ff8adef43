"""Shaders that crash a driver, or that it never finishes: in a child, not where people look on.

Drivers that fail are pretended by `pretend_driver.py`; what the driver at hand fails for is tried
as well, and either drawn or told, since another release may be better.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest
from applications import running
from opened_hosts import opened
from pretended_drivers import HEAD, TRAILS, Driver, candidate, examining, pretended
from scene_folder import Agents, SceneFolder
from waiting import soon
from written_looks import RED, covers, picture, surface

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import LOOK, Candidate, load_program
from calf_viz.glsl.shipped_shaders import look_names, shader_folder
from calf_viz.hosts.base import Host
from calf_viz.hosts.setup import Setup
from calf_viz.scene.colours import colour_map
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.shader_trial import trials as trials_module
from calf_viz.shader_trial import trust
from calf_viz.shader_trial.examiner import Examiner
from calf_viz.shader_trial.trials import Trials
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import AppliedLook

SCENE = SceneFolder("trial", size=(160, 90), trail=60, steps=40, agents=[Agents(5, seed=1)])
FAULTS = [
    ("ABORT", "the driver crashed on it (signal 6, SIGABRT)"),
    ("KILLED", "the driver crashed on it (signal 9, SIGKILL)"),
    ("EXIT", "the driver crashed on it (exit code 3)"),
    ("GARBAGE", "the driver crashed on it (exit code 0)"),
    ("HANG", "the driver did not finish it within 2 s"),
    ("SLOW", "a frame of 1280 x 720 would take about 77 s"),
    ("RAISE", "cannot be drawn with (no such input)"),
]

driver = pytest.fixture(pretended)
examiner = pytest.fixture(examining)
patient = pytest.fixture(examining, scope="class")


@pytest.fixture
def host(look: Path) -> Iterator[Host]:
    with opened("moderngl", SCENE, library=ShaderLibrary(look)) as made:
        SCENE.play(made)
        yield made


@pytest.fixture
def live(host: Host, examiner: Examiner, driver: Driver) -> Iterator[LiveShaders]:
    trials = Trials(examiner)
    with closing(trials), closing(LiveShaders(host, [AppliedLook(host)], trials)) as made:
        yield made


def frames(live: LiveShaders, condition: Callable[[], bool]) -> bool:
    """Whether it becomes true while frames are drawn."""

    def frame() -> bool:
        live.poll()
        live.draw(live.host.draw)
        return condition()

    return soon(frame)


@pytest.mark.rendering
class TestSaving:
    """A file is saved while the program draws."""

    @pytest.mark.parametrize(("word", "said"), FAULTS)
    def test_what_a_driver_fails_for_is_reported_and_the_last_good_picture_stays(
        self, live: LiveShaders, look: Path, word: str, said: str
    ) -> None:
        file, host = look / "surface_colour.glsl", live.host
        file.write_text(RED)
        live.rebuild()
        red = picture(host)
        assert covers(red, [255, 0, 0]) and live.problem is None
        file.write_text(surface("vec3(0, 1, 0)", before=f"const int {word} = 1;\n"))
        live.rebuild()
        assert live.problem is not None
        assert (live.problem.path, live.problem.line) == (file, 1)
        assert live.problem.text.startswith(said) and live.problem.code == f"const int {word} = 1;"
        assert np.array_equal(picture(host), red)
        file.write_text(surface("vec3(0, 0, 1)"))
        live.rebuild()
        assert live.problem is None and covers(picture(host), [0, 0, 255])

    def test_a_compilers_words_are_reported_as_ever(self, live: LiveShaders, look: Path) -> None:
        (look / "trail_colour.glsl").write_text(f"\n// BROKEN\n{TRAILS}")
        live.rebuild()
        assert str(live.problem) == f"{look / 'trail_colour.glsl'}:2: it is broken"

    def test_frames_go_on_meanwhile(self, live: LiveShaders, look: Path) -> None:
        host = live.host
        first = picture(host)
        assert frames(live, lambda: live.rebuilds > 0)
        (look / "surface_colour.glsl").write_text(surface("vec3(1, 0, 0)", before="// SLEEP\n"))
        assert frames(live, lambda: live.trying)
        assert np.array_equal(host.screenshot(), first), "what was good is drawn"
        assert frames(live, lambda: not live.trying and covers(host.screenshot(), [255, 0, 0]))

    def test_a_fixed_file_does_not_wait_for_one_that_hangs(
        self, look: Path, host: Host, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trials_module, "GRACE", 0.1)
        file = look / "surface_colour.glsl"
        trials = Trials(Examiner("gpu", patience=1e6))
        with closing(trials), closing(LiveShaders(host, [AppliedLook(host)], trials)) as live:
            file.write_text(surface("vec3(1, 0, 0)", before="// HANG\n"))
            assert frames(live, lambda: "field" in driver.asked)
            file.write_text(surface("vec3(0, 1, 0)"))
            assert frames(live, lambda: covers(host.screenshot(), [0, 255, 0]))
            assert live.problem is None

    def test_of_many_saves_in_a_row_some_are_seen(
        self, live: LiveShaders, look: Path, driver: Driver
    ) -> None:
        """An editor that saves with each key: what is on trial is not given up for the next."""
        seen, saved = set[int](), 0

        def save_and_look() -> bool:
            nonlocal saved
            saved += 1
            text = surface(f"vec3({saved % 200 + 50}.0 / 255.0, 0, 0)", before="// SLEEP\n")
            (look / "surface_colour.glsl").write_text(text)
            seen.update(np.unique(live.host.screenshot()[..., 0]).tolist())
            return live.rebuilds >= 4

        assert frames(live, save_and_look)
        assert saved > 8 and live.problem is None

    @pytest.mark.parametrize("late", ["0", "1.0"])
    def test_where_each_trial_takes_longer_than_the_next_save_some_are_seen(
        self, look: Path, host: Host, driver: Driver, late: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A slow or busy machine: neither a trial nor a child's start is given up for ever."""
        monkeypatch.setattr(trials_module, "GRACE", 0.02)  # of the 0.3 s that a trial takes
        monkeypatch.setenv("PRETEND_LATE", late)
        trials, saved = Trials(Examiner("gpu")), 0
        with closing(trials), closing(LiveShaders(host, [AppliedLook(host)], trials)) as live:

            def save_and_look() -> bool:
                nonlocal saved
                saved += 1
                text = surface(f"vec3({saved % 200 + 50}.0 / 255.0, 0, 0)", before="// SLEEP\n")
                (look / "surface_colour.glsl").write_text(text)
                return bool(host.screenshot()[..., 0].max() >= 50) and live.rebuilds >= 3

            assert frames(live, save_and_look)
            assert live.problem is None

    def test_that_another_driver_tries_them_is_said_once(
        self, live: LiveShaders, look: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for colour in ("1, 0, 0", "0, 1, 0"):
            rebuilds = live.rebuilds
            (look / "surface_colour.glsl").write_text(surface(f"vec3({colour})"))
            assert frames(live, lambda: live.rebuilds > rebuilds and not live.trying)  # noqa: B023
        told = [r.message for r in caplog.records if "are tried with" in r.message]
        assert told == [f"shaders are tried with pretended, and drawn with {live.host.renderer}"]

    def test_two_looks_a_fault_of_one_does_not_hold_up_the_other(
        self, tmp_path: Path, driver: Driver
    ) -> None:
        a, b = tmp_path / "a", tmp_path / "b"
        a.mkdir(), b.mkdir()
        with running(n_agents=3, shaders=a, ab=b, watch=True) as shown:
            live, compare = shown.live_shaders, shown.host.compare
            assert live is not None and compare is not None
            compare.view.mode = "b"
            (a / "surface_colour.glsl").write_text(surface("colour", before="// ABORT\n"))
            (b / "surface_colour.glsl").write_text(RED)
            live.rebuild()
            shown.step()
            assert covers(shown.screenshot(), [255, 0, 0])
            assert live.problem is not None and live.problem.path == a / "surface_colour.glsl"


@pytest.mark.rendering
class TestStart:
    @pytest.mark.parametrize("option", ["shaders", "ab"])
    @pytest.mark.parametrize("renderer", ["gpu", "batched"])
    def test_a_look_that_crashes_a_driver_is_one_line(
        self, look: Path, driver: Driver, option: str, renderer: str
    ) -> None:
        (look / "trail_colour.glsl").write_text(f"const int ABORT = 1;\n{TRAILS}")
        with (
            pytest.raises(UserError, match=r"trail_colour\.glsl:1: the driver crashed on it"),
            running(renderer=renderer, **{option: look}),
        ):
            pass
        assert driver.lines[0].startswith(f"start {renderer}")

    def test_what_is_shipped_starts_no_child(self, driver: Driver) -> None:
        with running(shaders=Path("ink"), ab=Path("night"), define=("TRAIL_COLOUR=BY_AGE",)):
            assert driver.lines == []

    def test_without_watching_the_child_is_gone_and_with_it_at_the_end(
        self, look: Path, driver: Driver
    ) -> None:
        (look / "trail_colour.glsl").write_text(TRAILS)
        before = set(psutil.Process().children())
        with running(shaders=look):
            assert driver.asked == ["field"]
            assert set(psutil.Process().children()) == before
        with running(shaders=look, watch=True) as shown:
            assert len(set(psutil.Process().children()) - before) == 1
            shown.step()
        assert set(psutil.Process().children()) == before

    def test_where_nothing_can_be_tried_it_is_said_once_and_all_goes_on(
        self, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        monkeypatch.setenv("PRETEND_UNFIT", "1")
        (look / "surface_colour.glsl").write_text(RED)
        (look / "hud.frag").write_text((shader_folder() / "hud.frag").read_text())
        with running(shaders=look, hud=True) as shown:
            shown.step()
            assert covers(shown.screenshot(), [255, 0, 0])
        told = [r.message for r in caplog.records if "untried" in r.message]
        assert len(told) == 1 and "no OpenGL here" in told[0] and driver.starts == 1


class TestTrust:
    def test_what_is_shipped_needs_no_trial(self) -> None:
        folder = shader_folder() / "looks"
        libraries = [ShaderLibrary(), *(ShaderLibrary(folder / name) for name in look_names())]
        given = [{one.name: value} for one in variants.GIVEN for value in one.values]
        for defines in (*variants.combinations(), *given):
            libraries.append(ShaderLibrary(defines=defines))
        for library in libraries:
            assert all(trust.is_trusted(load_program(library, name)) for name in LOOK)

    @pytest.mark.parametrize("name", systems.own())
    def test_none_of_the_shipped_systems_starts_a_child(self, name: str) -> None:
        view = view_of(systems.get(name))
        scene = Scene(frame=Frame.of(view), modes=len(view.modes))
        library = Setup(scene, colour_map("cividis"), 1).library
        assert all(trust.is_trusted(load_program(library, program)) for program in LOOK)

    def test_what_is_ones_own_does(self, look: Path) -> None:
        (look / "trail_colour.glsl").write_text((shader_folder() / "trail_colour.glsl").read_text())
        own = ShaderLibrary(look)
        assert not trust.is_trusted(load_program(own, "field"))
        assert trust.is_trusted(load_program(own, "hud")), "it has no part in it"
        assert not trust.is_trusted(load_program(ShaderLibrary(defines={"MINE": "1"}), "field"))

    def test_a_shipped_file_that_was_edited_meanwhile_does(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = load_program(ShaderLibrary(), "field")
        assert trust.is_trusted(source)
        edited = dict.fromkeys(trust._shipped())
        monkeypatch.setattr(trust, "_shipped", lambda: edited)
        assert not trust.is_trusted(source)

    def test_what_was_drawn_once_is_not_tried_again(
        self, examiner: Examiner, look: Path, driver: Driver
    ) -> None:
        (look / "trail_colour.glsl").write_text(TRAILS)
        with closing(Trials(examiner)) as trials:
            for _ in range(3):
                trials([candidate(ShaderLibrary(look))])
            assert driver.asked == ["field"]
            (look / "trail_colour.glsl").write_text(f"// EXIT\n{TRAILS}")
            for _ in range(2):
                with pytest.raises(ShaderError):
                    trials([candidate(ShaderLibrary(look))])


CALLS = "".join(
    f"float f{i}(float x) {{ return {f'f{i - 1}(x) + 1.0' if i else 'x'}; }}\n" for i in range(4000)
)


@pytest.mark.rendering
class TestThisDriver:
    """Texts that drivers crash on or do not finish: told, or drawn by better ones."""

    @pytest.mark.parametrize(
        "body",
        [
            "return vec4(colour, float(-2147483648 / -1));",
            "return texture(u_palette, vec2(0.0 / 0.0));",
            "float x = age; return vec4(colour, x" + "\n + age" * 30_000 + ");",
            "float x = age; for (;;) { x = sin(x) + edge; } return vec4(colour, x);",
            "float x = age; while (true) { x = sin(x) + edge; if (x > 1e20) break; }"
            "return vec4(colour, x);",
            "float x = age; for (int i = 0; i < 1000000000; i++) x = sin(x) + edge;"
            "return vec4(colour, x);",
            "float a[200000000]; a[mode] = age; return vec4(colour, a[int(age)]);",
            "return vec4(f3999(age));",
        ],
        ids=["division", "NaN", "terms", "for", "while", "long loop", "array", "calls"],
    )
    def test_it_is_reported_or_drawn(self, patient: Examiner, look: Path, body: str) -> None:
        calls = CALLS if "f3999" in body else ""
        (look / "trail_colour.glsl").write_text(f"{calls}{HEAD} {{\n{body}\n}}\n")
        found = patient.examine(candidate(ShaderLibrary(look)))
        for problem in found.problems:
            assert problem.path == look / "trail_colour.glsl"
        shipped = Candidate(ShaderLibrary(), load_program(ShaderLibrary(), "field"))
        assert not patient.examine(shipped).problems, "a new child goes on"

    def test_a_viewer_and_a_check_end_with_a_line(self, look: Path) -> None:
        (look / "trail_colour.glsl").write_text(
            f"{HEAD} {{\n    return vec4(colour, float(-2147483648 / -1));\n}}\n"
        )
        for arguments in (["--headless", "--frames", "2", "--shaders", look], ["shaders", "check"]):
            command = [sys.executable, "-m", "calf_viz", *map(str, arguments)]
            if arguments[-1] == "check":
                command.append(str(look))
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert done.returncode in (0, 1, 2), done
            assert "Traceback" not in done.stderr
            if done.returncode:
                said = (done.stdout + done.stderr).strip().splitlines()
                assert len(said) == 1 and f"{look / 'trail_colour.glsl'}:1: " in said[0]
