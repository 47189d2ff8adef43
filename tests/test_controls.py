"""Annotated uniforms: their grammar, and their values over reloads."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from applications import running
from control_samples import EVERY, SCENE, controlled
from hypothesis import assume, given
from hypothesis import strategies as st
from opened_hosts import opened
from scene_folder import HOSTS
from written_looks import covers

from calf_viz.errors import UserError
from calf_viz.glsl.controls import Control, ControlValues, read_annotation
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError

look = pytest.fixture(controlled)

LABELS = st.text(st.characters(blacklist_characters='"\n\r', blacklist_categories=["Cs", "Cc"]))
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


@pytest.mark.rendering
class TestProgram:
    def test_set_without_a_window(self, look: Path) -> None:
        with running(shaders=look, set=("u_red=0.2",), n_agents=2) as shown:
            shown.step()
            assert covers(shown.screenshot(), [51, 0, 0])

    @pytest.mark.parametrize("text", ["u_red", "u_red=", "u_red=2", "u_x=1", "=1"])
    def test_what_cannot_be_set_is_reported(self, look: Path, text: str) -> None:
        with (
            pytest.raises(UserError, match=r"u_red|u_x|is not a control"),
            running(shaders=look, set=(text,)),
        ):
            pass


@pytest.mark.parametrize(
    "name",
    ["p3d_TexAlphaOnly", "p3d_mine", "osg_FrameTime", "gl_Mine", "trans_x", "wspos_me", "u__x"],
)
def test_names_that_the_system_keeps_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is a name reserved by the system"):
        read_annotation("float", name, "// @slider 0..1")


@pytest.mark.parametrize("text", ["@slider " + "1" * 1500, "@" + "a" * 1500 + '"x"y', "@" * 1500])
def test_annotations_are_short(text: str) -> None:
    with pytest.raises(ValueError, match="has 1,5") as caught:
        read_annotation("float", "u_x", f"// {text}")
    assert len(str(caught.value)) < 200
