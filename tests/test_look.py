"""look.toml, whatever stands in it or in its place: a look, or one line that says why not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calf_viz.errors import UserError
from calf_viz.glsl.controls import ControlValues, read_annotation
from calf_viz.glsl.problems import ShaderError
from calf_viz.workbench.look_file import FILE, Look, read_look, save_values

CONTROLS = {
    name: read_annotation(type_, name, f"// {annotation}")
    for name, type_, annotation in (
        ("u_glow", "float", "@slider 0..4 = 1"), ("u_count", "int", "@slider 0..9"),
        ("u_grid", "bool", "@toggle"), ("u_pattern", "int", "@choice dots|lines"),
        ("u_ink", "vec3", "@color"),
    )
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE


def refused(file: Path, text: str | bytes) -> str:
    """What is said of a text, of the file, in a short line."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ShaderError) as caught:
        read_look(file).parsed(CONTROLS)
    said = str(caught.value)
    assert said.startswith(str(file)) and said.isprintable() and len(said) < 1001
    return said.removeprefix(str(file))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "it is a pipe"),
        (Path.mkdir, "it is a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: path.write_bytes(b"#" * 2**16), "it holds 65,536 bytes"),
        (lambda path: path.write_text("seed", encoding="utf-16"), "it is UTF-16"),
    ],
    ids=["pipe", "folder", "device", "circle", "large", "utf-16"],
)
def test_what_lies_in_its_place_is_told_at_once(file: Path, make, words: str) -> None:
    make(file)
    for attempt in (read_look, lambda path: save_values(path, ControlValues())):
        with pytest.raises(UserError, match=f"{words}|in a circle") as caught:
            attempt(file)
        assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_where_there_is_none_there_is_none(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "nothing")
    for path in (file, tmp_path / "none" / FILE, None):
        assert read_look(path) == Look()
    (tmp_path / "file").touch()
    assert read_look(tmp_path / "file" / FILE) == Look()


def test_a_mark_of_an_editor_is_no_part_of_it(file: Path) -> None:
    file.write_bytes("\ufeff[values]\r\nu_glow = 2\r\n".encode())
    assert read_look(file).parsed(CONTROLS) == {"u_glow": 2.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"u_glow = {'9' * 5000}", ": not TOML: Exceeds the limit"),
        (f"[values]\nu_glow = 0x{'f' * 5000}", ":2: u_glow = int too large to be shown does not"),
        ("a = " + "[" * 5000 + "]" * 5000, ": not TOML: nested too deep"),
        ("a = " + "{a = " * 2000 + "1" + "}" * 2000, ": not TOML: nested too deep"),
        ("\n" + "a." * 5000 + "a = 1", ":2: not TOML: nested too deep"),
        ("\n[" + "a . " * 5000 + "a]", ":2: not TOML: nested too deep"),
        ("\nbackground = '#ffffff'\nbackground = '#000000'", ":3: Cannot overwrite a value"),
        (f"\ncolour_map = {['#ffffff'] * 2000}", ":2: colour_map: 2,000 colours, at most 256"),
        (f"colour_map = ['{'#' * 5000}']", ":1: colour_map: give a name"),
        ("\ncolour_map = []", ":2: "),
        ("\ncolour_map = [['#ffffff']]", ":2: colour_map: give a name"),
        ("\ncolour_map = '../../etc/passwd'", ":2: unknown colour map"),
        ("background = 'red'", ":1: background: give a colour"),
        ("background = nan", ":1: background: give a colour"),
        ("[[values]]", ":1: values: write a table"),
        ("[values]\nu_glow = nan", ":2: u_glow = nan does not fit: give a number from 0 to 4"),
        ("[values]\nu_glow = -inf", ":2: u_glow = -inf does not fit"),
        ("[values]\nu_glow = 1e999", ":2: u_glow = inf does not fit"),
        ("[values]\nu_glow = 4.001", ":2: u_glow = 4.001 does not fit"),
        ("[values]\nu_count = 2.5", ":2: u_count = 2.5 does not fit: give a whole number"),
        ("[values]\nu_glow = [1, 2]", ":2: u_glow: give a number, a text, true or false"),
        ("[values]\n\nu_glow = 2020-01-01", ":3: u_glow: give a number"),
        ("[values.u_glow]\nx = 1", ":1: u_glow: give a number"),
        (f"[values]\nu_ink = '{'#' * 9000}'", ":2: u_ink = ###"),
        (f"values.u_pattern = '''{'1' * 9000}.x'''", ":1: u_pattern = 111"),
        (f"{'x' * 9000} = 1", ":1: xxx"),
        ("'\x1b[31m' = 1", ":1: Found invalid character"),
        (b"\xff\xfe\x00", ": it is UTF-16"),
        (b"a = 1\n\xff", ":2: not UTF-8"),
        ("a = \x00", ":1: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_its_line(file: Path, text: str | bytes, said: str) -> None:
    assert refused(file, text).startswith(said)


def test_a_thousand_keys_are_looked_up_in_one_go(file: Path, monkeypatch) -> None:
    file.write_text("".join(f"k{number} = 1\n" for number in range(2000)))
    reads: list[Any] = []
    monkeypatch.setattr(
        "calf_viz.files.read_bytes",
        lambda path, most, advice="": reads.append(path) or Path(path).read_bytes(),
    )
    with pytest.raises(ShaderError) as caught:
        read_look(file)
    assert len(reads) == 1 and len(caught.value.problems) == 50
    assert [problem.line for problem in caught.value.problems] == list(range(1, 51))


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["background", "colour_map", "values", *CONTROLS]) | st.text(max_size=8)
TEXTS = st.text("[]{}=.,\"'#\n aavlues_0123", max_size=60) | st.dictionaries(
    NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=3), max_size=3
).map(tomlkit.dumps)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS)
def test_any_text_is_a_look_or_told(file: Path, text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    file.write_bytes(data)
    try:
        look = read_look(file)
        values = look.parsed(CONTROLS)
    except ShaderError as error:
        assert all(p.path == file and str(p).isprintable() for p in error.problems)
        return
    for name, value in values.items():
        assert CONTROLS[name].fits(value)


def test_values_are_not_written_into_what_cannot_be_read(file: Path) -> None:
    values = ControlValues()
    values.adopt(CONTROLS)
    for text in ("a = " + "[" * 5000, "\n" + "a." * 5000 + "a = 1", "values = 3", "a = "):
        file.write_text(text)
        with pytest.raises(UserError, match=FILE):
            save_values(file, values)
        assert file.read_text() == text
    file.write_text("[values] # mine\nu_glow = 3 # so much\n")
    save_values(file, values)
    text = file.read_text()
    assert "# mine" in text and "# so much" in text
    assert read_look(file).parsed(CONTROLS) == values.values
