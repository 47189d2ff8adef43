"""Modes: what a view says of them is what trails, markers and words show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scene_folder import HOSTS, OLDER, open_host

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import load_program
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.setup import Setup
from calf_viz.hud.overview import overview
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.colours import PALETTES, colour_map, mode_colours
from calf_viz.scene.mode_bits import ModeBits, shown_modes
from calf_viz.scene.ring import RingLayout, RingPacker
from calf_viz.scene.scene import Scene
from calf_viz.shader_trial.trust import is_trusted

COUNTS = [1, 3, 4, 5, 8, 9, 20]
OTHER = 7
"""What stands for all further modes of more than 8."""


def named(count: int) -> tuple[str, ...]:
    return tuple(f"mode {number}" for number in range(count))


class TestTexels:
    @pytest.mark.parametrize("count", COUNTS)
    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64])
    def test_tell_what_was_said(self, count: int, dtype: type) -> None:
        """By an oracle that keeps each agent's history as a list."""
        rng, n = np.random.default_rng(count), 6
        packer = RingPacker(RingLayout.fit(n, 8), trail=6, modes=count)
        bits = 2 if count <= 4 else 3
        said: list[list[int]] = [[] for _ in range(n)]
        for step in range(40):
            modes = rng.integers(0, count, n).astype(dtype)
            positions, headings = rng.normal(size=(n, 2)), rng.integers(0, 256, n)
            positions[rng.random(n) < 0.2] = np.nan
            samples = Samples(positions, modes, np.zeros(n, bool), headings * (2 * np.pi / 256))
            packer.check(samples)
            packed = packer.pack(samples)
            third = np.ascontiguousarray(packed.texels[0, :n, 2])
            undrawn = np.isnan(positions[:, 0])
            np.testing.assert_array_equal(np.signbit(third), undrawn)
            assert np.isfinite(third).all() and (np.abs(third) > np.finfo(np.float32).tiny).all()
            (row,) = packed.rows
            np.testing.assert_array_equal(row.drawn, ~undrawn)
            np.testing.assert_array_equal(row.modes, np.minimum(modes, 2**bits - 1))
            for agent, word in enumerate(third.view(np.int32).tolist()):
                said[agent].insert(0, min(int(modes[agent]), 2**bits - 1))
                told = [word >> bits * k & 2**bits - 1 for k in range(10 // bits)]
                assert told[: step + 1] == said[agent][: 10 // bits]
                assert word >> 10 & 255 == headings[agent]

    @pytest.mark.parametrize("count", COUNTS)
    def test_take_no_mode_outside(self, count: int) -> None:
        packer = RingPacker(RingLayout.fit(2, 8), trail=6, modes=count)
        for wrong in ([0, count], [-1, 0]):
            with pytest.raises(ValueError, match=r"^modes: -?\d+ to \d+, where (only )?0 "):
                packer.check(Samples.of(np.zeros((2, 2)), wrong))
        assert packer.step == -1


@pytest.mark.parametrize(("count", "each", "longest"), [(4, 2, 15), (5, 3, 10), (1000, 3, 10)])
def test_bits_and_strides_follow_from_the_number(count: int, each: int, longest: int) -> None:
    bits = ModeBits.of(count)
    assert (bits.each, bits.longest_stride) == (each, longest)
    scene = Scene(modes=count, stride=longest)
    setup = Setup(scene, colour_map("gray"), 1)
    assert setup.library.defines == ({} if each == 2 else {"MODE_BITS": "3"})
    with pytest.raises(UserError, match=f"`stride` {longest + 1}: at most {longest} for a view of"):
        Setup(replace(scene, stride=longest + 1), colour_map("gray"), 1)


def test_names_of_more_than_can_be_told_apart() -> None:
    assert shown_modes(named(8)) == named(8)
    assert shown_modes(named(9)) == (*named(7), "other")
    assert shown_modes((*named(6), "other", "a", "b")) == (*named(6), "other", "all other")
    both = (*named(4), "all other (2)", "other", " all other")
    assert shown_modes((*both, "a", "b")) == (*both, "all other (3)")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"modes": ()}, "modes: give one name at least"),
        ({"modes": "abc"}, "modes: give a sequence of names, not 'abc'"),
        ({"modes": ("a", "b", "a")}, "that of mode 2, a, is that of mode 0 too"),
        ({"modes": ("a", "a ")}, "that of mode 1, a , is that of mode 0 too"),
        ({"modes": ("a", " ")}, "that of mode 1, ' ', is no name"),
        ({"modes": ("a", None)}, "that of mode 1, None, is no name"),
        ({"modes": ("two\nlines",)}, r"that of mode 0, 'two\\nlines', is no name"),
        ({"modes": ("a", "b" * 61)}, "that of mode 1 is longer than 60 characters: bbb"),
        ({"modes": ("a", "b"), "colours": ("#112233",)}, "colours: 1 of 2 modes: give one of each"),
        ({"colours": ("red",)}, "the colour of mode 0, 'red': give #rrggbb or three numbers"),
        ({"colours": ("#12345g",)}, "the colour of mode 0"), ({"colours": ("#123",)}, "of mode 0"),
        ({"colours": ((0.5, 0.5, 1.01),)}, "of mode 0"), ({"colours": ((0.5, 0.5),)}, "of mode 0"),
        ({"colours": ((0.5, 0.5, float("nan")),)}, "of mode 0"), ({"colours": (7,)}, "of mode 0"),
        ({"colours": ((0, 0, 10**400),)}, "of mode 0"), ({"colours": ("111",)}, "of mode 0"),
        ({"modes": None}, "modes: give a sequence of names, not None"),
        ({"colours": "#112233"}, "colours: give a sequence of them, not '#112233'"),
        ({"colours": 3}, "colours: give a sequence of them, not 3"),
        ({"colours": (("0.1", "0.2", "0.3"),)}, "of mode 0"), ({"colours": (1j,)}, "of mode 0"),
    ],
)  # fmt: skip
def test_modes_and_colours_that_make_no_sense_are_refused(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        View("mine", **changes)
    assert "\n" not in str(caught.value)


def test_a_view_of_lists_and_arrays_is_that_of_tuples() -> None:
    """Views are compared, to see what changed."""
    arrays = View("two", modes=["a", "b"], colours=[np.array([0, 0.5, 1]), "#FF0000"])  # type: ignore[arg-type]
    tuples = View("two", modes=("a", "b"), colours=((0.0, 0.5, 1.0), (1.0, 0.0, 0.0)))
    assert arrays == tuples == replace(arrays) and hash(arrays) == hash(tuples)


def test_shaders_of_many_modes_need_no_trial() -> None:
    given = {"MODE_BITS": "3"}
    assert is_trusted(load_program(ShaderLibrary().with_defines(given), "field"))
    with pytest.raises(UserError, match="`define` MODE_BITS: determined by the view"):
        variants.check(given)


# --- colours


def lab(colours: np.ndarray, sight: np.ndarray) -> np.ndarray:
    """Oklab (Ottosson, 2020) of sRGB as somebody sees it."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ sight.T, 0.0, 1.0)
    cones = np.array([
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ])  # fmt: skip
    axes = np.array([
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ])  # fmt: skip
    return np.cbrt(seen @ cones.T) @ axes.T


# Of linear RGB, without the cones for red, and for green (Machado et al., 2009).
SIGHTS = {
    "usual": np.eye(3),
    "protan": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deutan": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("palette", "sight", "apart"),
    [("standard", "usual", 0.15), *(("colour_blind", sight, 0.09) for sight in SIGHTS)],
)
def test_colours_of_a_palette_are_told_apart(palette: str, sight: str, apart: float) -> None:
    """Those of eight modes, of others, of the agent in training and of a certificate refused;
    0.02 can just be noticed side by side."""
    said = PALETTES[palette]
    colours = np.array([*said.modes, said.other, said.trainee, said.refused])
    assert len(said.modes) == variants.MODES
    seen = lab(colours, SIGHTS[sight])
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(seen))
    assert distances.min() > apart, np.unravel_index(distances.argmin(), distances.shape)


def test_calfs_colours_stay_what_they_are() -> None:
    row = mode_colours()
    assert row.shape == (variants.HIGHLIGHTED + variants.MODES, 4)
    blue, green, red = (0.3, 0.7, 1.0), (0.2, 0.8, 0.3), (0.9, 0.2, 0.2)
    np.testing.assert_allclose(row[:3, :3], [blue, green, red])
    trainee = [(1.0, 0.9, 0.0), green, red]
    np.testing.assert_allclose(row[variants.TRAINEE_COLOURS :][:3, :3], trainee)
    np.testing.assert_allclose(row[variants.CERTIFIED :][:2, :3], [blue, (0.95, 0.35, 0.8)])


def test_a_view_says_colours() -> None:
    view = View("two", modes=("a", "b"), colours=("#ff8000", np.array([0, 0.5, 1])))
    row = mode_colours(view=view)
    np.testing.assert_allclose(row[:2, :3], [(1.0, 128 / 255, 0.0), (0.0, 0.5, 1.0)], atol=1e-6)
    np.testing.assert_array_equal(row[variants.TRAINEE_COLOURS + 1], row[1])
    np.testing.assert_array_equal(row[2:8], mode_colours()[2:8])
    np.testing.assert_array_equal(mode_colours("colour_blind", view), mode_colours("colour_blind"))


def test_all_modes_beyond_the_first_seven_are_grey() -> None:
    own = tuple((number / 20, 0.0, 0.0) for number in range(20))
    for colours in (None, own):
        row = mode_colours(view=View("many", modes=named(20), colours=colours))
        np.testing.assert_allclose(row[OTHER, :3], PALETTES["standard"].other)
    np.testing.assert_allclose(row[:OTHER, :3], own[:OTHER], atol=1e-6)


# --- pictures

STEPS, BLOCK = 96, 12  # of the trails, and of each mode
FLAT = Heightfield(np.zeros((5, 5)), (-5.0, -5.0), (5.0, 5.0))
SIZE = (320, 240)


def way(step: float) -> float:
    return -4.0 + 8.0 * step / STEPS


def drawn(kind: str, count: int, hook: str, folder: Path) -> tuple[Scene, np.ndarray]:
    """Two agents from left to right through eight modes, the last of `count`; the first is in
    training. Seen from above, with a trail whose colour `hook` gives."""
    head = "vec4 trail_colour(vec3 colour, int mode, float age, float edge)"
    folder.joinpath("trail_colour.glsl").write_text(f"{head} {{ return vec4({hook}, 1.0); }}\n")
    camera = OrbitCamera()
    camera.top_view(SIZE[0] / SIZE[1])
    scene = Scene(
        size=SIZE, camera=camera, trail=STEPS + 9, stride=2, trail_width=6.0, modes=count,
        mode_colours=mode_colours(view=View("m", modes=named(count))), training_agent=0,
    )  # fmt: skip
    host = open_host(
        kind, scene=scene, colour_map=colour_map("gray"), agents=2, heightfield=FLAT,
        library=ShaderLibrary(folder),
    )  # fmt: skip
    for step in range(STEPS + 1):
        places = [(way(step), y) for y in (-2.0, 2.0)]
        host.push(Samples.of(places, mode_at(step, count)))
        if kind == "per_agent":  # which makes meshes in turn, in frames
            host.draw()
    host.draw()
    picture = host.screenshot().astype(float) / 255
    host.close()
    return scene, picture


def mode_at(step: int, count: int) -> int:
    return max(count - 8, 0) + (max(step - 1, 0) // BLOCK) % min(count, 8)


def seen(scene: Scene, picture: np.ndarray, x: float, y: float) -> np.ndarray:
    clip = scene.camera.view_projection(SIZE[0] / SIZE[1]) @ np.array([x, y, 0.0, 1.0])
    column, row = (np.array([1 + clip[0] / clip[3], 1 - clip[1] / clip[3]]) / 2 * SIZE).astype(int)
    return picture[row, column]


@pytest.mark.rendering
@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
class TestPictures:
    @pytest.mark.parametrize("count", [4, 8, 20])
    def test_each_step_has_its_modes_colour(self, kind: str, count: int, tmp_path: Path) -> None:
        scene, picture = drawn(kind, count, "colour", tmp_path)
        row = scene.mode_colours[:, :3]
        behind = 16 if kind == "per_agent" else 1  # which it draws late
        for block in range((STEPS - behind) // BLOCK):
            middle = block * BLOCK + 0.5 * BLOCK
            mode = min(mode_at(round(middle), count), 3 if count == 4 else OTHER)
            entries = (variants.TRAINEE_COLOURS + mode, mode)
            for y, entry in zip((-2.0, 2.0), entries, strict=True):
                colour = seen(scene, picture, way(middle), y)
                assert np.abs(colour - row[entry]).max() < 0.02, f"mode {mode} of the one at {y}"
        last = min(mode_at(STEPS, count), 3 if count == 4 else OTHER)
        for y, entry in ((-2.0, variants.TRAINEE_COLOURS), (2.0, last)):
            marker = seen(scene, picture, way(STEPS), y)
            apart = np.abs(row - marker).sum(axis=1)
            assert np.allclose(row[apart.argmin()], row[entry]), "a marker, in its light"

    def test_hooks_get_its_number(self, kind: str, tmp_path: Path) -> None:
        scene, picture = drawn(kind, 8, "vec3(float(mode) / 8.0)", tmp_path)
        for mode in range(5):
            for y in (-2.0, 2.0):
                grey = seen(scene, picture, way((mode + 0.5) * BLOCK), y)
                assert np.abs(8 * grey - mode).max() < 0.1


# --- a source's


FIVE = View(
    "bowl",
    lo=(-2.0, -1.0),
    hi=(2.0, 1.0),
    modes=("rest", "climb", "glide", "turn", "land"),
    colours=("#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ff00ff"),
)
BOWL = Heightfield(np.add.outer(np.arange(-4, 5) ** 2.0, np.arange(-4, 5) ** 2.0), FIVE.lo, FIVE.hi)


class Circling:
    """Agents that go round in a bowl, each in a mode of its own."""

    def __init__(self, modes: list[int], view: View = FIVE) -> None:
        self.view, self.modes, self.steps = view, modes, 0

    def step(self) -> Samples:
        self.steps += 1
        turn, radius = np.arange(len(self.modes)), np.linspace(0.2, 0.86, len(self.modes))
        turn = turn + 0.05 * self.steps
        places = np.stack([2 * radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        return Samples.of(places, self.modes)

    def surface(self) -> Heightfield | None:
        return BOWL if self.steps <= 1 else None

    def close(self) -> None:
        pass


def showing(source: Circling, **changes: Any) -> CALFApplication:
    small: dict[str, Any] = {"size": (320, 180), "trail_length": 40, "headless": True, "hud": False}
    return CALFApplication(VisualizationConfig(**{**small, **changes}), source=source)


@pytest.mark.rendering
class TestSources:
    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    @pytest.mark.parametrize("palette", ["standard", "colour_blind"])
    def test_its_colours_are_drawn_unless_a_palette_is_asked_for(
        self, renderer: str, palette: str
    ) -> None:
        shown = {"palette": palette, "colour_map": "gray", "size": (960, 600)}
        with showing(Circling([0, 1, 2, 3, 4, 4, 4]), renderer=renderer, **shown) as app:
            for _ in range(20):
                app.step()
            picture = app.screenshot().astype(int)
        for mode, own in enumerate(mode_colours(view=FIVE)[:5, :3]):
            if palette != "standard":
                own = PALETTES[palette].modes[mode]
            near = np.abs(picture - np.rint(255 * np.array(own))).max(axis=2) < 25
            assert near.sum() > 15, f"mode {mode}"

    def test_counts_and_names_are_written(self) -> None:
        with showing(Circling([0, 1, 2, 3, 4, 4, 4]), hud=True, size=(640, 480)) as app:
            app.step()
            app.screenshot()
            values = app.display.hud.values
        assert [values[f"mode_{i}"] for i in range(5)] == ["1", "1", "1", "1", "3"]

    def test_of_many_the_last_line_counts_all_others(self) -> None:
        many = Circling(list(range(20)), View("bowl", FIVE.lo, FIVE.hi, modes=named(20)))
        with showing(many, hud=True, size=(640, 480)) as app:
            app.step()
            app.screenshot()
            values = app.display.hud.values
        told = {key: value for key, value in values.items() if key.startswith("mode_")}
        assert told == {**{f"mode_{i}": "1" for i in range(7)}, "mode_7": "13"}

    def test_a_second_look_knows_them_too(self) -> None:
        night = {"shaders": Path("ink"), "ab": Path("night")}
        with showing(Circling([0, 4]), **night) as app:
            for _ in range(3):
                app.step()
            assert app.host.compare is not None and app.looks.second is not None
            for programs in (app.host.programs, app.looks.second.target.programs):
                assert programs.library.defines == {"MODE_BITS": "3"}

    def test_a_stride_too_long_for_them_is_refused(self) -> None:
        said = "`stride` 12: at most 10 for a view of 5 modes"
        with pytest.raises(UserError, match=said), showing(Circling([0]), stride=12):
            pass

    def test_a_mode_outside_ends_it(self) -> None:
        with showing(Circling([5])) as app:
            app.step()
            assert app.failure is not None and "modes: 5 to 5, where 0 to 4" in app.failure


@pytest.mark.parametrize("size", [(1280, 720), (480, 300)])
def test_eight_long_names_have_a_line_each(size: tuple[int, int]) -> None:
    view: Any = View("eight", modes=tuple(f"{number}, {'a long name ' * 4}" for number in range(8)))
    hud = overview(view)
    hud.update(step="1", agents="8", mean_value="1", **{f"mode_{i}": "1,234" for i in range(8)})
    hud.prepare(Scene(size=size), BOWL)
    panel = next(widget for widget in hud.widgets if widget.name == "overview")
    shown = [row.key for row in panel._shown]  # type: ignore[attr-defined]
    assert {f"mode_{i}" for i in range(8)} <= set(shown), shown
