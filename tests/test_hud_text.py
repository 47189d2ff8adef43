"""The font atlas, and lines of text: advances, tabular figures, ellipsis, wrapping, alignment."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.agent.modes import NAMES
from calf_viz.hud import text
from calf_viz.hud.atlas import EMPTY, REPLACEMENT, Atlas, Face, Glyph, atlas
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import Metrics

METRICS = Metrics(1.0)
ATLAS = atlas(METRICS.sizes)
BODY = ATLAS.faces["body"]
STYLES = pytest.mark.parametrize("style", list(ATLAS.faces))
WORDS = st.text(st.sampled_from("abc WMil,.…123 "), max_size=40)


def picture(shown: Atlas, row: int) -> np.ndarray:
    x, y, width, height = shown.table[row].astype(int)
    return shown.image[y : y + height, x : x + width]


class TestAtlas:
    @STYLES
    def test_figures_are_tabular(self, style: str) -> None:
        face = ATLAS.faces[style]
        assert len({face.glyph(digit).advance for digit in "0123456789"}) == 1

    @STYLES
    def test_has_every_character_the_program_writes(self, style: str) -> None:
        face = ATLAS.faces[style]
        wanted = {*"".join(NAMES), *"mean −Q [m/s] theta · – × … µ ν % ≤ °", *"0123456789.,−e–"}
        assert wanted <= set(face.glyphs)
        for character in wanted - {" "}:
            assert picture(ATLAS, face.glyph(character).row).max() > 100, character
        assert face.glyph(" ").row == EMPTY

    @STYLES
    def test_others_are_a_box(self, style: str) -> None:
        face = ATLAS.faces[style]
        for character in ("漢", "\U0001f600", "\n", "\u0302"):
            assert face.glyph(character) is face.glyphs[REPLACEMENT]
        box = picture(ATLAS, face.glyphs[REPLACEMENT].row)
        assert (box[[0, -1]] == 255).all() and (box[:, [0, -1]] == 255).all()
        assert (box[1:-1, 1:-1] == 0).all() and box.shape[0] == face.cap_height

    def test_glyphs_share_no_pixel_and_touch_none(self) -> None:
        taken = np.zeros(np.add(ATLAS.image.shape, 1), int)
        for x, y, width, height in ATLAS.table[1:].astype(int):
            assert x + width <= ATLAS.image.shape[1] and y + height <= ATLAS.image.shape[0]
            taken[y : y + height + 1, x : x + width + 1] += 1  # with the gap right and below
        assert taken.max() == 1

    def test_nothing_is_lost_of_a_glyph(self) -> None:
        """What the pictures hold is all the ink there is."""
        ink = sum(int(picture(ATLAS, row).astype(int).sum()) for row in range(len(ATLAS.table)))
        assert ink == ATLAS.image.astype(int).sum()

    def test_sizes(self) -> None:
        caps = {style: face.cap_height for style, face in ATLAS.faces.items()}
        assert caps["small"] <= caps["body"] < caps["title"]
        large = atlas(Metrics(2.0).sizes).faces["body"]
        assert large.cap_height == pytest.approx(2 * caps["body"], abs=1)
        assert text.width(large, "certified") == pytest.approx(
            2 * text.width(BODY, "certified"),
            rel=0.1,  # advances are whole pixels
        )

    def test_made_once(self) -> None:
        assert atlas(METRICS.sizes) is ATLAS

    def test_without_ursinas_font_pillows_own_serves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from calf_viz.hud import atlas as module

        module.typeface.cache_clear()
        monkeypatch.setattr(module, "find_spec", lambda name: None)
        other = Atlas({"body": 13})
        module.typeface.cache_clear()
        assert picture(other, other.faces["body"].glyph("A").row).any()
        assert text.width(other.faces["body"], "111") == text.width(other.faces["body"], "888")


class TestLines:
    @given(WORDS, WORDS)
    def test_widths_add_up(self, a: str, b: str) -> None:
        assert text.width(BODY, a + b) == text.width(BODY, a) + text.width(BODY, b)

    @given(WORDS, st.integers(0, 300))
    def test_shortened_is_the_longest_that_fits(self, words: str, room: int) -> None:
        short = text.shortened(BODY, words, room)
        if text.width(BODY, words) <= room:
            assert short == words
            return
        assert text.width(BODY, short) <= room
        if short == "":
            assert text.width(BODY, "…") > room
            return
        kept = len(short) - 1
        assert short[-1] == "…" and words.startswith(short[:-1])
        while kept < len(words) and words[kept] == " ":  # trailing spaces were cut
            kept += 1
        assert kept == len(words) or text.width(BODY, words[: kept + 1] + "…") > room

    @given(WORDS, st.integers(30, 300))
    def test_wrapped_lines_fit_and_lose_no_word(self, words: str, room: int) -> None:
        lines = text.wrapped(BODY, words, room)
        assert all(text.width(BODY, line) <= room for line in lines)
        if all(text.width(BODY, word) <= room for word in words.split()):
            assert " ".join(lines).split() == words.split()
            for line, following in pairwise(lines):
                assert text.width(BODY, f"{line} {following.split()[0]}") > room

    def test_wrapped_keeps_paragraphs(self) -> None:
        assert text.wrapped(BODY, "one\n\ntwo three", 1000) == ["one", "", "two three"]

    @given(st.text("Wi/", min_size=1, max_size=80), st.integers(30, 300))
    def test_a_word_that_is_longer_than_a_line_is_broken(self, word: str, room: int) -> None:
        lines = text.wrapped(BODY, word, room)
        assert "".join(lines) == word
        assert all(text.width(BODY, line) <= room for line in lines)

    def test_a_text_of_any_length_is_looked_at_in_proportion(self) -> None:
        """By glyphs that are asked for."""

        class Counted:
            asked = 0

            def glyph(self, character: str) -> Glyph:
                Counted.asked += 1
                return BODY.glyph(character)

        def asked(words: str) -> int:
            Counted.asked = 0
            text.wrapped(cast(Face, Counted()), words, 300)
            return Counted.asked

        for words in ("word ", "W", "/path/", "two words"):
            assert asked(words * 4000) < 4.5 * asked(words * 1000)

    def test_texels(self) -> None:
        drawn = text.texels(BODY, "A1", 100, 50, 0x123456)
        a, one = BODY.glyph("A"), BODY.glyph("1")
        assert drawn.tolist() == [
            [100 + a.left, 50 + a.top, a.row, 0x123456],
            [100 + a.advance + one.left, 50 + one.top, one.row, 0x123456],
        ]
        assert a.top == -BODY.cap_height


class TestLabels:
    @pytest.fixture
    def canvas(self) -> Canvas:
        return Canvas(METRICS, ATLAS)

    def columns(self, canvas: Canvas) -> tuple[float, float]:
        """First and last pixel column that any glyph covers."""
        drawn = canvas.glyphs.texels.reshape(-1, 4)[: canvas.glyphs.count]
        drawn = drawn[drawn[:, 2] != EMPTY]
        widths = ATLAS.table[drawn[:, 2].astype(int), 2]
        return float(drawn[:, 0].min()), float((drawn[:, 0] + widths).max())

    @pytest.mark.parametrize("align", ["left", "centre", "right"])
    def test_alignment(self, canvas: Canvas, align: str) -> None:
        canvas.label("HH", "body", 200, 50, 0, 100, align)
        left, right = self.columns(canvas)
        side = BODY.glyph("H").left
        width = text.width(BODY, "HH")
        start = {"left": 200, "centre": 200 - width // 2, "right": 200 - width}[align]
        assert left == start + side
        assert right <= start + width

    def test_numbers_that_change_keep_their_columns(self, canvas: Canvas) -> None:
        label = canvas.label("888", "body", 200, 50, 0, 100, "right", capacity=6)
        before = canvas.glyphs.texels.reshape(-1, 4)[:3].copy()
        canvas.change(label, "881")
        after = canvas.glyphs.texels.reshape(-1, 4)[:3]
        np.testing.assert_array_equal(before[:2], after[:2])
        assert before[2, 2] != after[2, 2]

    def test_longer_than_its_capacity_or_room(self, canvas: Canvas) -> None:
        label = canvas.label("1", "body", 0, 50, 0, 500, capacity=4)
        following = canvas.label("next", "body", 0, 80, 0, 500)
        canvas.change(label, "123456")
        rows = canvas.glyphs.texels.reshape(-1, 4)[label.items.start : label.items.stop, 2]
        assert rows.tolist() == [BODY.glyph(c).row for c in "123…"]
        canvas.change(label, "")
        assert not canvas.glyphs.texels.reshape(-1, 4)[: len(label.items)].any()
        kept = canvas.glyphs.texels.reshape(-1, 4)[following.items.start, 2]
        assert kept == BODY.glyph("n").row
