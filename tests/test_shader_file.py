"""One shader file, whatever lies in its place: as compilers get it, or a line that says why not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.glsl import text as glsl
from calf_viz.glsl.folder import MOST_ENTRIES, entries, files_below
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.shader_file import LARGEST_FILE, _lines_of, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "main.glsl"


def texts(file: Path, data: bytes) -> list[str]:
    file.write_bytes(data)
    return [line.text for line in read(file)]


class TestWhatLiesThere:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (os.mkfifo, "it is a pipe"),
            (Path.mkdir, "it is a folder"),
            (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
            (lambda path: path.symlink_to(path), "cannot be read"),
            (lambda path: None, "cannot be read"),
            (
                lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 2**40),
                "it holds 1,0",
            ),
            (
                lambda path: path.write_bytes(b"x" * (LARGEST_FILE + 1)),
                "it holds 262,145 bytes, at most",
            ),
            (lambda path: path.write_text("float é;", encoding="utf-16"), "it is UTF-16"),
        ],
        ids=["pipe", "folder", "device", "circle", "nothing", "terabyte", "large", "utf-16"],
    )
    def test_is_reported_at_once_in_one_line(self, file: Path, make, words: str) -> None:
        make(file)
        with pytest.raises(ShaderError) as caught:
            read(file)
        (problem,) = caught.value.problems
        assert problem.path == file and problem.text.startswith(words)
        assert str(caught.value).isprintable()

    def test_is_reported_with_its_line(self, file: Path) -> None:
        for data, line, words in (
            (b"a\r\rb\0", 3, "a zero byte"),
            (b"a\n\xff", 2, "not UTF-8"),
            (b"a\n#endif\n", 2, "#endif without #if"),
            (b"#if 1\n#ifdef A\n#else\n\n#endif\n", 1, "unterminated #if: write #endif"),
            (b"#if 1\n/*\n#endif\n*/", 1, "unterminated #if"),
            (b'\n#pragma include "x.glsl"', 2, "write `#include"),
            (b"\n #  include <x.glsl>", 2, "write `#include"),
            (b"\n#include x", 2, "write `#include"),
        ):
            file.write_bytes(data)
            with pytest.raises(ShaderError) as caught:
                read(file)
            problem = caught.value.problems[0]
            assert (problem.path, problem.line) == (file, line) and words in problem.text


class TestLines:
    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\r"])
    def test_ends_of_every_kind_are_ends_of_comments(self, file: Path, end: str) -> None:
        data = f'// one{end}{end}float a; // two{end}#include "b"{end}// é'.encode()
        file.write_bytes(data)
        lines = read(file)
        assert [line.text for line in lines] == [
            "// one", "", "float a; // two", '#include "b"', "// ?",
        ]  # fmt: skip
        assert [line.code.strip() for line in lines] == ["", "", "float a;", '#include "b"', ""]
        assert [line.included for line in lines] == [None, None, None, "b", None]

    def test_ends_may_be_mixed(self, file: Path) -> None:
        assert texts(file, b"a\rb\r\nc\n\r\nd") == ["a", "b", "c", "", "d"]
        assert texts(file, b"") == [""] and texts(file, b"\n") == [""]

    def test_continued_ones_are_joined_for_compilers_and_keep_their_places(
        self, file: Path
    ) -> None:
        file.write_bytes(b"#define A \\\r\n  b \\\n c\nA\n// one \\\nfloat no;\nend\\")
        lines = read(file)
        assert [line.text for line in lines] == [
            "#define A   b  c", "", "", "A", "// one float no;", "", "end",
        ]  # fmt: skip
        assert lines[4].code.strip() == "" and lines[5].written == "float no;"
        assert [line.origin for line in lines] == [(file, n) for n in range(1, 8)]

    def test_long_ones_are_refused_however_they_are_broken(self, file: Path) -> None:
        for data in (b"x" * 2001, b"\\\n".join([b"x" * 100] * 21), b"a//" + b"y\\\n" * 2000):
            file.write_bytes(b"\n" + data)
            with pytest.raises(ShaderError, match=r"main\.glsl:2: a line of \d,\d\d\d characters"):
                read(file)

    def test_blanks_of_other_kinds_are_blanks(self, file: Path) -> None:
        assert texts(file, b"float\x0ca\x0b= 1.0;\n") == ["float a = 1.0;"]

    def test_what_stands_in_comments_includes_nothing_and_ends_none(self, file: Path) -> None:
        file.write_text(
            '/*\n#pragma include "x"\n#include "y" */ float a;\n// #include "z"\n'
            '#include "lib//b"\n/**/#include "b"'
        )
        lines = read(file)
        assert [line.included for line in lines] == [None] * 4 + ["lib//b", "b"]
        assert [line.text for line in lines[:3]] == [
            "/*", '?pragma include "x"', '?include "y" */ float a;',
        ]  # fmt: skip

    @given(st.binary(max_size=200) | st.text('ab/*\\\n\r\f"#', max_size=80).map(str.encode))
    def test_any_bytes_are_lines_or_reported(self, data: bytes) -> None:
        """Every line has its place, and what compilers get has no other line ends."""
        path = Path("main.glsl")
        try:
            lines = _lines_of(path, data)
        except ShaderError as error:
            assert error.problems[0].path == path
            return
        except Exception as error:
            assert "UTF" in str(error)
            return
        assert [line.origin[1] for line in lines] == list(range(1, len(lines) + 1))
        for line in lines:
            assert not re.search(r"[\r\n\f\v]", line.text) and not line.text.endswith("\\")
            assert len(line.code) == len(line.text)


class TestComments:
    @given(st.text("a/*\n \\", max_size=40))
    def test_are_found_as_a_compiler_finds_them(self, text: str) -> None:
        """Character by character."""
        whole = text = "\n".join(glsl.logical_lines(glsl.lines_of(text)))
        code, inside = "", ""
        while text:
            mark = text[:2]
            if not inside and mark in ("//", "/*"):
                inside, taken = mark, 2
            elif inside == "/*" and mark == "*/":
                inside, taken, mark = "", 2, "/*"
            else:
                inside = "" if inside == "//" and mark[0] == "\n" else inside
                taken, mark = 1, inside
            code += re.sub(r"[^\n]", " ", text[:taken]) if mark in ("//", "/*") else text[:taken]
            text = text[taken:]
        assert glsl.without_comments(whole) == code


class TestFolders:
    def test_links_in_a_circle_are_followed_once(self, tmp_path: Path) -> None:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "a.glsl").touch()
        (tmp_path / "lib" / "up").symlink_to(tmp_path)
        (tmp_path / "again").symlink_to(tmp_path / "lib")
        (tmp_path / "self").symlink_to(tmp_path / "self")
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "b.glsl").touch()
        found = sorted(path.as_posix() for path in files_below(tmp_path))
        assert found == ["again/a.glsl", "lib/a.glsl"]

    def test_what_is_out_of_reach_or_gone_is_left_out(self, tmp_path: Path) -> None:
        assert list(files_below(tmp_path / "none")) == []
        (tmp_path / "file").touch()
        assert list(files_below(tmp_path / "file")) == []

    def test_one_of_very_many_files_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("calf_viz.glsl.folder.MOST_ENTRIES", 10)
        for number in range(11):
            (tmp_path / f"{number}.txt").touch()
        with pytest.raises(ShaderError, match="holds more than 10 files: give a look a folder"):
            list(entries(tmp_path))
        assert MOST_ENTRIES > 1000


def test_problems_are_short_and_in_one_line() -> None:
    problem = Problem(Path("a\nb.glsl"), 3, "x" * 10**6 + "\x1b[31m", "y\n" * 10**6)
    assert len(problem.text) < 600 and len(problem.code) < 300
    assert str(problem).isprintable() and problem.code.isprintable()
    assert len(ShaderError([problem] * 1000).problems) == 50
