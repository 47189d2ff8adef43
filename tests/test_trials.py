"""Shaders that crash a driver, or that it never finishes: in a child, not where people look on.

Drivers that fail are pretended by `pretend_driver.py`; what the driver at hand fails for is tried
as well, and either drawn or told, since another release may be better.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from click.testing import CliRunner, Result
from scene_folder import Agents, SceneFolder
from test_app import running
from test_hosts import opened
from waiting import soon
from written_looks import RED, covers, picture, surface

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import LOOK, Candidate, load_program
from calf_viz.glsl.shipped import look_names, shader_folder
from calf_viz.hosts.base import Host
from calf_viz.trial import examiner as examiner_module
from calf_viz.trial import trials as trials_module
from calf_viz.trial import trust, worker
from calf_viz.trial.examiner import Examiner, Verdict
from calf_viz.trial.subject import PIXELS, VERTICES, open_host
from calf_viz.trial.trials import Trials
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import WornLook

SCENE = SceneFolder("trial", size=(160, 90), trail=60, steps=40, agents=[Agents(5, seed=1)])
PRETENDED = Path(__file__).with_name("pretend_driver.py")
HEAD = "vec4 trail_colour(vec3 colour, int mode, float age, float edge)"
TRAILS = f"{HEAD} {{ return vec4(colour, 1.0); }}\n"

FAULTS = [
    ("ABORT", "the driver crashed on it (signal 6, SIGABRT)"),
    ("KILLED", "the driver crashed on it (signal 9, SIGKILL)"),
    ("EXIT", "the driver crashed on it (exit code 3)"),
    ("GARBAGE", "the driver crashed on it (exit code 0)"),
    ("HANG", "the driver did not finish it within 2 s"),
    ("SLOW", "a frame of 1280 x 720 would take about 77 s"),
    ("RAISE", "cannot be drawn with (no such input)"),
]


class Driver:
    """What pretended drivers were asked."""

    def __init__(self, log: Path) -> None:
        self.log = log

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def starts(self) -> int:
        return sum(line.startswith("start") for line in self.lines)

    @property
    def asked(self) -> list[str]:
        return [line.split()[1] for line in self.lines if line.startswith("asked")]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Every child's driver is a pretended one from now on."""
    log = tmp_path / "driver.log"

    def command(module: str, design: str) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, str(PRETENDED), str(log), design], dict(os.environ)

    monkeypatch.setattr("calf_viz.trial.examiner.python_child", command)
    return Driver(log)


@pytest.fixture
def examiner() -> Iterator[Examiner]:
    with closing(Examiner("gpu", patience=2.0)) as made:
        yield made


@pytest.fixture
def host(look: Path) -> Iterator[Host]:
    with opened("moderngl", SCENE, library=ShaderLibrary(look)) as made:
        SCENE.play(made)
        yield made


@pytest.fixture
def live(host: Host, examiner: Examiner, driver: Driver) -> Iterator[LiveShaders]:
    trials = Trials(examiner)
    with closing(trials), closing(LiveShaders(host, [WornLook(host)], trials)) as made:
        yield made


def candidate(library: ShaderLibrary, name: str = "field") -> Candidate:
    return Candidate(library, load_program(library, name))


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
    def test_what_a_driver_fails_for_is_told_and_the_last_good_picture_stays(
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

    def test_a_compilers_words_are_told_as_ever(self, live: LiveShaders, look: Path) -> None:
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

    def test_a_mended_file_does_not_wait_for_one_that_hangs(
        self, look: Path, host: Host, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trials_module, "GRACE", 0.1)
        file = look / "surface_colour.glsl"
        trials = Trials(Examiner("gpu", patience=1e6))
        with closing(trials), closing(LiveShaders(host, [WornLook(host)], trials)) as live:
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
        with closing(trials), closing(LiveShaders(host, [WornLook(host)], trials)) as live:

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


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(calf_viz, ["shaders", *map(str, arguments)])


class TestCheck:
    def test_it_goes_on_behind_a_crash_and_says_which_file(
        self, look: Path, driver: Driver
    ) -> None:
        (look / "trail_width.glsl").write_text("// ABORT\nfloat trail_half_width(float a) {}\n")
        (look / "trail_colour.glsl").write_text("// KILLED\n")
        (look / "height.glsl").write_text("float height() { return 0.0; }\n")
        (look / "hud.frag").write_text("#version 330\n// EXIT\nvoid main() {}\n")
        (look / "trail_lift.glsl").write_text("// BROKEN\n")
        done = run("check", look)
        assert done.exit_code == 1
        said = sorted(done.output.splitlines())
        names = ("hud", "trail_colour", "trail_lift", "trail_width")
        assert [Path(line.split(":")[0]).stem for line in said] == list(names), said
        for line, words in zip(said, ("exit code 3", "SIGKILL", "broken", "SIGABRT"), strict=True):
            assert words in line

    def test_one_fault_of_all_variants_costs_few_children(self, look: Path, driver: Driver) -> None:
        (look / "trail_colour.glsl").write_text(f"const int ABORT = 1;\n{TRAILS}")
        assert run("check", look).exit_code == 1
        assert driver.starts <= 4 and len(driver.asked) > 140

    def test_a_driver_that_crashes_on_what_is_shipped_ends_it(
        self, look: Path, monkeypatch: pytest.MonkeyPatch, driver: Driver
    ) -> None:
        monkeypatch.setattr(Examiner, "test", lambda *_, **__: Verdict(fault="the driver crashed"))
        (look / "trail_colour.glsl").write_text(TRAILS)
        done = run("check", look)
        mine, shipped = done.output.splitlines()
        assert done.exit_code == 1 and mine.startswith(f"{look / 'trail_colour.glsl'}:1: ")
        assert shipped.startswith(f"{shader_folder() / 'field.vert'}: ")

    def test_a_macro_may_be_what_a_driver_crashes_on(self, look: Path, driver: Driver) -> None:
        (look / "trail_colour.glsl").write_text(TRAILS)
        done = run("check", look, "--define", "ABORT", "--define", "OTHER=2")
        assert done.output == ("define ABORT=1: the driver crashed on it (signal 6, SIGABRT)\n")


class TestCulprit:
    """Which file it was."""

    @pytest.fixture(autouse=True)
    def pretended(self, driver: Driver) -> None:
        pass

    def test_the_one_of_several_that_is_new(self, examiner: Examiner, look: Path) -> None:
        (look / "trail_colour.glsl").write_text(TRAILS)
        (look / "trail_width.glsl").write_text("float trail_half_width(float a) { return a; }\n")
        library = ShaderLibrary(look)
        before = load_program(library, "field")
        (look / "trail_colour.glsl").write_text(f"{TRAILS}\n\n// ABORT")
        found = examiner.examine(Candidate(library, load_program(library, "field"), before))
        (problem,) = found.problems
        assert (problem.path, problem.line) == (look / "trail_colour.glsl", 2)

    def test_the_one_of_several_that_it_fails_for(self, examiner: Examiner, look: Path) -> None:
        for name in ("height", "marker_shape", "trail_colour", "trail_width"):
            text = (shader_folder() / f"{name}.glsl").read_text()
            mark = "ABORT" if name == "trail_colour" else "mine"
            (look / f"{name}.glsl").write_text(f"// {mark}\n{text}")
        found = examiner.examine(candidate(ShaderLibrary(look)))
        assert found.culprits == ("trail_colour.glsl",)
        assert str(found.problems[0]).startswith(f"{look / 'trail_colour.glsl'}:1: ")

    def test_each_that_it_fails_for(self, examiner: Examiner, look: Path) -> None:
        for name, word in (("trail_colour", "EXIT"), ("trail_lift", ""), ("trail_width", "ABORT")):
            text = (shader_folder() / f"{name}.glsl").read_text()
            (look / f"{name}.glsl").write_text(f"// {word}\n{text}")
        found = examiner.examine(candidate(ShaderLibrary(look))).problems
        assert {problem.path.stem: problem.text for problem in found} == {
            "trail_colour": "the driver crashed on it (exit code 3)",
            "trail_width": "the driver crashed on it (signal 6, SIGABRT)",
        }

    def test_either_where_only_both_are_it(self, examiner: Examiner, look: Path) -> None:
        for name in ("trail_colour", "trail_lift"):
            text = (shader_folder() / f"{name}.glsl").read_text()
            (look / f"{name}.glsl").write_text(f"// BOTH {name}\n{text}")
        (problem,) = examiner.examine(candidate(ShaderLibrary(look))).problems
        assert problem.path == look / "trail_colour.glsl" and problem.line is None
        assert problem.text.endswith(": this or trail_lift.glsl")

    def test_a_file_of_ones_own_that_a_hook_includes(self, examiner: Examiner, look: Path) -> None:
        (look / "noise.glsl").write_text("float noise() { return 1.0; }\n// ABORT\n")
        (look / "trail_colour.glsl").write_text(f'#include "noise.glsl"\n{TRAILS}')
        (look / "trail_width.glsl").write_text("float trail_half_width(float a) { return a; }\n")
        library = ShaderLibrary(look)
        found = examiner.examine(candidate(library))
        assert found.culprits == ("trail_colour.glsl",), "what includes it"
        before = load_program(library, "field")
        (look / "noise.glsl").write_text("float noise() { return 1.0; }\n// ABORT ABORT\n")
        found = examiner.examine(Candidate(library, load_program(library, "field"), before))
        assert str(found.problems[0]).startswith(f"{look / 'noise.glsl'}:2: ")

    def test_its_line_is_the_first_new_one_with_code(self, examiner: Examiner, look: Path) -> None:
        text = (shader_folder() / "trail_colour.glsl").read_text()
        head, brace, body = text.partition("{\n")
        begun = f"{head}{brace}    // a remark\n\n    float x = 0.0; /* ABORT */\n"
        (look / "trail_colour.glsl").write_text(begun + body)
        (problem,) = examiner.examine(candidate(ShaderLibrary(look))).problems
        assert problem.line == len(begun.splitlines())
        assert problem.code == "float x = 0.0; /* ABORT */"

    def test_a_single_file(self, examiner: Examiner, tmp_path: Path) -> None:
        file = tmp_path / "trail_colour.glsl"
        file.write_text(f"const int ABORT = 1;\n{TRAILS}")
        (problem,) = examiner.examine(candidate(ShaderLibrary(file))).problems
        assert problem.path == file


class TestTrust:
    def test_what_is_shipped_needs_no_trial(self) -> None:
        folder = shader_folder() / "looks"
        libraries = [ShaderLibrary(), *(ShaderLibrary(folder / name) for name in look_names())]
        libraries.append(ShaderLibrary(defines={"TRAILS": "0", "TRAIL_COLOUR": "BY_SPEED"}))
        for library in libraries:
            assert all(trust.is_trusted(load_program(library, name)) for name in LOOK)

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


class TestChild:
    def test_it_is_not_traced_with_the_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would write over the trace."""
        environment = {"TRACE_FILE": "f.trace", "LD_PRELOAD": "/lib/egltrace.so:/lib/vgl.so"}
        kept = examiner_module._untraced({**environment, "HOME": "/home"})
        assert kept == {"HOME": "/home", "LD_PRELOAD": "/lib/vgl.so"}
        assert examiner_module._untraced({"LD_PRELOAD": "/lib/egltrace.so"}) == {}

    def test_one_that_dies_at_its_start_is_unfit(
        self, examiner: Examiner, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PRETEND_DEAD", "1")
        with pytest.raises(UserError, match="the driver ends the child with signal 6"):
            examiner.start()

    def test_where_one_could_draw_before_nothing_is_drawn_untried(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Memory that ran out for a moment, say, is no reason to trust a driver."""
        file = look / "trail_colour.glsl"
        with closing(Trials(examiner)) as trials:
            file.write_text(TRAILS)
            trials([candidate(ShaderLibrary(look))])
            examiner.close()
            monkeypatch.setenv("PRETEND_DEAD", "1")
            file.write_text(f"// ABORT\n{TRAILS}")
            for _ in range(2):
                with pytest.raises(ShaderError, match="look: cannot be tried now"):
                    trials([candidate(ShaderLibrary(look))])
            monkeypatch.delenv("PRETEND_DEAD")
            file.write_text(f"// ABORT\n#define A_LINE\n{TRAILS}")
            with pytest.raises(ShaderError, match="signal 6"):
                trials([candidate(ShaderLibrary(look))])

    def test_after_a_crash_the_next_is_ready_before_it_is_asked(
        self, examiner: Examiner, look: Path, driver: Driver
    ) -> None:
        (look / "trail_colour.glsl").write_text(f"// ABORT\n{TRAILS}")
        with closing(Trials(examiner)) as trials:
            trials.keep()
            with pytest.raises(ShaderError, match="signal 6"):
                trials([candidate(ShaderLibrary(look))])
            asked, ended = len(driver.asked), _pid(driver)
            assert soon(lambda: _pid(driver) != ended and psutil.pid_exists(_pid(driver)))
            assert len(driver.asked) == asked

    def test_of_many_programs_in_a_row_none_pile_up_in_it(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(examiner_module, "RENEWED_AFTER", 3)
        (look / "trail_colour.glsl").write_text(TRAILS)
        for _ in range(7):
            assert not examiner.examine(candidate(ShaderLibrary(look))).problems
        assert soon(lambda: driver.starts == 3)
        assert len(driver.asked) == 7

    def test_closing_does_not_wait_for_one_that_hangs(self, look: Path, driver: Driver) -> None:
        (look / "trail_colour.glsl").write_text(f"// HANG\n{TRAILS}")
        trials = Trials(Examiner("gpu", patience=1e6))
        pending = trials.begin([candidate(ShaderLibrary(look))])
        assert soon(lambda: bool(driver.asked))
        trials.close()
        with pytest.raises(ShaderError):
            pending.wait()
        assert not [c for c in psutil.Process().children() if c.pid == _pid(driver)]

    def test_one_that_nobody_keeps_ends_by_itself_and_starts_again(
        self, examiner: Examiner, look: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trials_module, "IDLE", 0.05)
        with closing(Trials(examiner)) as trials:
            for number in (1, 2):
                (look / "trail_colour.glsl").write_text(f"// {number}\n{TRAILS}")
                trials([candidate(ShaderLibrary(look))])
                assert driver.starts == number
                assert soon(lambda: not psutil.pid_exists(_pid(driver)))
            trials.keep()
            assert soon(lambda: driver.starts == 3)
            time.sleep(0.3)
            assert psutil.pid_exists(_pid(driver))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's prctl")
    @pytest.mark.rendering
    def test_it_ends_with_a_viewer_that_is_killed(self) -> None:
        program = (
            "from calf_viz.trial.examiner import Examiner; t = Examiner('gpu'); t.start();"
            "print(t._child._process.pid, flush=True); input()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as viewer:
            assert viewer.stdout is not None
            child = psutil.Process(int(viewer.stdout.readline()))
            child.suspend()  # as in the midst of a compilation, it does not see its input's end
            viewer.send_signal(signal.SIGKILL)
            viewer.wait()
        assert soon(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_DATA")
    def test_its_memory_is_bounded_and_it_leaves_no_core(self) -> None:
        program = (
            "import resource; from calf_viz.trial import worker; worker._bound(software=True)\n"
            "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
            "try: bytearray(2 * worker.MEMORY)\n"
            "except MemoryError: print('bounded')"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.stdout == "bounded\n", done.stderr


def _pid(driver: Driver) -> int:
    """Of the newest."""
    return int([line for line in driver.lines if line.startswith("start")][-1].split()[2])


@pytest.mark.rendering
class TestSubject:
    """What the child draws."""

    DESIGNS = ("gpu", "batched", "per_agent", "moderngl")

    @pytest.fixture(scope="class", params=DESIGNS)
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Iterator[Host]:
        host = open_host(request.param)
        yield host
        host.close()

    def examine(self, subject: Host, name: str, look: Path, allowed: float = 1e6) -> dict[str, Any]:
        vertex, fragment = load_program(ShaderLibrary(look), name).texts
        request = {"name": name, "vertex": vertex, "fragment": fragment, "draw": True}
        return worker.examine(subject, request, allowed)

    def test_a_usual_picture_takes_longer_by_its_pixels_and_vertices(
        self, subject: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nothing is seen, vertices alone take time."""
        centre = subject.scene.camera.target

        def frame(host: Host) -> float:
            return 5.0 if host.scene.camera.target == centre else 2.0

        monkeypatch.setattr(worker, "_frame", frame)
        assert worker.usual_frame(subject) == 2.0 * VERTICES + 3.0 * PIXELS
        assert subject.scene.camera.target == centre

    def test_each_of_its_programs_is_drawn_and_the_shipped_one_put_back(
        self, subject: Host, look: Path
    ) -> None:
        first = picture(subject)
        assert subject.programs.sources.keys() - {"ring_copy"} <= set(LOOK)
        for hook in ("surface_colour", "trail_colour"):
            (look / f"{hook}.glsl").write_text(
                "// mine\n" + (shader_folder() / f"{hook}.glsl").read_text()
            )
        (look / "hud.frag").write_text((shader_folder() / "hud.frag").read_text() + "// mine")
        for name in set(LOOK) & set(subject.programs.sources):
            answer = self.examine(subject, name, look, allowed=0.0)
            assert answer.keys() == {"slow"}, name
            assert np.array_equal(picture(subject), first)

    def test_what_does_not_compile_is_answered_with_the_log(
        self, subject: Host, look: Path
    ) -> None:
        (look / "trail_colour.glsl").write_text("broken")
        for name in ("field", "mesh_trail"):
            answer = self.examine(subject, name, look)
            assert answer.keys() == {"log"} and "syntax error" in str(answer["log"])

    def test_controls_are_drawn_at_both_of_their_ends(
        self, subject: Host, look: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (look / "trail_colour.glsl").write_text(
            "uniform float u_f; // @slider -2..3 = 1\nuniform int u_i; // @slider 2..5\n"
            "uniform bool u_b; // @toggle = on\nuniform int u_w; // @choice a|b|c\n"
            "uniform vec3 u_c; // @color = #ff0000\n"
            f"{HEAD} {{ return vec4(u_c * u_f, u_i + u_w + int(u_b)); }}\n"
        )
        values: list[dict[str, object]] = []

        def frame(host: Host) -> float:
            values.append(dict(host.controls.values))
            host.draw()
            return 0.0

        monkeypatch.setattr(worker, "_frame", frame)
        for name in {"field", "mesh_trail"} & set(subject.programs.sources):
            del values[:]
            assert self.examine(subject, name, look) == {}
            assert values[0] == {"u_f": 1, "u_i": 2, "u_b": 1, "u_w": 0, "u_c": (1, 0, 0)}
            assert values[-2] == {"u_f": -2, "u_i": 2, "u_b": 0, "u_w": 0, "u_c": (0, 0, 0)}
            assert values[-1] == {"u_f": 3, "u_i": 5, "u_b": 1, "u_w": 2, "u_c": (1, 1, 1)}
        assert not subject.controls.values


CALLS = "".join(
    f"float f{i}(float x) {{ return {f'f{i - 1}(x) + 1.0' if i else 'x'}; }}\n" for i in range(4000)
)


@pytest.mark.rendering
class TestThisDriver:
    """Texts that drivers crash on or do not finish: told, or drawn by better ones."""

    @pytest.fixture(scope="class")
    @classmethod
    def patient(cls) -> Iterator[Examiner]:
        with closing(Examiner("gpu", patience=2.0)) as made:
            yield made

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
    def test_it_is_told_or_drawn(self, patient: Examiner, look: Path, body: str) -> None:
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
