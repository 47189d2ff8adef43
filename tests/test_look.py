"""look.toml: what it keeps and brings; whatever else lies there is told in a line that says why."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit
from control_samples import EVERY, SCENE, controlled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opened_hosts import opened
from scene_folder import HOSTS
from written_looks import covers

from calf_viz.errors import UserError
from calf_viz.glsl.controls import ControlValues, read_annotation
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.workbench.look import AppliedLook
from calf_viz.workbench.look_file import FILE, Look, look_file, read_look, save_values

CONTROLS = {
    name: read_annotation(type_, name, f"// {annotation}")
    for name, type_, annotation in (
        ("u_glow", "float", "@slider 0..4 = 1"), ("u_count", "int", "@slider 0..9"),
        ("u_grid", "bool", "@toggle"), ("u_pattern", "int", "@choice dots|lines"),
        ("u_ink", "vec3", "@color"),
    )
}  # fmt: skip

look = pytest.fixture(controlled)


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
def test_what_lies_in_its_place_is_reported_at_once(file: Path, make, words: str) -> None:
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
        ("[values]\nu_glow = [1, 2]", ":2: u_glow: give a number, a string, true or false"),
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
def test_what_is_wrong_is_reported_in_its_line(file: Path, text: str | bytes, said: str) -> None:
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_any_text_is_a_look_or_reported(file: Path, text: str) -> None:
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


class TestFile:
    def test_what_was_saved_is_read(self, tmp_path: Path) -> None:
        values = ControlValues()
        values.adopt({control.name: control for control in EVERY})
        for name, text in (("u_f", "1.25"), ("u_b", "off"), ("u_c", "none"), ("u_v", "#ff0001")):
            values.set_text(name, text)
        path = tmp_path / FILE
        path.write_text('# mine\nbackground = "#102030"  # dusk\n\n[values]\nu_gone = 3\n')
        save_values(path, values)
        text = path.read_text()
        assert "# mine" in text and "# dusk" in text, "comments stay"
        assert tomllib.loads(text)["values"] == {
            "u_gone": 3, "u_f": 1.25, "u_s": 0.5, "u_i": 1, "u_b": False, "u_c": "none",
            "u_v": "#ff0001",
        }  # fmt: skip
        look = read_look(path)
        assert look.background == pytest.approx((16 / 255, 32 / 255, 48 / 255))
        again = ControlValues()
        again.adopt(values.controls)
        for name in values.controls:
            again.set_text(name, look.values[name])
        assert again.values == values.values

    def test_where_it_lies(self, tmp_path: Path) -> None:
        assert look_file(None) is None
        assert look_file(tmp_path) == tmp_path / FILE
        assert look_file(tmp_path / "trail_colour.glsl") == tmp_path / "trail_colour.toml"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a = \n", f"{FILE}:1: "),
            ("background = 3", "give a colour such as"),
            ("backgrund = '#000000'", "backgrund is unknown: write background, colour_map"),
            ("colour_map = 'no such map'", "unknown colour map"),
            ("colour_map = ['no', 'colours']", "unknown colour map"),
            ("colour_map = []", "unknown colour map"),
            ("\nvalues = 3", f"{FILE}:2: values: write a table"),
            ("colour_map = 3", f"{FILE}:1: colour_map: give a name that cmap knows, or colours"),
            ("colour_map = ['#fff', 3]", f"{FILE}:1: colour_map: give a name"),
            ("values = {}\n'background' = 3", f"{FILE}:2: background"),
            ("colour_map = 'ink'\ncolour_map = 'ink'\n", f"{FILE}:2: Cannot overwrite"),
            ("\x00", FILE),
        ],
    )
    def test_what_cannot_be_read_is_said(self, tmp_path: Path, text: str, words: str) -> None:
        (tmp_path / FILE).write_text(text)
        with pytest.raises(ShaderError) as error:
            read_look(tmp_path / FILE)
        assert words in str(error.value) and str(tmp_path) in str(error.value)

    def test_what_is_no_text_is_said(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_bytes(b"[values]\n# \xff\n")
        with pytest.raises(ShaderError, match=rf"{FILE}:2: not UTF-8 \(byte 11\)"):
            read_look(tmp_path / FILE)

    @pytest.mark.rendering
    def test_a_look_follows_its_file(self, look: Path, caplog: pytest.LogCaptureFixture) -> None:
        file = look / FILE
        file.write_text("background = '#ff00ff'\n[values]\nu_red = 0.2\nu_gone = 1\n")
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            applied = AppliedLook(host)
            assert "u_gone is not a control" in caplog.text
            picture = SCENE.play(host)
            assert covers(picture, [51, 0, 0]) and picture[0, 0].tolist() == [255, 0, 255]
            applied.set("u_red=1")
            file.write_text("background = '#00ff00'\n[values]\nu_red = 0.2\n")
            applied.refresh()
            host.draw()
            picture = host.screenshot()
            assert picture[0, 0].tolist() == [0, 255, 0]
            assert covers(picture, [255, 0, 0]), "what stands there as before changes nothing"
            applied.save()
            assert tomllib.loads(file.read_text())["values"]["u_red"] == 1.0
            file.write_text("background = '#0000ff'\n[values]\nu_on = false\nu_red = 7\n")
            with pytest.raises(ShaderError, match=r"look\.toml:4: u_red = 7 does not fit"):
                applied.refresh()
            host.draw()
            assert np.array_equal(host.screenshot(), picture), "all of a file or nothing"

    @pytest.mark.rendering
    def test_a_value_waits_for_its_control(self, look: Path) -> None:
        (look / FILE).write_text("[values]\nu_green = 0.4\n")
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            applied = AppliedLook(host)
            file = look / "surface_colour.glsl"
            file.write_text("uniform float u_green; // @slider 0..1\n" + file.read_text())
            host.reload()
            applied.refresh()
            assert host.controls.values["u_green"] == 0.4
            host.controls.set("u_green", 0.5)
            applied.refresh()
            assert host.controls.values["u_green"] == 0.5, "as it stood: what is set by hand stays"

    @pytest.mark.rendering
    def test_a_shipped_look_stays_as_it_is(self) -> None:
        with (
            opened("moderngl", SCENE, library=ShaderLibrary(Path("night"))) as host,
            pytest.raises(UserError, match="shaders new my_night --from night"),
        ):
            AppliedLook(host).save()

    @pytest.mark.rendering
    def test_nothing_is_saved_where_the_look_is_gone(self, look: Path, tmp_path: Path) -> None:
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            applied = AppliedLook(host)
            look.rename(tmp_path / "away")
            with pytest.raises(UserError, match="is gone: values are saved when it is back"):
                applied.save()
            assert not look.exists()
            (tmp_path / "away").rename(look)
            (look / FILE).write_text("values = 3\n")
            with pytest.raises(UserError, match="values is not a table"):
                applied.save()
            assert (look / FILE).read_text() == "values = 3\n"

    @pytest.mark.rendering
    def test_a_look_may_bring_its_colour_map(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_text("colour_map = ['#ff0000', '#ff0000']\n")
        for kind in HOSTS:
            with opened(kind, SCENE, library=ShaderLibrary(tmp_path)) as host:
                plain = SCENE.play(host)
                assert plain[..., 2].max() > 100
                AppliedLook(host)
                host.draw()
                middle = host.screenshot()[40:50, 60:100].reshape(-1, 3)
                assert (middle[:, 0] > 2 * middle[:, 2].astype(int)).mean() > 0.8, kind
