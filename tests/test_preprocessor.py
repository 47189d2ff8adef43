"""GLSL's preprocessor, against what compilers do."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.preprocessor import PreprocessorError, decided, expanded
from calf_viz.glsl.programs import INPUTS, SCENE, load_program
from calf_viz.glsl.shipped_shaders import look_names, shader_folder

DESKTOP = {"__VERSION__": "330", "GL_core_profile": "1"}


def lines(text: str) -> list[str]:
    return [line.strip() for line in expanded(text, DESKTOP).split("\n")]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("1", True), ("0", False), ("A", True), ("NOBODY", False), ("A == 3", True),
        ("defined A && !defined(NOBODY)", True), ("A * 2 + 1 == 7 && (A | 4) == 7", True),
        ("-7 / 2 == -3 && -7 % 2 == -1", True), ("1 << 33 == 2", True), ("0x10 == 16", True),
        ("010 == 8", True), ("B", True), ("B - A - 1 == 0", True), ("!A", False),
        ("~0 == -1", True), ("__VERSION__ >= 330", True), ("TWICE(A) == 6", True),
        ("1 || 0 && 0", True), ("2147483647 + 1 < 0", True), ("3 > 2 > 1", False),
    ],
)  # fmt: skip
def test_conditions(condition: str, holds: bool) -> None:
    defines = "#define A 3\n#define B A + 1\n#define TWICE(x) (2 * (x))\n"
    text = f"{defines}#if {condition}\na\n#else\nb\n#endif\n"
    assert [line for line in lines(text) if line] == ["a" if holds else "b"]


@pytest.mark.parametrize(
    "text",
    [
        "#if", "#if (", "#if 1 2", "#if 1 / 0", "#if 1.5\n#endif", "#endif", "#else", "#if 1",
        "#if 1\n#else\n#else\n#endif", "#elif 1", "#define", "#ifdef\n#endif", "#error no",
        "#define F(x) x\nF(1, 2)", "#if " + "(" * 5000 + "1" + ")" * 5000 + "\n#endif",
        "#if 1\n" * 5000 + "#endif\n" * 5000, "#if " + "!" * 5000 + "1\n#endif",
        "\n".join(f"#define B{i} B{i - 1}+B{i - 1}" for i in range(1, 40)) + "\nint x = B39;",
        "\n".join(f"#define B{i} B{i - 1}" for i in range(1, 5000)) + "\nint x = B4999;",
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_reported_with_its_line(text: str) -> None:
    with pytest.raises(PreprocessorError) as error:
        expanded(text, DESKTOP)
    assert 1 <= error.value.line <= text.count("\n") + 1
    assert len(str(error.value)) < 200


def test_macros_are_replaced_on_their_lines() -> None:
    text = (
        "#define HALF 0.5\n#define MIX(a, b) ((a) + HALF * ((b) - (a)))\n"
        "float x = MIX(1.0,\n    MIX(2.0, 3.0)\n);\nfloat y;\n#undef HALF\nfloat HALF;"
    )
    got = lines(text)
    assert got[2] == "float x = ((1.0) + 0.5 * ((((2.0) + 0.5 * ((3.0) - (2.0)))) - (1.0)))"
    assert got[3:] == ["", ";", "float y;", "", "float HALF;"]


def test_a_macro_within_itself_stays() -> None:
    assert lines("#define f f + 1\n#define g(x) x g(x)\nf g(f) g")[2] == "f + 1 f + 1 g(f + 1) g"


def test_comments_of_several_lines_within_a_directive() -> None:
    text = "#define A /* one\ntwo */ 3\n#define B 1 // A \\\n + 1\nint a = A + B; /* x\n*/ int b;"
    assert lines(text) == ["", "", "", "", "int a = 3 + 1;", "int b;"]


def test_conditions_alone_leave_macros() -> None:
    text = "#define A 1\n#if A\nint x = A;\n#endif"
    assert decided(text, DESKTOP).split("\n") == ["#define A 1", "", "int x = A;", ""]


PIECES = st.sampled_from([
    "#define A 1", "#define B(x) x+A", "#undef A", "#if A", "#ifdef B", "#ifndef A", "#elif A > 0",
    "#else", "#endif", "int a = A;", "B(2)", "B(", ")", "/* c", "*/", "// c \\", "x \\", "", "#",
    "#version 330", "##", "#if defined(A) || 0", "B(B(1))", '"',
])  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("\n".join))
def test_lines_keep_their_number(text: str) -> None:
    for done in (decided, expanded):
        try:
            assert done(text, DESKTOP).count("\n") == text.count("\n")
        except PreprocessorError as error:
            assert 1 <= error.line <= text.count("\n") + 1


@given(st.text(alphabet='#ABdefin(x)+1, \\\n/*"if', max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    with suppress(PreprocessorError):
        assert expanded(text, DESKTOP).count("\n") == text.count("\n")


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text)


@pytest.mark.skipif(not shutil.which("glslangValidator"), reason="glslangValidator is not here")
@pytest.mark.parametrize("look", [None, *look_names()])
def test_shipped_shaders_come_out_as_from_the_reference_compiler(
    look: str | None, tmp_path: Path
) -> None:
    overlay = None if look is None else shader_folder() / "looks" / look
    for program in INPUTS:
        for variant in list(variants.combinations())[-1:] if program in SCENE else ({},):
            source = load_program(ShaderLibrary(overlay, variant), program)
            for stage, shader in (("vert", source.vertex), ("frag", source.fragment)):
                path = tmp_path / f"x.{stage}"
                path.write_text(shader.text)
                theirs = subprocess.run(
                    ["glslangValidator", "-E", str(path)],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                ours = expanded(shader.text, DESKTOP)
                assert tokens(ours) == tokens(re.sub(r"(?m)^#line.*", "", theirs))
