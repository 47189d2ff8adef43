"""Which file of a look a driver fails for, and how `shaders check` goes on behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pretended_drivers import TRAILS, Driver, candidate, examining, pretended

from calf_viz.cli.main import calf_viz
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Candidate, load_program
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.shader_trial.examiner import Examiner, Outcome

driver = pytest.fixture(pretended)
examiner = pytest.fixture(examining)


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
        monkeypatch.setattr(Examiner, "test", lambda *_, **__: Outcome(fault="the driver crashed"))
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
