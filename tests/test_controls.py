"""Annotated uniforms: their grammar, their values over reloads, their file, and their panel."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scene_folder import HOSTS, POINT_MASS, Agents, SceneFolder
from test_app import running
from test_hosts import opened

from calf_viz.errors import UserError
from calf_viz.glsl.controls import Control, ControlValues, read_annotation
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.hosts.base import Host
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import help_line
from calf_viz.hud.overview import overview
from calf_viz.scene.scene import Scene
from calf_viz.workbench.look import WornLook
from calf_viz.workbench.look_file import FILE, look_file, read_look, save_values

SCENE = SceneFolder("controls", size=(160, 90), trail=60, steps=20, agents=[Agents(2, seed=1)])
LABELS = st.text(st.characters(blacklist_characters='"\n\r', blacklist_categories=["Cs", "Cc"]))
LINES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=80)
WORDS = st.lists(st.from_regex(r"[A-Za-z][\w-]{0,8}", fullmatch=True), min_size=1, unique=True)


class TestGrammar:
    @given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1), LABELS, st.booleans())
    def test_sliders(
        self, low: float, span: float, part: float, label: str, with_default: bool
    ) -> None:
        high = low + span
        assume(np.float32(low) < np.float32(high))
        default = min(max(low + part * span, low), high)
        tail = f" = {default!r}" if with_default else ""
        read = read_annotation("float", "u_a", f'//@slider {low!r}..{high!r}{tail} "{label}"')
        assert (read.kind, read.low, read.high) == ("slider", low, high)
        assert read.default == (default if with_default else low)
        assert read.label == (label.strip() or "a" if label else "a")

    @given(WORDS, st.data())
    def test_choices(self, words: list[str], data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(words))
        read = read_annotation("int", "u_a", f"// @choice {' | '.join(words)} = {chosen}")
        assert read.words == tuple(words) and read.words[int(read.default)] == chosen

    @given(st.integers(0, 0xFFFFFF))
    def test_colours(self, number: int) -> None:
        for kind in ("color", "colour"):
            read = read_annotation("vec3", "u_a", f'// @{kind} = #{number:06x} "x"')
            assert isinstance(read.default, tuple)
            assert read.text(read.default) == f"#{number:06x}"

    @given(
        LABELS.filter(lambda text: len(text) < 80),
        st.sampled_from(["float", "int", "bool", "vec3", "mat4"]),
    )
    def test_whatever_is_written_is_read_or_refused_in_words(self, text: str, type_: str) -> None:
        for mark in ("// @", "// @slider ", "// @choice ", "// @toggle", "// @color"):
            try:
                read = read_annotation(type_, "u_a", mark + text)
            except ValueError as error:
                assert str(error) and "\n" not in str(error).strip()
            else:
                assert read.fits(read.default)

    @given(st.sampled_from(range(6)), st.data())
    def test_text_and_value_are_one(self, which: int, data: st.DataObject) -> None:
        control = EVERY[which]
        value = data.draw(values_of(control))
        assert control.fits(value)
        assert control.parse(control.text(value)) == pytest.approx(value, abs=1e-5, rel=1e-5)

    def test_defaults(self) -> None:
        assert read_annotation("bool", "u_a", "// @toggle").default == 0
        assert read_annotation("float", "u_a", "// @slider -1..1").default == -1.0
        assert read_annotation("int", "u_a", "// @slider 2..4").default == 2
        assert read_annotation("int", "u_a", "// @choice b|a").default == 0
        assert read_annotation("vec3", "u_two_words", "// @color").default == (1.0, 1.0, 1.0)
        assert read_annotation("vec3", "u_two_words", "// @color").label == "two words"

    @pytest.mark.parametrize(
        ("type_", "text", "words"),
        [
            ("float", "@slidr 0..1", "@slidr is unknown: choose one of @slider"),
            ("float", "@slider", "takes a range"),
            ("float", "@slider 1..0", "is not a range"),
            ("float", "@slider 0..1e999", "beyond GLSL's floats, of at most 3.4028234e+38"),
            ("float", "@slider -1e308..1e308", "beyond GLSL's floats"),
            ("float", "@slider 1..1.00000001", "is one number to GLSL"),
            ("float", "@slider 0..1 step 1e-320", "step 1e-320 is too fine"),
            ("float", "@slider 0..1 step 1e-400", "step 1e-400 is too fine"),
            ("int", "@slider 0..2147483648", "beyond GLSL's ints, of at most 2147483647"),
            ("int", "@slider 0..4 = 0.5", "0.5 does not fit: give a whole number from 0 to 4"),
            ("float", "@slider 0..1 step 2", "step 2 does not fit"),
            ("float", "@slider 0..1 = 2", "2 does not fit: give a number from 0 to 1"),
            ("int", "@slider 0..1.5", "give whole numbers"),
            ("vec3", "@slider 0..1", "@slider is for float or int, u_a is a vec3"),
            ("bool", "@toggle = maybe", "maybe does not fit: give on or off"),
            ("bool", "@toggle now", "@toggle does not take 'now'"),
            ("int", "@choice", "takes words"),
            ("int", "@choice a||b", "takes words"),
            ("int", "@choice a|a", "the same word twice"),
            ("int", "@choice a|b = c", "c does not fit: give a or b"),
            ("vec3", "@color = red", "red does not fit: give a colour such as #ff8800"),
            ("float", '@slider 0..1 "half', "cannot be read"),
            ("float", "@", "cannot be read"),
        ],
    )
    def test_what_is_wrong_is_said(self, type_: str, text: str, words: str) -> None:
        with pytest.raises(ValueError, match=re.escape(words)):
            read_annotation(type_, "u_a", f"// {text}")


EVERY = [
    read_annotation("float", "u_f", "// @slider -2..3"),
    read_annotation("float", "u_s", "// @slider 0..1 step 0.25 = 0.5"),
    read_annotation("int", "u_i", "// @slider -5..5 = 1"),
    read_annotation("bool", "u_b", "// @toggle = on"),
    read_annotation("int", "u_c", "// @choice dots|lines|none = lines"),
    read_annotation("vec3", "u_v", "// @color = #204060"),
]


def values_of(control: Control) -> st.SearchStrategy:
    if control.kind == "color":
        return st.tuples(*[st.integers(0, 255).map(lambda c: c / 255)] * 3)
    if control.kind == "slider":
        return st.floats(control.low, control.high).map(control.nearest)
    return st.integers(0, len(control.words or "ab") - 1)


class TestValues:
    def of(self, *controls: Control) -> ControlValues:
        values = ControlValues()
        values.adopt({control.name: control for control in controls})
        return values

    def test_begin_with_their_defaults_and_are_kept(self) -> None:
        values = self.of(*EVERY)
        assert values.values == {control.name: control.default for control in EVERY}
        values.set("u_f", 1.5)
        moved = read_annotation("float", "u_f", '// @slider -9..9 = 0 "another label"')
        values.adopt({"u_f": moved})
        assert values.values == {"u_f": 1.5}

    def test_a_default_written_anew_is_seen_where_the_value_was_not_set(self) -> None:
        values = self.of(EVERY[0])
        for default in (1.0, -1.0):
            text = f"// @slider -2..3 = {default}"
            values.adopt({"u_f": read_annotation("float", "u_f", text)})
            assert values.values == {"u_f": default}
        values.set("u_f", -1.0)
        values.adopt({"u_f": EVERY[0]})
        assert values.values == {"u_f": -1.0}, "set to what was the default"

    def test_a_value_kept_takes_the_nearest_of_other_steps(self) -> None:
        values = self.of(EVERY[0])
        values.set("u_f", 1.04)
        values.adopt({"u_f": read_annotation("float", "u_f", "// @slider -2..3 step 0.1")})
        assert values.values == {"u_f": 1.0}
        values.set("u_f", values.controls["u_f"].nearest(0.31))
        assert values.values == {"u_f": 0.3}, "as one would write it"

    def test_the_ends_of_a_range_are_kept_whatever_their_digits(self) -> None:
        text = "// @slider 0.12345678..0.87654321 = 0.5"
        values = self.of(read_annotation("float", "u_f", text))
        for end in (0.12345678, 0.87654321):
            values.set("u_f", end)
            values.adopt({"u_f": read_annotation("float", "u_f", text + ' "again"')})
            assert values.values == {"u_f": end}

    def test_are_kept_while_a_control_is_away(self) -> None:
        values = self.of(EVERY[0])
        values.set("u_f", 1.5)
        values.adopt({})
        assert values.values == {}
        values.adopt({"u_f": EVERY[0]})
        assert values.values == {"u_f": 1.5}

    @pytest.mark.parametrize(
        ("type_", "text", "expected"),
        [
            ("float", "@slider 0..1 = 0.5", 0.5),  # 1.5 is out of its range
            ("int", "@slider 0..9 = 4", 4),  # another type
            ("int", "@choice a|b = b", 1),
        ],
    )
    def test_are_not_kept_where_they_do_not_fit(
        self, type_: str, text: str, expected: float
    ) -> None:
        values = self.of(EVERY[0])
        values.set("u_f", 1.5)
        values.adopt({"u_f": read_annotation(type_, "u_f", f"// {text}")})
        assert values.values == {"u_f": expected}

    def test_unknown_names_and_values_are_refused_with_what_there_is(self) -> None:
        values = self.of(EVERY[0], EVERY[4])
        with pytest.raises(UserError, match=r"u_x is not a control.*u_f, u_c"):
            values.set_text("u_x", "1")
        with pytest.raises(UserError, match="u_c = blobs does not fit: give dots or lines or none"):
            values.set_text("u_c", "blobs")
        values.set_text("u_c", "none")
        assert values.values["u_c"] == 2


CONTROLS = """
uniform float u_red;    // @slider 0..1 = 1 "how red – größer"
uniform bool u_on;      // @toggle = on
uniform int u_which;    // @choice all|none = all
uniform vec3 u_ink;     // @color = #ff0000
uniform int u_count;    // @slider 1..3
"""
BODY = """
vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    bool all = u_on && u_which == 0 && u_count == 1;
    return all ? u_red * u_ink : vec3(0.0, 0.0, 1.0);
}
"""


@pytest.fixture
def look(tmp_path: Path) -> Path:
    folder = tmp_path / "look"
    folder.mkdir()
    (folder / "surface_colour.glsl").write_text(CONTROLS + BODY, encoding="utf-8")
    return folder


def covers(picture: np.ndarray, colour: list[int]) -> bool:
    return bool((picture == colour).all(axis=2).mean() > 0.1)


@pytest.mark.rendering
@pytest.mark.parametrize("kind", HOSTS)
class TestHosts:
    def test_every_kind_reaches_the_shader(self, kind: str, look: Path) -> None:
        with opened(kind, SCENE, library=ShaderLibrary(look)) as host:
            SCENE.play(host)

            def drawn(name: str, text: str) -> np.ndarray:
                before = host.controls.values[name]
                host.controls.set_text(name, text)
                host.draw()
                host.controls.set(name, before)
                return host.screenshot()

            assert covers(host.screenshot(), [255, 0, 0])
            assert covers(drawn("u_red", "0.2"), [51, 0, 0])
            assert covers(drawn("u_ink", "#00ff33"), [0, 255, 51])
            for name, text in (("u_on", "off"), ("u_which", "none"), ("u_count", "2")):
                assert covers(drawn(name, text), [0, 0, 255]), name

    def test_values_and_types_over_reloads(self, kind: str, look: Path) -> None:
        with opened(kind, SCENE, library=ShaderLibrary(look)) as host:
            SCENE.play(host)
            host.controls.set_text("u_red", "0.2")
            file = look / "surface_colour.glsl"
            file.write_text("\n\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
            host.reload()
            host.draw()
            assert covers(host.screenshot(), [51, 0, 0]), "kept"
            text = file.read_text(encoding="utf-8").replace(
                "uniform float u_red;    // @slider 0..1 = 1",
                "uniform int u_red; // @slider 0..1 = 1",
            )
            file.write_text(text.replace("u_red * u_ink", "float(u_red) * u_ink"), encoding="utf-8")
            host.reload()
            host.draw()
            assert covers(host.screenshot(), [255, 0, 0]), "another type begins anew"

    def test_an_annotation_that_cannot_be_read(self, kind: str, look: Path) -> None:
        with opened(kind, SCENE, library=ShaderLibrary(look)) as host:
            before = SCENE.play(host)
            file = look / "surface_colour.glsl"
            file.write_text(file.read_text(encoding="utf-8").replace("= on", "= maybe"))
            with pytest.raises(ShaderError) as error:
                host.reload()
            (problem,) = error.value.problems
            assert str(problem).startswith(f"{file}:3: maybe does not fit")
            assert problem.code == "uniform bool u_on;      // @toggle = maybe"
            host.draw()
            assert np.array_equal(host.screenshot(), before)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("uniform float u_trail_width; // @slider 0..1", "set by the program"),
            ("uniform float u_new[2]; // @slider 0..1", "an array"),
            ("uniform float u_red; // @slider 0..2", "declared twice"),
            ("uniform float u_new; // slider 0..1", "nobody sets u_new"),
        ],
    )
    def test_no_control(self, kind: str, look: Path, line: str, words: str) -> None:
        with opened(kind, SCENE, library=ShaderLibrary(look)) as host:
            (look / "trail_lift.glsl").write_text(
                f"{line}\nfloat trail_lift(float age) {{ return 0.0; }}\n"
            )
            with pytest.raises(ShaderError, match=words):
                host.reload()


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
            worn = WornLook(host)
            assert "u_gone is not a control" in caplog.text
            picture = SCENE.play(host)
            assert covers(picture, [51, 0, 0]) and picture[0, 0].tolist() == [255, 0, 255]
            worn.set("u_red=1")
            file.write_text("background = '#00ff00'\n[values]\nu_red = 0.2\n")
            worn.refresh()
            host.draw()
            picture = host.screenshot()
            assert picture[0, 0].tolist() == [0, 255, 0]
            assert covers(picture, [255, 0, 0]), "what stands there as before changes nothing"
            worn.save()
            assert tomllib.loads(file.read_text())["values"]["u_red"] == 1.0
            file.write_text("background = '#0000ff'\n[values]\nu_on = false\nu_red = 7\n")
            with pytest.raises(ShaderError, match=r"look\.toml:4: u_red = 7 does not fit"):
                worn.refresh()
            host.draw()
            assert np.array_equal(host.screenshot(), picture), "all of a file or nothing"

    @pytest.mark.rendering
    def test_a_value_waits_for_its_control(self, look: Path) -> None:
        (look / FILE).write_text("[values]\nu_green = 0.4\n")
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            worn = WornLook(host)
            file = look / "surface_colour.glsl"
            file.write_text("uniform float u_green; // @slider 0..1\n" + file.read_text())
            host.reload()
            worn.refresh()
            assert host.controls.values["u_green"] == 0.4
            host.controls.set("u_green", 0.5)
            worn.refresh()
            assert host.controls.values["u_green"] == 0.5, "as it stood: what is set by hand stays"

    @pytest.mark.rendering
    def test_a_shipped_look_stays_as_it_is(self) -> None:
        with (
            opened("moderngl", SCENE, library=ShaderLibrary(Path("night"))) as host,
            pytest.raises(UserError, match="shaders new my_night --from night"),
        ):
            WornLook(host).save()

    @pytest.mark.rendering
    def test_nothing_is_saved_where_the_look_is_gone(self, look: Path, tmp_path: Path) -> None:
        with opened("moderngl", SCENE, library=ShaderLibrary(look)) as host:
            worn = WornLook(host)
            look.rename(tmp_path / "away")
            with pytest.raises(UserError, match="is gone: values are saved when it is back"):
                worn.save()
            assert not look.exists()
            (tmp_path / "away").rename(look)
            (look / FILE).write_text("values = 3\n")
            with pytest.raises(UserError, match="values is not a table"):
                worn.save()
            assert (look / FILE).read_text() == "values = 3\n"

    @pytest.mark.rendering
    def test_a_look_may_bring_its_colour_map(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_text("colour_map = ['#ff0000', '#ff0000']\n")
        for kind in HOSTS:
            with opened(kind, SCENE, library=ShaderLibrary(tmp_path)) as host:
                plain = SCENE.play(host)
                assert plain[..., 2].max() > 100
                WornLook(host)
                host.draw()
                middle = host.screenshot()[40:50, 60:100].reshape(-1, 3)
                assert (middle[:, 0] > 2 * middle[:, 2].astype(int)).mean() > 0.8, kind


@pytest.mark.rendering
class TestProgram:
    def test_set_without_a_window(self, look: Path) -> None:
        with running(shaders=look, set=("u_red=0.2",), n_agents=2) as shown:
            shown.step()
            assert covers(shown.screenshot(), [51, 0, 0])

    @pytest.mark.parametrize("text", ["u_red", "u_red=", "u_red=2", "u_x=1", "=1"])
    def test_what_cannot_be_set_is_told(self, look: Path, text: str) -> None:
        with (
            pytest.raises(UserError, match=r"u_red|u_x|is not a control"),
            running(shaders=look, set=(text,)),
        ):
            pass


class TestPanel:
    size = (1280, 720)

    @pytest.fixture
    def panel(self) -> ControlPanel:
        controls = ControlValues()
        controls.adopt({control.name: control for control in EVERY})
        return ControlPanel(controls)

    @pytest.fixture
    def shown(self, panel: ControlPanel) -> Callable[[], Hud]:
        scene = SceneFolder.read("hud")
        assert scene.hud is not None
        hud = scene.hud.hud(scene.scene().mode_colours)
        hud.add(panel)

        def prepare() -> Hud:
            hud.redraw()
            hud.prepare(Scene(size=self.size), scene.surface.heightfield(), (0.0, 1.0))
            return hud

        return prepare

    def middle(self, panel: ControlPanel, name: str, component: int = 0) -> tuple[float, float]:
        part = next(p for p in panel.parts if (p.name, p.component) == (name, component))
        return part.rect.x + 0.5 * part.rect.width, part.rect.y + 0.5 * part.rect.height

    def test_every_control_takes_the_mouse_within_the_panel(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        placed = shown().placed["controls"]
        assert {part.name for part in panel.parts} == {control.name for control in EVERY}
        for part in panel.parts:
            assert placed.holds(part.rect.x, part.rect.y)
            assert placed.holds(part.rect.right - 1, part.rect.bottom - 1)
        for i, part in enumerate(panel.parts):
            assert not any(part.rect.overlaps(other.rect) for other in panel.parts[:i])

    def test_press_and_drag(self, panel: ControlPanel, shown: Callable[[], Hud]) -> None:
        hud, values = shown(), panel.controls.values
        hud.press(*self.middle(panel, "u_f"))
        assert values["u_f"] == pytest.approx(0.5, abs=0.05)
        hud.drag(1e4, -50.0)
        assert values["u_f"] == 3.0, "dragged beyond the end, and off the panel"
        hud.drag(-1e4, 0.0)
        assert values["u_f"] == -2.0
        hud.release()
        hud.drag(1e4, 0.0)
        assert values["u_f"] == -2.0, "released"
        hud.press(*self.middle(panel, "u_i"))
        assert values["u_i"] == 0 and isinstance(values["u_i"], int)
        hud.press(*self.middle(panel, "u_b"))
        assert values["u_b"] == 0
        hud.drag(*self.middle(panel, "u_b"))
        assert values["u_b"] == 0, "a press switches once"
        for component, expected in ((1, 2), (1, 0), (-1, 2), (-1, 1)):
            hud.press(*self.middle(panel, "u_c", component))
            assert values["u_c"] == expected
        before = values["u_v"]
        hud.press(*self.middle(panel, "u_v", 1))
        red, green, blue = values["u_v"]
        assert (red, blue) == (before[0], before[2]) and green == pytest.approx(0.5, abs=0.1)

    @pytest.mark.rendering
    @pytest.mark.parametrize("kind", HOSTS)
    @pytest.mark.parametrize(
        ("type_", "ends"),
        [("float", ("-3.4e38", "3.4e38")), ("int", ("-2147483647", "2147483647"))],
    )
    def test_the_widest_sliders_are_drawn_from_end_to_end(
        self, look: Path, kind: str, type_: str, ends: tuple[str, str]
    ) -> None:
        text = f"uniform {type_} u_wide; // @slider {'..'.join(ends)}\n"
        text += BODY.partition("{")[0] + "{ return u_wide > 0 ? vec3(1, 0, 0) : colour; }\n"
        (look / "surface_colour.glsl").write_text(text)
        scene = SceneFolder.read("hud")
        with opened(kind, scene, library=ShaderLibrary(look)) as host:
            assert host.hud is not None
            panel = ControlPanel(host.controls)
            host.hud.add(panel)
            for end in ends:
                host.controls.set_text("u_wide", end)
                self.drawn(host)
            host.hud.press(*self.middle(panel, "u_wide"))
            host.hud.drag(1e4, 0.0)
            assert covers(self.drawn(host), [255, 0, 0])

    def test_elsewhere_is_not_its_own(self, panel: ControlPanel, shown: Callable[[], Hud]) -> None:
        hud, before = shown(), dict(panel.controls.values)
        for x, y in ((640, 360), (30, 30), (-5, -5)):
            hud.press(x, y)
            hud.drag(x + 500, y)
            hud.release()
        assert panel.controls.values == before

    def test_a_control_that_a_reload_takes_away_under_the_mouse(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        hud = shown()
        hud.press(*self.middle(panel, "u_f"))
        panel.controls.adopt({})
        hud.drag(0.0, 0.0)
        assert panel.controls.values == {}
        assert "controls" not in shown().placed, "no panel without controls"

    def test_more_than_there_is_room_for(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        many = {f"u_{i}": read_annotation("float", f"u_{i}", "// @slider 0..1") for i in range(50)}
        panel.controls.adopt(many)
        placed = shown().placed["controls"]
        assert placed.within(self.size)
        assert 5 < len({part.name for part in panel.parts}) < 50

    def test_is_there_while_its_look_is_shown(
        self, panel: ControlPanel, shown: Callable[[], Hud]
    ) -> None:
        panel.look = "B"
        hud = shown()
        for looks, there in (("AB", True), ("A", False), ("B", True)):
            hud.update(looks=looks)
            hud.prepare(
                Scene(size=self.size), SceneFolder.read("hud").surface.heightfield(), (0.0, 1.0)
            )
            assert ("controls" in hud.placed) == there

    def test_comes_before_the_line_of_keys_where_there_is_room_for_one(
        self, panel: ControlPanel
    ) -> None:
        scene = SceneFolder.read("hud").scene()
        hud = overview(POINT_MASS, scene.mode_colours, help_line({"pause", "quit"}))
        hud.add(panel, before="keys")
        surface = SceneFolder.read("hud").surface.heightfield()
        for size, there in (((400, 240), {"controls"}), ((1280, 720), {"controls", "keys"})):
            hud.prepare(Scene(size=size), surface, (0.0, 1.0))
            assert {"controls", "keys"} & set(hud.placed) == there

    @pytest.mark.rendering
    def test_a_changed_value_moves_the_knob(self, look: Path) -> None:
        scene = SceneFolder.read("hud")
        with opened("moderngl", scene, library=ShaderLibrary(look)) as host:
            assert host.hud is not None
            host.hud.add(ControlPanel(host.controls))
            first = self.drawn(host)
            host.controls.set_text("u_red", "0.5")
            x, y, width, height = host.hud.placed["controls"]
            there = np.s_[y : y + height, x : x + width]
            assert (first[there] != self.drawn(host)[there]).any()

    def drawn(self, host: Host) -> np.ndarray:
        host.draw()
        return host.screenshot()


@pytest.mark.parametrize(
    "name",
    ["p3d_TexAlphaOnly", "p3d_mine", "osg_FrameTime", "gl_Mine", "trans_x", "wspos_me", "u__x"],
)
def test_names_that_the_system_keeps_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is a name that the system keeps"):
        read_annotation("float", name, "// @slider 0..1")


@pytest.mark.parametrize("text", ["@slider " + "1" * 1500, "@" + "a" * 1500 + '"x"y', "@" * 1500])
def test_annotations_are_short(text: str) -> None:
    with pytest.raises(ValueError, match="of 1,5") as caught:
        read_annotation("float", "u_x", f"// {text}")
    assert len(str(caught.value)) < 200
