"""Themes: what is legible in them by number and by pixel, and how they are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from applications import running
from hypothesis import given
from hypothesis import strategies as st

from calf_viz import UserError, VisualizationConfig
from calf_viz.scene.colours import colour_map
from calf_viz.scene.paint import contrast, mixed, packed, unpacked
from calf_viz.scene.theme import DARK, LEGIBLE, LIGHT, THEMES, Theme, on_ground

TEXTS = ("bright", "quiet", "accent", "alarm")
every_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
parts = st.floats(0.0, 1.0)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(0x000000, 0xFFFFFF) == pytest.approx(21.0)
    assert contrast(0xFFFFFF, 0x777777) == pytest.approx(4.48, abs=0.005)
    assert contrast(0x123456, 0x123456) == 1.0
    assert packed(unpacked(0x123456)) == 0x123456


@every_theme
class TestContrast:
    @pytest.mark.parametrize("name", TEXTS)
    def test_of_text_on_a_panel_over_anything(self, theme: Theme, name: str) -> None:
        """Black and white are the extremes of all colour maps."""
        backing = theme.backing
        for behind in (0x000000, 0xFFFFFF, 0x808080, packed(theme.background)):
            over = mixed(behind, int(backing.colour), backing.opacity)
            assert contrast(getattr(theme, name), over) >= LEGIBLE, hex(behind)

    @given(red=parts, green=parts, blue=parts, level=parts)
    def test_of_an_axis_text_on_any_ground_and_surface(
        self, theme: Theme, red: float, green: float, blue: float, level: float
    ) -> None:
        tones = on_ground((red, green, blue), theme)
        surface = packed((level, level, level))
        ground = packed((red, green, blue))
        assert tones.plate.colour == ground, "invisible there"
        for ink in (tones.bright, tones.quiet):
            assert contrast(ink, ground) >= LEGIBLE
            for behind in (0x000000, 0xFFFFFF, surface):
                assert contrast(ink, mixed(behind, ground, tones.plate.opacity)) >= LEGIBLE

    @pytest.mark.parametrize("maps", ["cividis", "viridis", "magma", "turbo", "gray", "RdBu"])
    def test_of_an_axis_text_over_a_colour_map(self, theme: Theme, maps: str) -> None:
        tones = on_ground(theme.background, theme)
        ground, colours = packed(theme.background), colour_map(maps)
        for red, green, blue in colours[::5, :3] / 255.0:
            over = mixed(packed((red, green, blue)), ground, tones.plate.opacity)
            assert min(contrast(tones.bright, over), contrast(tones.quiet, over)) >= LEGIBLE

    def test_of_lines(self, theme: Theme) -> None:
        """Which need less: 3 : 1."""
        ground = packed(theme.background)
        line = on_ground(theme.background, theme).line
        assert contrast(mixed(ground, int(line.colour), line.opacity), ground) >= 3.0


def test_light_is_for_print() -> None:
    assert LIGHT.background == (1.0, 1.0, 1.0)
    assert contrast(LIGHT.bright, 0xFFFFFF) > 15
    palest = colour_map(LIGHT.colour_map)[:, :3].astype(int).sum(axis=1)
    assert palest.min() > 3 * 150, "a surface that saves ink"


def test_high_contrast_is_more_than_that_of_the_others() -> None:
    high = THEMES["high_contrast"]
    assert contrast(high.quiet, 0x000000) > 15 and high.backing.opacity == 1.0
    assert high.stroke == 2.0


def test_one_that_there_is_not_is_reported_with_those_there_are() -> None:
    with pytest.raises(UserError, match="unknown theme 'pink': choose one of dark, light, high"):
        VisualizationConfig(theme="pink")
    assert VisualizationConfig(theme="high-contrast").theme == "high_contrast"


@pytest.mark.rendering
class TestLive:
    SHOWN: dict[str, Any] = {  # noqa: RUF012
        "size": (640, 360), "n_agents": 3, "hud": True, "camera": "plane",
    }  # fmt: skip

    def picture(self, **changes: Any) -> np.ndarray:
        with running(**{**self.SHOWN, **changes}) as app:
            app.step()
            return app.screenshot()

    def corners(self, picture: np.ndarray) -> set[tuple[int, ...]]:
        """The ground, at the foot."""
        return {tuple(map(int, picture[-2, x])) for x in (1, -2)}

    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_switching_draws_what_starting_with_it_draws(self, renderer: str) -> None:
        pictures = {}
        with running(**self.SHOWN, renderer=renderer) as app:
            app.step()
            for name in ("light", "high_contrast", "dark"):
                app.config.theme = name
                app.draw()
                pictures[name] = app.screenshot()
                app.host.frame_counts()
                app.draw()
                counts = app.host.frame_counts()
                assert counts["hud_draws"] == 1 and counts["upload_bytes"] == 0
        for name, picture in pictures.items():
            np.testing.assert_array_equal(picture, self.picture(theme=name, renderer=renderer))
        assert self.corners(pictures["light"]) == {(255, 255, 255)}
        assert self.corners(pictures["dark"]) == {(14, 17, 22)}

    def test_a_key_cycles_them(self) -> None:
        with running(**self.SHOWN) as app:
            seen = []
            for _ in range(4):
                app.actions.by_name["next_theme"]()
                app.draw()
                seen.append(app.host.scene.theme.name)
            assert seen == ["light", "high_contrast", "dark", "light"]
            assert app.hud is not None and app.hud.values["notice"] == "theme: light"

    def test_a_wrong_one_is_refused_and_nothing_changes(self) -> None:
        with running(**self.SHOWN) as app:
            with pytest.raises(UserError, match="unknown theme"):
                app.config.theme = "pink"
            app.draw()
            assert app.host.scene.theme is DARK

    def test_a_look_keeps_its_ground_and_its_colours(self) -> None:
        with running(**self.SHOWN, shaders="ink") as app:
            app.step()
            paper = app.host.background
            app.config.theme = "light"
            app.draw()
            assert app.host.background == paper != LIGHT.background
            assert app.host.scene.theme is LIGHT, "panels and modes"

    def test_two_looks_may_have_two_grounds(self) -> None:
        with running(**self.SHOWN, ab="ink", theme="light") as app:
            app.step()
            assert app.host.compare is not None
            grounds = app.host.scene.ground_at(10), app.host.scene.ground_at(630)
            assert grounds[0] == (1.0, 1.0, 1.0) != grounds[1]
            app.config.theme = "dark"
            app.draw()
            assert app.host.scene.ground_at(10) == DARK.background
            assert app.host.scene.ground_at(630) == grounds[1]

    def test_a_colour_map_of_the_users_stays(self) -> None:
        cut = (slice(60, 350), slice(200, 500))
        own = [self.picture(theme=n, colour_map="magma", define=("TRAILS=0",), hud=False)[cut]
               for n in ("dark", "high_contrast")]  # fmt: skip
        same = (own[0] == own[1]).all(axis=2)
        assert same.mean() > 0.5, "all but the ground"


class TestLegibleInPictures:
    """Every text of a picture whose surface fills it, by its pixels."""

    @pytest.fixture(params=["#000000", "#ffffff", "#808080"])
    def surface(self, request: pytest.FixtureRequest) -> Iterator[str]:
        yield request.param

    @pytest.mark.rendering
    @every_theme
    def test_over_any_surface(self, theme: Theme, surface: str) -> None:
        config: dict[str, Any] = {"theme": theme.name, "define": ("CONTOURS=0",)}
        config |= {"size": (960, 540), "n_agents": 3, "hud": True}
        with running(**config) as app:
            app.host.set_colour_map(colour_map((surface, surface)))
            app.host.scene.height_scale = 0.0
            app.step()
            app.host.scene.camera.elevation = 1.2
            app.host.scene.camera.distance = 3.0
            app.draw()
            assert app.hud is not None
            hud, labels = app.hud, self.recorded(app.hud)
            hud.redraw()
            app.draw()
            picture = app.screenshot()
            assert len(labels) > 15
            atlas, texels = hud.canvas.atlas, hud.canvas.glyphs.texels.reshape(-1, 4)
            for label in (label for label in labels if label.text):
                glyphs = texels[label.items.start : label.items.stop]
                glyphs = glyphs[glyphs[:, 2] > 0]
                (left, top), ends = glyphs[:, :2].min(axis=0), glyphs[:, :2]
                right, foot = (ends + atlas.table[glyphs[:, 2].astype(int), 2:]).max(axis=0)
                cut = picture[int(top) : int(foot), int(left) : int(right)].reshape(-1, 3)
                colours, counts = np.unique(cut, axis=0, return_counts=True)
                shades = [packed(tuple((c / 255.0).tolist())) for c in colours]
                usual = shades[int(counts.argmax())]
                most = max(contrast(shade, usual) for shade in shades)
                assert most >= LEGIBLE, (label.text, most)

    def recorded(self, hud: Any) -> list[Any]:
        labels, write = [], hud.canvas.label

        def writing(*args: Any, **kwargs: Any) -> Any:
            labels.append(write(*args, **kwargs))
            return labels[-1]

        hud.canvas.label = writing
        return labels
