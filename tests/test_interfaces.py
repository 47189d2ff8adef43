"""What a fragment shader reads is what its vertex shader writes; else it is told, in the line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.glsl import interfaces, variants
from calf_viz.glsl.interfaces import mismatches
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import INPUTS, LOOK, SCENE, load_program
from calf_viz.glsl.shipped_shaders import look_names, shader_folder
from calf_viz.glsl.source import Source

USED = "void main() { o_colour = vec4(v_a); }"


def source(path: Path, text: str) -> Source:
    lines = tuple(text.split("\n"))
    origins = tuple((path, i + 1) for i in range(len(lines)))
    return Source(text, origins, lines, frozenset([path]))


SET = "void main() { v_a = 1.0; }"


def told(tmp_path: Path, out: str, in_: str, main: str = USED, sets: str = SET) -> list[str]:
    vertex = source(tmp_path / "field.vert", f"#version 330\n{out}\n{sets}\n")
    fragment = source(tmp_path / "field.frag", f"#version 330\n{in_}\n{main}\n")
    return [str(problem) for problem in mismatches(vertex, fragment)]


@pytest.mark.parametrize(
    ("out", "in_"),
    [
        ("out float v_a;", "in float v_a;"),
        ("smooth out float v_a;", "in float v_a;"),
        ("flat out ivec4 v_a;", "flat  in\n highp ivec4\tv_a ;"),
        ("out highp vec2 v_a, v_b;", "in vec2 v_b;\nin vec2 v_a;"),
        ("layout(location = 2) out float v_a;", "layout(location=2) in float v_a;"),
        ("out float[2] v_a;", "in float v_a[2];"),
        ("const int N = 2;\nout float v_a[N];", "in float v_a[2];"),
        ("#define OUT out\n#define T(n) vec##n\nOUT T(3) v_a;", "in vec3 v_a;"),
        ("#if 0\nout int v_a;\n#else\nout vec3 v_a;\n#endif", "in vec3 v_a;"),
        ("out Block { vec2 v_a; flat int b; } one;", "in Block { vec2 v_a; flat int b; } two;"),
        ("// out int v_a;\nout vec3 v_a; /* out int v_a; */", "in vec3 v_a;"),
        ("void f(out int v_a) { v_a = 1; }\nout vec3 v_a;", "in vec3 v_a;"),
        ("void f(out int v_a);\nout vec3 v_a;", "in vec3 v_a;"),
        ("struct S { float x; };\nout vec3 v_a;", "in vec3 v_a;"),
        ("", "layout(origin_upper_left) in vec4 gl_FragCoord;\nconst float v_a = 1.0;"),
        ("#if (", "in vec3 v_a;"),  # compilers have their say
    ],
)
def test_what_is_alike_is_not_reported(tmp_path: Path, out: str, in_: str) -> None:
    assert told(tmp_path, out, in_) == []


@pytest.mark.parametrize(
    ("out", "in_", "words"),
    [
        ("", "flat in int v_a;", "field.vert does not write it: declare `flat out int v_a;` there"),
        ("out int v_a;", "flat in int v_a;", "field.vert writes `out int v_a;`: make them alike"),
        ("flat out int v_a;", "flat in uint v_a;", "`flat in uint v_a;`, but field.vert writes"),
        ("out vec2 v_a;", "in vec3 v_a;", "`in vec3 v_a;`, but field.vert writes `out vec2 v_a;`"),
        ("out float v_a[2];", "in float v_a[3];", "`in float v_a[3];`, but"),
        ("out float v_a;", "noperspective in float v_a;", "`noperspective in float v_a;`, but"),
        ("#if 0\nout vec3 v_a;\n#endif", "in vec3 v_a;", "does not write it"),
        ("// out vec3 v_a;", "in vec3 v_a;", "does not write it"),
        ("out vec3 v_b;", "in vec3 v_b, v_a;", "does not write it"),
        ("out Block { vec2 v_a; } b;", "in Block { vec3 v_a; } b;", "but field.vert writes"),
        (
            "out Block { vec2 v_a; } b;", "in Other { flat int v_a; } b;",
            "does not write it: declare `flat out Other { int v_a; };` there and set it",
        ),
    ],
)  # fmt: skip
def test_what_is_not_alike_is_reported_at_the_line_that_reads_it(
    tmp_path: Path, out: str, in_: str, words: str
) -> None:
    (said,) = told(tmp_path, out, in_)
    assert (
        said.startswith(f"{tmp_path / 'field.frag'}:2: v_a") or "Block." in said or "Other." in said
    )
    assert words in said and len(said) < 500


def test_what_is_declared_and_not_read_is_not_reported(tmp_path: Path) -> None:
    assert told(tmp_path, "", "in vec3 v_a;", "void main() {}") == []


@pytest.mark.parametrize(
    "sets", ["void main() {}", "// v_a\nvoid main() { }", "#if 0\nv_a\n#endif\nvoid main() {}"]
)
def test_what_is_declared_on_both_sides_and_never_set_is_reported(
    tmp_path: Path, sets: str
) -> None:
    (said,) = told(tmp_path, "out vec3 v_a;", "in vec3 v_a;", sets=sets)
    assert said.endswith("but field.vert only declares it: set it there")


@pytest.mark.parametrize("look", [None, *look_names()])
def test_shipped_shaders_are_alike_in_every_variant(look: str | None) -> None:
    overlay = None if look is None else shader_folder() / "looks" / look
    for program in LOOK if look else INPUTS:
        for variant in variants.combinations() if program in SCENE else ({},):
            one = load_program(ShaderLibrary(overlay, variant), program)
            assert mismatches(one.vertex, one.fragment) == ()


def test_the_comparison_sees_every_shipped_variable() -> None:
    """Each output left out of a vertex shader is told."""
    for program in ("field", "mesh_trail", "hud"):
        defines = {"TRAIL_COLOUR": "BY_SPEED", "PICKING": "1"}
        one = load_program(ShaderLibrary(None, defines), program)
        names = re.findall(r"(?m)^(?:flat )?out \w+ (\w+);", one.vertex.text)
        assert names
        for name in names:
            text = re.sub(rf"(?m)^(?:flat )?out \w+ {name};", "", one.vertex.text)
            vertex = Source(text, one.vertex.origins, one.vertex.written)
            (problem,) = mismatches(vertex, one.fragment)
            assert problem.text.startswith(f"{name} is read")


class TestLook:
    """An overlay that passes something on."""

    def write(self, folder: Path, *, vertex: bool = True, fragment: bool = True) -> None:
        shipped = shader_folder()
        if fragment:
            text = (shipped / "field.frag").read_text()
            text = text.replace("in vec4 v_data;", "in vec4 v_data;\nflat in int v_agent;")
            text = text.replace("int kind = v_id.x & 3;", "int kind = v_id.x & 3 + 0 * v_agent;")
            (folder / "field.frag").write_text(text)
        if vertex:
            text = (shipped / "field.vert").read_text()
            text = text.replace("out vec4 v_data;", "out vec4 v_data; flat out int v_agent;", 1)
            (folder / "field.vert").write_text(text.replace("main() {", "main() {\nv_agent = 0;"))

    def test_another_designs_program_that_lacks_it_is_reported(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        library = ShaderLibrary(tmp_path)
        load_program(library, "field")
        for mesh in ("mesh_surface", "mesh_trail", "mesh_marker"):
            with pytest.raises(ShaderError) as error:
                load_program(library, mesh)
            (problem,) = error.value.problems
            assert problem.path == tmp_path / "field.frag"
            assert problem.code == "flat in int v_agent;"
            assert f"{mesh}.vert does not write it" in problem.text

    def test_a_vertex_shader_that_lacks_a_shipped_ones_is_reported_itself(
        self, tmp_path: Path
    ) -> None:
        text = (shader_folder() / "field.vert").read_text()
        assert text.count("flat out ivec4 v_id;") == 1
        (tmp_path / "field.vert").write_text(text.replace("flat out ivec4 v_id;", "ivec4 v_id;"))
        with pytest.raises(ShaderError) as error:
            load_program(ShaderLibrary(tmp_path), "field")
        (problem,) = error.value.problems
        assert problem.path == tmp_path / "field.vert"
        assert "v_id is read in field.frag:" in problem.text
        (tmp_path / "field.vert").write_text(text.replace("flat out ivec4", "flat out uvec4"))
        with pytest.raises(ShaderError, match=r"field.vert:\d+: v_id is read in field.frag:"):
            load_program(ShaderLibrary(tmp_path), "field")


PIECES = st.sampled_from([
    "in", "out", "flat", "vec3", "v_a", ";", "{", "}", "(", ")", "layout(location = 0)", ",", "[2]",
    "[", "\n", "#if 0\n", "\n#endif\n", "layout(", "Block", "=", "1.0",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map(" ".join), st.lists(PIECES, max_size=40).map(" ".join))
def test_no_text_is_too_strange(out: str, in_: str) -> None:
    for problem in mismatches(source(Path("a.vert"), out), source(Path("a.frag"), in_)):
        assert problem.line is None or 1 <= problem.line <= in_.count("\n") + 1


@pytest.mark.parametrize("piece", ["in a;", "layout(", "in vec3 a[", "{", "out B {", "in a, ", "("])
def test_long_texts_take_no_longer_than_their_length(tmp_path: Path, piece: str) -> None:
    """A quadratic reader would need minutes."""
    told(tmp_path, piece * (200_000 // len(piece)), piece * (200_000 // len(piece)))


@pytest.mark.parametrize("text", ["}\n", ";\n", "{\n}\n", "layout(\n", "in vec4\n;\n"])
def test_four_times_the_text_is_four_times_the_search(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By characters in which words are looked for."""

    class Counted:
        def search(self, code: str, start: int, end: int) -> re.Match[str] | None:
            seen[0] += end - start
            return interfaces_word.search(code, start, end)

    interfaces_word, seen = interfaces._WORD, [0]
    monkeypatch.setattr(interfaces, "_WORD", Counted())
    amounts = []
    for count in (100, 400):
        seen[0] = 0
        list(interfaces._declarations(text * count + "word"))
        amounts.append(seen[0])
    assert amounts[1] <= 4 * amounts[0] + 10
