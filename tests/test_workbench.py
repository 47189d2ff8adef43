"""`calf-viz shaders new | list | check`, and the variants that they tell of."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from applications import apart, running
from click.testing import CliRunner, Result

from calf_viz import VisualizationConfig
from calf_viz.children import python_child
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import INPUTS, LOOK, SCENE, load_program
from calf_viz.glsl.shipped_shaders import is_kept, shader_folder, shipped_files
from calf_viz.glsl.variants import CERTIFIED, REFUSED
from calf_viz.hosts.moderngl.host import create_context
from calf_viz.hosts.moderngl.shader import compile_program
from calf_viz.workbench import catalogue

HOOKS = {
    "height.glsl", "marker_shape.glsl", "surface_colour.glsl", "trail_colour.glsl",
    "trail_casing.glsl", "trail_lift.glsl", "trail_profile.glsl", "trail_width.glsl",
}  # fmt: skip


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(calf_viz, ["shaders", *map(str, arguments)])


class TestNew:
    def test_copies_every_hook(self, tmp_path: Path) -> None:
        done = run("new", tmp_path / "look")
        assert done.exit_code == 0, done.output
        copies = {path.name: path.read_bytes() for path in (tmp_path / "look").iterdir()}
        assert copies == {name: (shader_folder() / name).read_bytes() for name in HOOKS}
        assert f"calf-viz --shaders {tmp_path / 'look'}" in done.output

    def test_copies_say_what_goes_in_and_out(self) -> None:
        for name in HOOKS:
            head = (shader_folder() / name).read_text().split("\n\n")[0]
            assert "// in  " in head and ("return" in head or "//" in head), name

    def test_what_it_says_to_do_next_may_be_pasted(self, tmp_path: Path) -> None:
        folder = tmp_path / "it's a look"
        done = run("new", folder)
        command = done.output.splitlines()[-1].partition("watch: ")[2]
        assert shlex.split(command) == ["calf-viz", "--shaders", str(folder)]

    def test_what_is_no_part_of_a_look_is_not_copied(self, tmp_path: Path) -> None:
        for name in ("ring_copy.frag", "critic_values.frag", "difference.vert"):
            assert isinstance(run("new", tmp_path, "--from", name).exception, UserError)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("start", "names"),
        [
            ("trail", {name for name in HOOKS if name.startswith("trail")}),
            ("height", {"height.glsl"}),
            ("lib/ring.glsl", {"lib/ring.glsl"}),
        ],
    )
    def test_copies_a_part(self, tmp_path: Path, start: str, names: set[str]) -> None:
        assert run("new", tmp_path, "--from", start).exit_code == 0
        found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.glsl")}
        assert found == names

    def test_copies_several_parts(self, tmp_path: Path) -> None:
        assert run("new", tmp_path, "--from", "height", "--from", "lib/ring.glsl").exit_code == 0
        found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.glsl")}
        assert found == {"height.glsl", "lib/ring.glsl"}

    def test_parts_with_files_of_one_name_are_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "look"
        error = run("new", folder, "--from", "ink", "--from", "night").exception
        assert isinstance(error, UserError)
        assert "`from` night: another `from` has its own" in str(error)
        assert not folder.exists()

    def test_an_unknown_part_is_reported_with_the_known(self, tmp_path: Path) -> None:
        error = run("new", tmp_path / "look", "--from", "tail").exception
        assert isinstance(error, UserError) and "height, marker, surface, trail" in str(error)
        assert not (tmp_path / "look").exists()

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "trail_width.glsl").write_text("mine")
        error = run("new", tmp_path).exception
        assert isinstance(error, UserError) and "trail_width.glsl exists already" in str(error)
        assert [p.name for p in tmp_path.iterdir()] == ["trail_width.glsl"]


class TestList:
    def test_every_file_has_words_and_every_hook_its_function(self) -> None:
        files = {file.name: file for file in catalogue.describe(ShaderLibrary())}
        assert set(files) == set(shipped_files())
        assert {name for name, file in files.items() if file.hook} == HOOKS
        assert all(len(file.about) > 10 for file in files.values())
        assert files["trail_width.glsl"].hook == "float trail_half_width(float age)"
        assert "u_trail_width" in files["trail_width.glsl"].inputs

    def test_says_where_each_comes_from(self, tmp_path: Path) -> None:
        (tmp_path / "trail_width.glsl").write_text("// Mine.\n")
        done = run("list", tmp_path)
        assert done.exit_code == 0
        rows = {row.split("│")[1].strip(): row for row in done.output.splitlines() if "│" in row}
        assert "shipped" in rows["trail_colour.glsl"]
        assert "shipped" not in rows["trail_width.glsl"] and "Mine" in rows["trail_width.glsl"]
        for variant in variants.VARIANTS:
            for value in variant.values:
                assert f"{variant.name}={value}" in done.output

    def test_controls_with_labels_and_values_and_what_cannot_be_read(self, tmp_path: Path) -> None:
        look = tmp_path / "a [bold]look"
        look.mkdir()
        (look / "trail_width.glsl").write_text(
            "// Widths [red] of all.\n"
            'uniform float u_wide; // @slider 0..4 = 2 "how [i]wide"\n'
            "uniform float u_bad; // @slider 4..0\n"
            "float trail_half_width(float age) { return u_wide; }\n"
        )
        (look / "look.toml").write_text("[values]\nu_wide = 3.5\n")
        done = run("list", look)
        assert done.exit_code == 1
        (row,) = (r.split("│")[1:-1] for r in done.output.splitlines() if "u_wide" in r)
        expected = ["u_wide", "how [i]wide", "a number from 0 to 4", "2", "3.5"]
        assert [cell.strip() for cell in row] == expected
        assert "Widths [red] of all" in done.output and "[bold]" in done.output
        assert f"{look / 'trail_width.glsl'}:3: @slider: 4..0 is not a range" in done.stderr
        (look / "look.toml").write_text("[values]\nu_wide = 7\n")
        assert "look.toml:2: u_wide = 7 does not fit" in run("list", look).stderr

    def test_files_that_cannot_be_read_are_reported_and_the_others_shown(
        self, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "trail_width.glsl")
        (tmp_path / "mine.glsl").write_bytes("float é;".encode("utf-16"))
        (tmp_path / "circle").symlink_to(tmp_path)
        done = run("list", tmp_path)
        assert done.exit_code == 1 and "trail_colour.glsl" in done.output
        assert f"{tmp_path / 'trail_width.glsl'}: it is a pipe" in done.stderr
        assert f"{tmp_path / 'mine.glsl'}: it is UTF-16" in done.stderr
        assert len(done.stderr.splitlines()) == 2

    def test_a_file_of_many_beginnings_is_read_in_one_go(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of functions, each of which might go on to the file's end: none is looked for twice."""
        (tmp_path / "trail_width.glsl").write_text("float f(\n" * 20_000)
        (tmp_path / "field.vert").write_text("f(\n" * 50_000)
        searched = []
        monkeypatch.setattr(re, "search", lambda *given: searched.append(given))
        files = {file.name: file for file in catalogue.describe(ShaderLibrary(tmp_path))}
        assert files["trail_width.glsl"].hook is None and not searched


def test_without_a_command_it_says_which_there_are() -> None:
    done = run()
    assert done.exit_code == 0 and all(w in done.output for w in ("new", "list", "check"))


@pytest.mark.rendering
class TestCheck:
    def test_the_shipped_shaders_compile_in_every_variant(self, tmp_path: Path) -> None:
        (tmp_path / "look.toml").write_text("")
        done = run("check", tmp_path)
        assert done.exit_code == 0, done.output
        count = len(list(variants.combinations()))
        programs = 2 * (count * len(SCENE) + len(INPUTS) - len(SCENE))
        assert f"{programs} programs compile, in {count} variants" in done.output
        assert "Panda3D and moderngl" in done.output

    def test_every_error_is_reported_once_and_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "trail_width.glsl").write_text(
            "float trail_half_width(float age) {\n    float a = nothing;\n    return nowhere;\n}\n"
        )
        (tmp_path / "hud.frag").write_text("#version 330\nuniform vec3 u_mine;\nvoid main() {}")
        done = run("check", tmp_path)
        assert done.exit_code == 1
        starts = [f"{tmp_path / 'trail_width.glsl'}:{line}: " for line in (2, 3)]
        starts.append(f"{tmp_path / 'hud.frag'}:2: nobody sets u_mine")
        lines = done.output.splitlines()
        assert len(lines) == 3
        assert all(line.startswith(s) for line, s in zip(lines, starts, strict=True)), lines

    def test_what_only_looks_like_a_file_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "trail_colour.glsl").mkdir()
        (tmp_path / "trail_width.glsl").symlink_to(tmp_path / "nothing")
        (tmp_path / "look.toml").write_text("")
        done = run("check", tmp_path)
        assert done.exit_code == 1
        assert f"{tmp_path / 'trail_colour.glsl'}: it is a folder" in done.output
        assert f"{tmp_path / 'trail_width.glsl'}: cannot be read" in done.output

    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("\n#error no\n", 2, "no"),
            ("\n#if 0\n", 2, "unterminated #if"),
            ("\n#line 70\nnothing\n", 3, ""),
            ("\n/* so\n\n", 2, "this comment has no end"),
        ],
    )
    def test_what_a_preprocessor_finds_is_reported_once_and_in_its_place(
        self, tmp_path: Path, text: str, line: int, words: str
    ) -> None:
        file = tmp_path / "trail_width.glsl"
        file.write_text(text + "float trail_half_width(float age) { return 1.0; }\n")
        done = run("check", tmp_path)
        assert done.output.startswith(f"{file}:{line}: ") and words in done.output
        assert done.exit_code == 1 and len(done.output.splitlines()) == 1, done.output

    def test_what_compiles_has_no_uniform_that_nobody_sets(self, tmp_path: Path) -> None:
        """The linked program is asked, of what `glsl.uniforms` reads."""
        (tmp_path / "trail_width.glsl").write_text(
            'float x; uniform float u_new; // @slider 0..1 "// uniform"\n'
            "float trail_half_width(float age) { return u_new * u_trail_width; }\n"
        )
        with ExitStack() as closing:
            context = create_context()
            closing.callback(context.release)
            for library in (ShaderLibrary(tmp_path), ShaderLibrary()):
                for name, inputs in INPUTS.items():
                    source = load_program(library, name)
                    program = compile_program(context, source)
                    linked = {n for n in program if isinstance(program[n], moderngl.Uniform)}
                    assert linked <= {*inputs, *source.controls}, name
                    assert name != "field" or ("u_new" in linked) == bool(library.overlay)

    def test_an_error_of_a_variant_names_it(self, tmp_path: Path) -> None:
        (tmp_path / "trail_width.glsl").write_text(
            "#if TRAIL_COLOUR == BY_SPEED\nbroken\n#endif\n"
            "float trail_half_width(float age) { return 1.0; }\n"
        )
        done = run("check", tmp_path)
        assert done.exit_code == 1 and "(Panda3D, TRAIL_COLOUR=BY_SPEED)" in done.output

    def test_what_look_toml_says_is_checked(self, tmp_path: Path) -> None:
        (tmp_path / "trail_width.glsl").write_text(
            "uniform float u_wide; // @slider 0..4\n"
            "float trail_half_width(float age) { return u_wide; }\n"
        )
        file = tmp_path / "look.toml"
        for text, said, code in (
            ("[values]\nu_gone = 1\nu_wide = 9\n", "3: u_wide = 9 does not fit", 1),
            ("\ncolour_map = 3\n", "2: colour_map: give a name", 1),
            ("[values]\nu_gone = 1\n", "2: note: u_gone is not a control of these shaders", 0),
            ("[values]\nu_wide = 1\n", "", 0),
        ):
            file.write_text(text)
            done = run("check", tmp_path)
            assert done.exit_code == code
            assert not said or f"{file}:{said}" in done.output

    def test_files_that_are_no_part_of_a_look_are_reported(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By the check and by the program, which keeps its own."""
        names = {name for name in shipped_files() if is_kept(name)}
        read: set[str] = set()
        shipped = ShaderLibrary()
        for program in LOOK:
            source = load_program(shipped, program)
            paths = {path for s in (source.vertex, source.fragment) for path, _ in s.origins}
            read |= {path.relative_to(shipped.shipped).as_posix() for path in paths}
        assert names == set(shipped_files()) - read
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("broken")
        (tmp_path / "look.toml").write_text('background = "#204060"')
        done = run("check", tmp_path)
        assert done.exit_code == 0
        for name in names:
            assert f"{tmp_path / name}: note: not part of a look, and not used" in done.output
        with running(shaders=tmp_path):
            for name in names:
                assert f"{tmp_path / name}: not part of a look, and not used" in caplog.text
        with pytest.raises(UserError, match="not part of a look"):
            ShaderLibrary(tmp_path / "ring_copy.frag")

    def test_a_misspelt_file_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "trial_width.glsl").write_text("")
        run("new", tmp_path, "--from", "trail")
        done = run("check", tmp_path)
        assert done.exit_code == 0 and f"{tmp_path / 'trial_width.glsl'}: note: " in done.output
        assert "did you mean trail_width.glsl?" in done.output

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("uniform ivec2 u_viewport;", "u_viewport is a vec2, not a ivec2"),
            ("uniform vec2 u_viewport[2];", "u_viewport is a vec2, not a vec2[]"),
            ("uniform float u_new;", "nobody sets u_new"),
            ("uniform float u_a, u_b; // @slider 0..1", "an annotation is for one uniform"),
            ("#define IN uniform float", "a macro must not declare a uniform"),
            ("float x; uniform float u_new;", "nobody sets u_new"),
            ("\n/* uniform float u_old; */ // uniform int u_x;\nuniform highp int u_new;", "u_new"),
        ],
    )
    def test_inputs_that_nobody_would_set(self, tmp_path: Path, text: str, words: str) -> None:
        (tmp_path / "trail_lift.glsl").write_text(
            f"{text}\nfloat trail_lift(float a) {{ return 0.0; }}"
        )
        done = run("check", tmp_path)
        line = len(text.splitlines())
        assert done.output.startswith(f"{tmp_path / 'trail_lift.glsl'}:{line}: "), done.output
        assert words in done.output and done.output.count("\n") == 1

    def test_a_vertex_shader_in_a_fragment_shaders_place_is_reported(self, tmp_path: Path) -> None:
        """By its first mistake, though the driver has compiled that very text before. In a process
        of its own: a driver that takes the one for the other crashes."""
        shutil.copy(shader_folder() / "field.vert", tmp_path / "field.frag")
        command, environment = python_child("calf_viz", "shaders", "check", str(tmp_path))
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 1, done
        assert "field.frag:" in done.stdout and "flat" in done.stdout.splitlines()[0]

    def test_files_with_old_line_ends_compile(self, tmp_path: Path) -> None:
        for name in ("trail_colour.glsl", "marker_shape.glsl"):
            text = (shader_folder() / name).read_text().replace("\n", "\r")
            (tmp_path / name).write_bytes(text.encode())
        assert run("check", tmp_path).exit_code == 0

    def test_what_two_hooks_both_define_is_reported_with_what_to_do(self, tmp_path: Path) -> None:
        for name, more in (("trail_colour", ""), ("surface_colour", "\n\n")):
            text = (shader_folder() / f"{name}.glsl").read_text()
            text = f"{more}float hash(float x) {{ return x; }}\n{text}"
            (tmp_path / f"{name}.glsl").write_text(text)
        done = run("check", tmp_path)
        assert done.output.startswith(f"{tmp_path / 'trail_colour.glsl'}:1: ")
        assert "surface_colour.glsl:3 has it, too; put it in a file that both" in done.output

    def test_outputs_that_are_not_the_pictures_are_reported_where_they_are_written(
        self, tmp_path: Path
    ) -> None:
        text = (shader_folder() / "trail_colour.glsl").read_text()
        head, brace, rest = text.partition("{\n")
        text = f"{head}{brace}gl_FragColor = vec4(1.0);\n{rest}"
        (tmp_path / "trail_colour.glsl").write_text(text)
        line = text.splitlines().index("gl_FragColor = vec4(1.0);") + 1
        done = run("check", tmp_path)
        assert done.output.startswith(f"{tmp_path / 'trail_colour.glsl'}:{line}: "), done.output
        assert "gl_FragColor" in done.output

    HEAD = "vec4 trail_colour(vec3 colour, int mode, float age, float edge)"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (f"{HEAD} {{\n    return vec4(colour, 1.0);\n", ":2: what follows does not compile ("),
            ("vec4 trai", ":1: what follows does not compile (trail_profile.glsl:"),
            ("// nothing\n", ": defines no trail_colour as it is called: "),
            ("", ": defines no trail_colour as it is called: "),
            (
                "vec4 trail_colour(vec3 colour, float age) { return vec4(colour, 1.0); }",
                ": defines no trail_colour as it is called: no matching function",
            ),
        ],
    )
    def test_what_a_shipped_file_misses_is_reported_in_the_overlays(
        self, tmp_path: Path, text: str, said: str
    ) -> None:
        (tmp_path / "trail_colour.glsl").write_text(text)
        done = run("check", tmp_path)
        assert done.exit_code == 1
        assert done.output.startswith(f"{tmp_path / 'trail_colour.glsl'}{said}"), done.output
        assert done.output.count("\n") == 1


@pytest.mark.rendering
class TestVariants:
    def drawn(self, **changes: Any) -> np.ndarray:
        with running(n_agents=6, **changes) as shown:
            for _ in range(40):
                shown.step()
            return shown.screenshot()

    def test_each_changes_the_picture(self) -> None:
        usual = self.drawn()
        defines = [f"{v.name}={value}" for v in variants.VARIANTS for value in v.values]
        pictures = {define: self.drawn(define=(define,)) for define in defines}
        for variant in variants.VARIANTS:
            default = pictures.pop(f"{variant.name}={variant.default}")
            assert np.array_equal(default, usual)
        drawn = [usual, *pictures.values()]
        for i, picture in enumerate(drawn):
            assert not any(np.array_equal(picture, other) for other in drawn[:i])
        assert apart(usual, pictures["TRAILS=0"]) < 0.1, "the surface and the markers stay"

    def test_a_flat_surface(self) -> None:
        assert apart(self.drawn(), self.drawn(height_scale=0.0)) > 0.05

    def test_a_value_that_there_is_not_is_refused(self) -> None:
        with pytest.raises(UserError, match="TRAIL_COLOUR=BY_MOOD: choose one of BY_MODE"):
            VisualizationConfig(define=("TRAIL_COLOUR=BY_MOOD",))

    def test_a_define_of_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "surface_colour.glsl").write_text(
            "vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {\n"
            "    return TINT;\n}\n"
        )
        picture = self.drawn(shaders=tmp_path, define=("TINT=vec3(1.0, 0.0, 0.0)",))
        assert (picture == [255, 0, 0]).all(axis=2).mean() > 0.1


@pytest.mark.rendering
def test_trails_by_certificate_agree_with_the_certificate() -> None:
    """Where a trail passes, against `decide` asked of the surface's own values."""
    from calf_viz.agent.certificate import decide

    with running(n_agents=1, size=(640, 400), define=("TRAIL_COLOUR=BY_CERTIFICATE",)) as shown:
        for _ in range(30):
            shown.step()
        asked = shown.host.scene.certificate
        assert asked.q_plus is not None and asked.chosen == 0
        pictures = {}
        for q_plus in (-1e4, 1e4):  # everything rises enough, nothing does
            asked.q_plus = q_plus
            shown.draw()
            state = shown.simulation.states[:1]
            q = -shown.host.heightfield.heights(state)
            (mode,) = decide(
                q, shown.simulation.system.norm(state), np.array([q_plus]), np.array([True]),
                0.0, np.zeros(1),
            )  # fmt: skip
            entry = {0: CERTIFIED, 2: REFUSED}[int(mode)]
            pictures[entry] = shown.host.screenshot().astype(float) / 255.0
        colours = shown.host.scene.mode_colours[:, :3]
    assert set(pictures) == {CERTIFIED, REFUSED}
    trail = np.abs(pictures[CERTIFIED] - pictures[REFUSED]).max(axis=2) > 0.1
    assert trail.sum() > 20
    for mode, other in ((CERTIFIED, REFUSED), (REFUSED, CERTIFIED)):
        away = np.abs(pictures[mode][trail][:, None] - colours[[mode, other]]).sum(axis=2)
        assert (away[:, 0] < away[:, 1]).mean() > 0.8  # its soft edge is the surface's colour
