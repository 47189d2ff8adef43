"""Two looks at one simulation: each as if alone, side by side, and how they differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from applications import running
from click.testing import CliRunner
from PIL import Image

from calf_viz import CALFApplication
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.hosts.compared import MODES, Compared
from calf_viz.hosts.panda.compared_looks import LINE
from calf_viz.hud.two_looks import names

pytestmark = pytest.mark.rendering

A, B = Path("ink"), Path("night")
SIZE = (320, 180)
STEPS = 40


def play(app: CALFApplication) -> CALFApplication:
    for _ in range(STEPS):
        app.advance()
    return app


def alone(look: Path, renderer: str = "gpu") -> np.ndarray:
    with running(shaders=look, size=SIZE, n_agents=5, renderer=renderer) as shown:
        play(shown).step()
        return shown.screenshot()


@pytest.fixture(scope="module", params=["gpu", "batched"])
def renderer(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def each(renderer: str) -> tuple[np.ndarray, np.ndarray]:
    return alone(A, renderer), alone(B, renderer)


@pytest.fixture(scope="module")
def both(renderer: str) -> Iterator[CALFApplication]:
    with running(shaders=A, ab=B, size=SIZE, n_agents=5, renderer=renderer) as shown:
        play(shown).step()
        yield shown


def drawn(shown: CALFApplication, mode: str, at: float = 0.5) -> np.ndarray:
    assert shown.host.compare is not None
    shown.host.compare.view.mode, shown.host.compare.view.at = mode, at
    shown.draw()
    return shown.host.screenshot()


class TestPictures:
    def test_one_alone_is_that_look(
        self, both: CALFApplication, each: tuple[np.ndarray, np.ndarray]
    ) -> None:
        assert np.array_equal(drawn(both, "a"), each[0])
        assert np.array_equal(drawn(both, "b"), each[1])

    @pytest.mark.parametrize("at", [0.0, 0.3, 0.5, 1.0])
    def test_split(
        self, both: CALFApplication, each: tuple[np.ndarray, np.ndarray], at: float
    ) -> None:
        picture, edge = drawn(both, "split", at), round(at * SIZE[0])
        left, right = max(edge - LINE, 0), min(edge + LINE, SIZE[0])
        assert np.array_equal(picture[:, :left], each[0][:, :left])
        assert np.array_equal(picture[:, right:], each[1][:, right:])
        if 0.0 < at < 1.0:
            line = picture[:, edge - LINE // 2 : edge + LINE // 2]
            assert (line == line[0, 0]).all() and line[0, 0].max() > 200

    def test_difference(self, both: CALFApplication, each: tuple[np.ndarray, np.ndarray]) -> None:
        apart = np.abs(each[0].astype(int) - each[1].astype(int))
        expected = np.clip(Compared.gain * apart, 0, 255)
        assert np.abs(drawn(both, "difference") - expected).max() <= Compared.gain
        assert apart.max() > 50

    def test_from_one_to_another_and_back(
        self, both: CALFApplication, each: tuple[np.ndarray, np.ndarray]
    ) -> None:
        first = [drawn(both, mode) for mode in MODES]
        for mode, picture in reversed(list(zip(MODES, first, strict=True))):
            assert np.array_equal(drawn(both, mode), picture), mode

    def test_another_host_beside_it_draws_its_own(
        self, both: CALFApplication, each: tuple[np.ndarray, np.ndarray], renderer: str
    ) -> None:
        picture = drawn(both, "difference")
        assert np.array_equal(alone(A, renderer), each[0])
        assert np.array_equal(drawn(both, "difference"), picture)


def test_what_is_written_is_of_the_look_that_is_shown() -> None:
    """By name, and with its own colours beside the values; on ground of any colour."""
    size, bars = (640, 400), {}
    for name, look in (("a", A), ("b", B)):
        with running(shaders=look, size=size, hud=True, camera="plane") as shown:
            shown.step()
            assert shown.hud is not None
            x, y, width, height = shown.hud.placed["value"]
            bars[name] = shown.screenshot()[y : y + height, x : x + width]
    with running(shaders=A, ab=B, size=size, hud=True, camera="plane") as shown:
        shown.step()
        hud = shown.hud
        assert hud is not None
        for mode, words in (
            ("split", "A  ink   |   B  night"),
            ("a", "A  ink"),
            ("b", "B  night"),
            ("difference", "A  ink  −  B  night,  × 4"),
        ):
            picture = drawn(shown, mode)
            assert hud.values["view"] == words and "view" in hud.placed
            ground = shown.host.scene.ground_at(size[0] - 1)
            assert np.allclose(255 * np.array(ground), picture[-1, -1], atol=2)
            x, y, width, height = hud.placed["value"]
            assert (width > bars["a"].shape[1]) == (mode in ("split", "difference"))
            if mode in bars:
                there = picture[y : y + height, x : x + width]
                assert np.array_equal(there[16:], bars[mode][16:]), (
                    "its colours, of the same values"
                )


def test_names_are_as_short_as_tells_them_apart() -> None:
    assert names(Path("/a/long/way/to/mine"), Path("night")) == ("mine", "night")
    assert names(Path("a/mine"), Path("b/mine")) == ("a/mine", "b/mine")
    assert names(None, Path(".")) == ("shipped", ".")


def test_each_has_its_own_controls_and_files(tmp_path: Path) -> None:
    looks = []
    for name, default in (("one", 0.0), ("two", 1.0)):
        looks.append(tmp_path / name)
        looks[-1].mkdir()
        (looks[-1] / "surface_colour.glsl").write_text(
            f"uniform float u_red; // @slider 0..1 = {default}\n"
            "vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {\n"
            "    return vec3(u_red, 0.0, 1.0);\n}\n"
        )
    asked = ("u_red=0.4", "b:u_red=0.6")
    with running(shaders=looks[0], ab=looks[1], size=SIZE, set=asked) as shown:
        play(shown).step()
        assert shown.looks.second is not None
        values = (look.target.controls.values for look in (shown.looks.first, shown.looks.second))
        assert list(values) == [{"u_red": 0.4}, {"u_red": 0.6}]
    with (
        pytest.raises(UserError, match="`set` b:u_red = 2 does not fit"),
        running(shaders=looks[0], ab=looks[1], set=("a:u_red=1", "b:u_red=2")),
    ):
        pass
    with running(shaders=looks[0], ab=looks[1], size=SIZE, watch=True) as shown:
        play(shown).step()

        def covers(mode: str, colour: list[int]) -> bool:
            return bool((drawn(shown, mode) == colour).all(axis=2).mean() > 0.1)

        assert covers("a", [0, 0, 255]) and covers("b", [255, 0, 255])
        assert shown.looks.second is not None and shown.live_shaders is not None
        shown.looks.second.set("u_red=0.2")
        assert covers("a", [0, 0, 255]) and covers("b", [51, 0, 255])
        file = looks[1] / "surface_colour.glsl"
        surface = file.read_text()
        file.write_text(surface.replace("0.0, 1.0);", "1.0, 1.0);"))
        shown.live_shaders.rebuild()
        assert covers("a", [0, 0, 255]) and covers("b", [51, 255, 255]), "rebuilt, its value kept"
        file.write_text("broken")
        shown.live_shaders.rebuild()
        assert shown.live_shaders.problem is not None and shown.live_shaders.problem.path == file
        assert covers("b", [51, 255, 255])
        other = looks[0] / "surface_colour.glsl"
        other.write_text("broken")
        file.write_text(surface.replace("0.0, 1.0);", "1.0, 0.0);"))
        shown.live_shaders.rebuild()
        assert shown.live_shaders.problem.path == other
        assert covers("b", [51, 255, 0]), "B is followed while A is broken"
        file.write_text("broken")
        other.write_text(surface)
        shown.live_shaders.rebuild()
        assert shown.live_shaders.problem.path == file, "what is left is told"
        file.write_text(surface)
        shown.live_shaders.rebuild()
        assert shown.live_shaders.problem is None


class TestView:
    def test_the_key_goes_round(self) -> None:
        view, seen = Compared(), []
        for _ in MODES:
            view.next()
            seen.append(view.mode)
        assert seen == ["a", "b", "difference", "split"]

    def test_the_line_follows_the_mouse_within_the_picture(self) -> None:
        view = Compared()
        assert view.near(164, 320) and not view.near(180, 320)
        for x, at in ((80, 0.25), (-20, 0.0), (900, 1.0)):
            view.move(x, 320)
            assert view.at == at
        view.mode = "a"
        assert not view.near(320, 320), "no line, nothing to take hold of"


def test_without_a_window_all_three_are_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        calf_viz,
        ["--headless", "--shaders", "ink", "--ab", "night", "--frames", "3", "--size", "96x54",
         "--grid", "8", "--no-hud", "--supersample", "1", "--output", str(tmp_path)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    pictures = {p.stem.split("_")[-1]: np.asarray(Image.open(p)) for p in tmp_path.glob("*.png")}
    assert set(pictures) == {"a", "b", "difference"}
    apart = np.abs(pictures["a"].astype(int) - pictures["b"])
    amplified = np.clip(Compared.gain * apart, 0, 255)
    assert np.abs(pictures["difference"] - amplified).max() <= Compared.gain


def test_agents_are_picked_whichever_look_is_shown(both: CALFApplication) -> None:
    """By the first one's shapes."""
    assert both.host.compare is not None
    view, width, height = both.host.compare.view, *SIZE
    pixels = [(x, y) for x in range(4, width, 9) for y in range(4, height, 9)]
    found = {}
    for mode in MODES:
        view.mode, view.at = mode, 0.5
        both.draw()
        found[mode] = [both.pick(x, y) for x, y in pixels]
    assert len(set(found["a"]) - {None}) == 5
    assert all(numbers == found["a"] for numbers in found.values())
