"""Shader sources: the text that compilers get, and the file and line each line of it is from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from written_looks import write

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary, read_define
from calf_viz.glsl.shipped_shaders import shader_folder


def test_windows_line_ends(tmp_path):
    library = write(tmp_path, main__vert='a\r\n#include "p.glsl"\r\nb\r\n', p__glsl="x\r\n")
    source = library.load("main.vert")
    assert source.text == "a\nx\nb\n"
    assert source.origin(3) == (tmp_path / "main.vert", 3)


def test_a_byte_order_mark_is_no_part_of_the_shader(tmp_path):
    library = write(tmp_path, main__vert='\ufeff#include "p.glsl"\nb\n', p__glsl="\ufeffx\n")
    assert library.load("main.vert").text == "x\nb\n"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"void\n \xff main", "main.vert:2: not UTF-8"),
        (b"a\0b", "main.vert:1: a zero byte"),
        (b"\n//" + b"x" * 1_000_00, "main.vert:2: a line of 100,002 characters"),
        (b"x\n" * 200_000, "main.vert: it holds 400,000 bytes"),
        (b'#include "' + b"x" * 1500 + b'"', "main.vert:1: shader file xxx"),
    ],
    ids=["not utf-8", "zero", "long line", "large", "no name of a file"],
)
def test_a_file_that_is_no_shader_is_named(tmp_path, data, complaint):
    (tmp_path / "main.vert").write_bytes(data)
    with pytest.raises(UserError, match=re.escape(complaint)):
        ShaderLibrary(tmp_path).load("main.vert")


def test_lines_are_counted_as_editors_count_them(tmp_path):
    """Not at form feeds, nor at the line separators of Unicode, which in a comment would end it."""
    library = write(tmp_path, main__vert="a\x0c\x0bb\n// é \u2028 \x85 π\r\nc\rd")
    source = library.load("main.vert")
    assert source.text == "a  b\n// ? ? ? ?\nc\nd\n", "drivers stumble over other white space"
    assert [line for _, line in source.origins] == [1, 2, 3, 4]


def test_numbers_of_lines_are_the_files_own(tmp_path):
    """What `#line` says would have compilers tell of other lines."""
    library = write(tmp_path, main__vert="#line 7\na\n # line 3 4\n// #line\n#linen\n")
    source = library.load("main.vert")
    assert source.text == "\na\n\n// #line\n#linen\n"
    assert source.line(1) == "#line 7" and source.origin(2) == (tmp_path / "main.vert", 2)


@pytest.mark.parametrize("text", ["a\n/* b\nc\n", "a\n/* b */ /*/\n", "a\nb /* // */ /**\n"])
def test_a_comment_without_an_end_is_reported_where_it_begins(tmp_path, text):
    library = write(tmp_path, main__vert='#include "part.glsl"\nb */\n', part__glsl=text)
    with pytest.raises(UserError, match=r"part\.glsl:2: this comment has no end"):
        library.load("main.vert")
    library = write(tmp_path, part__glsl="/**/ // /*\n/*/ */ /* // */\n")
    assert library.load("main.vert").text.startswith("/**/")


def test_an_empty_file_is_an_empty_shader(tmp_path):
    source = write(tmp_path, main__vert="").load("main.vert")
    assert source.text == "\n" and source.origin(1)[1] == 1


@pytest.mark.parametrize("name", ["field.vert", "field.frag"])
def test_every_expanded_line_is_found_in_its_file(name):
    source = ShaderLibrary().load(name)
    lines = source.text.splitlines()
    assert len(lines) == len(source.origins)
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path, _ in source.origins}
    for line, (path, number) in zip(lines, source.origins, strict=True):
        assert texts[path][number - 1] == line
    assert lines[0] == "#version 330", "nothing may come before it"


class TestDefines:
    def test_stand_behind_the_version_and_do_not_shift_lines(self, tmp_path):
        write(tmp_path, main__frag="// first\n#version 330\nA\nB\n")
        library = ShaderLibrary(tmp_path, {"A": "1", "B": "vec3(2.0)"})
        source = library.load("main.frag")
        assert source.text.splitlines()[1:5] == [
            "#version 330", "#define A 1", "#define B vec3(2.0)", "A",
        ]  # fmt: skip
        assert source.origin(5) == (tmp_path / "main.frag", 3)
        assert str(source.origin(3)[0]) == "define A=1"

    def test_are_read_as_compilers_read_them(self):
        assert read_define("A") == ("A", "1")
        assert read_define("A=") == ("A", "")
        assert read_define("A_b1=x = y") == ("A_b1", "x = y")

    @pytest.mark.parametrize(
        "text", ["", "=1", "1A=2", "a b", "gl_X=1", "A__B", "A=\n", "A=é", "A=\\"]
    )
    def test_others_are_refused(self, text):
        with pytest.raises(UserError, match="`define`"):
            read_define(text)


class TestTexts:
    """What compilers get of a program."""

    def test_differ_by_stage_and_keep_their_lines(self, tmp_path: Path) -> None:
        from calf_viz.glsl.programs import load_program

        same = (shader_folder() / "ring_copy.vert").read_text()
        write(tmp_path, hud__vert=same, hud__frag=same)
        source = load_program(ShaderLibrary(tmp_path), "hud")
        vertex, fragment = source.texts
        assert source.vertex.text == source.fragment.text and vertex != fragment
        assert vertex.startswith("#version") and fragment.startswith("#version")
        assert vertex.startswith(source.vertex.text) and "//" not in vertex.splitlines()[-1]
        again = replace(source, vertex=replace(source.vertex, text=vertex))
        assert again.texts == (vertex, fragment)

    def test_begin_with_a_line_that_no_host_takes_away(self, tmp_path: Path) -> None:
        from calf_viz.glsl.programs import load_program

        write(
            tmp_path, hud__vert="\n \n#version 330\nvoid main() {}\n", hud__frag=" #version 330\n"
        )
        vertex, fragment = load_program(ShaderLibrary(tmp_path), "hud").texts
        assert vertex.splitlines()[:3] == ["//", " ", "#version 330"]
        assert fragment.startswith(" #version 330\n")
