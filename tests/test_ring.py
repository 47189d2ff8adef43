"""The ring's layout in a texture, and the texels that are packed into it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calf_viz.errors import UserError
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.samples import Samples
from calf_viz.scene.frame import Frame
from calf_viz.scene.ring import (
    HEADINGS,
    LAST_STEP,
    LONGEST_AGE,
    MOST_RUNS,
    UNDRAWN,
    RingLayout,
    RingPacker,
    float_bits,
)
from calf_viz.view import View

SEEDS = [1, 2, 3]


def push(packer: RingPacker, n: int, first=(), nan=(), modes=0, headings=None) -> np.ndarray:
    """One step of n agents at (agent, step); `first` and `nan` name agents. Texels, (n, 4)."""
    positions = np.stack([np.arange(n), np.full(n, packer.step + 1)], axis=1).astype(np.float32)
    positions[list(nan), 0] = np.nan
    began = np.isin(np.arange(n), list(first))
    kinds = np.broadcast_to(np.asarray(modes), n)
    return packer.pack(Samples(positions, kinds, began, headings)).texels[0, :n].copy()


def unpack(texels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mode, heading in 256ths of a turn, age; as shaders/lib/ring.glsl takes them apart."""
    word = words(texels)
    age = np.where(texels[:, 3] < 0, 0, (word >> 18) & LONGEST_AGE)
    return word & 3, (word >> 10) & 255, age


def words(texels: np.ndarray) -> np.ndarray:
    third = np.ascontiguousarray(texels[:, 2])
    exponent = (third.view(np.int32) >> 23) & 255
    assert ((exponent > 0) & (exponent < 255)).all(), "copies may change it"
    return third.view(np.int32) & 0x3FFFFFFF


def undrawn(texels: np.ndarray) -> np.ndarray:
    """Whether a sample must not be drawn: the sign of a texel's third part."""
    return np.signbit(texels[:, 2])


def modes_before(texel: np.ndarray, bits: int = 2) -> list[int]:
    """The modes of a texel's sample and of those before it, as many as it tells."""
    word = int(words(texel[None])[0]) & 1023
    return [word >> bits * k & (1 << bits) - 1 for k in range(10 // bits)]


# --- layout


@pytest.mark.parametrize("agents", [1, 2, 63, 64, 65, 127, 128, 129, 200, 1000])
def test_a_layout_fits_and_pads_little(agents):
    layout = RingLayout.fit(agents, slots=4, limit=64)
    assert layout.columns <= 64 and layout.size == (layout.columns, 4 * layout.rows)
    assert layout.rows == math.ceil(agents / 64), "as few rows as can be"
    padding = layout.columns * layout.rows - agents
    assert 0 <= padding < layout.rows, "less than one column"
    assert layout.row_bytes == 16 * (agents + padding)


def test_a_layout_may_fill_the_texture_to_the_last_row():
    layout = RingLayout.fit(130, slots=21, limit=64)
    assert layout.size == (44, 63)


@pytest.mark.parametrize(("agents", "slots"), [(130, 22), (64, 65), (1, 65)])
def test_a_ring_too_long_is_refused_with_the_longest_that_fits(agents, slots):
    with pytest.raises(UserError) as caught:
        RingLayout.fit(agents, slots, limit=64)
    longest = int(str(caught.value).split("at most ")[1].split()[0])
    RingLayout.fit(agents, longest, limit=64)
    with pytest.raises(UserError):
        RingLayout.fit(agents, longest + 1, limit=64)


def test_too_many_agents_are_refused_and_named():
    with pytest.raises(UserError, match=r"^5000 agents do not fit"):
        RingLayout.fit(5000, 2, limit=64)
    RingLayout.fit(64 * 16, 4, limit=64)


@pytest.mark.parametrize("trail", [0, -1, 8, 9])
def test_a_trail_must_be_shorter_than_the_ring(trail):
    with pytest.raises(ValueError, match="trail"):
        RingPacker(RingLayout.fit(1, 8), trail)


# --- texels


def test_stamps_count_steps_and_are_negative_where_a_run_begins():
    packer = RingPacker(RingLayout.fit(3, 8), trail=4)
    stamps = [push(packer, 3, first)[:, 3] for first in [(), (), (1,), (), (0, 1)]]
    np.testing.assert_array_equal(
        stamps, [[-1, -1, -1], [2, 2, 2], [3, -3, 3], [4, 4, 4], [-5, -5, 5]]
    )


def test_ages_count_samples_since_the_run_began():
    packer = RingPacker(RingLayout.fit(2, 8), trail=4)
    ages = [unpack(push(packer, 2, first))[2] for first in [(), (), (1,), (), (0,), ()]]
    np.testing.assert_array_equal(ages, [[0, 0], [1, 1], [2, 0], [3, 1], [0, 2], [1, 3]])


def test_a_run_tells_whether_it_continues_an_episode():
    """Over an edge, after a gap in the steps and after samples that are not finite it does."""
    frame = Frame.of(View("tube", periodic=(True, False)))
    packer = RingPacker(RingLayout.fit(3, 32), trail=8, frame=frame)
    said, begins = [], []
    for number, x, first in [
        (0, 4.0, True), (1, 4.5, False), (2, -4.5, False), (3, -4.0, False), (4, 4.5, True),
        (5, np.nan, False), (6, 4.5, False), (8, 4.6, False), (9, np.nan, True), (10, 1.0, False),
    ]:  # fmt: skip
        samples = Samples(np.array([[x, 0.0]]), np.zeros(1, int), np.array([first]), None, number)
        packed = packer.pack(samples)
        said.append(bool(words(packed.texels[0, :1])[0] >> 29))
        begins.append(bool(packed.rows[0].episode_begins[0]))
        if number == 6:  # what was told stays told
            packer = packer.grown(RingLayout.fit(9, 32))
    assert said == [False, False, True, True, False, True, True, True, False, True]
    assert begins == [True, False, False, False, True, False, False, False, True, False]


def test_ages_end_at_their_limit():
    packer = RingPacker(RingLayout.fit(1, 8), trail=4)
    for step in range(LONGEST_AGE + 10):
        mode, heading, age = unpack(push(packer, 1, modes=2, headings=np.array([-1e-9])))
        assert (mode[0], heading[0], age[0]) == (2, 0, min(step, LONGEST_AGE))


def test_slots_come_round():
    packer = RingPacker(RingLayout.fit(1, 5), trail=4)
    assert [(push(packer, 1), packer.slot)[1] for _ in range(12)] == [*range(5), *range(5), 0, 1]


def test_positions_and_padding():
    packer = RingPacker(RingLayout(5, slots=4, columns=3, rows=2), trail=3)
    positions = np.random.default_rng(1).normal(size=(5, 2))
    (texels,) = packer.pack(Samples.of(positions)).texels
    assert texels.dtype == np.float32 and texels.shape == (6, 4)
    np.testing.assert_array_equal(texels[:5, :2], positions.astype(np.float32))
    np.testing.assert_array_equal(texels[5:], 0.0)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        (0.0, 0),
        (math.pi / 2, 64),
        (math.pi, 128),
        (-math.pi / 2, 192),
        (2 * math.pi, 0),
        (9 * math.pi, 128),
        (2 * math.pi * 255.4 / 256, 255),
        (2 * math.pi * 255.6 / 256, 0),
        (-2 * math.pi * 0.4 / 256, 0),
        (math.nan, 0),
    ],
)
def test_headings_are_256ths_of_a_turn(heading, expected):
    packer = RingPacker(RingLayout.fit(1, 4), trail=3)
    texel = push(packer, 1, modes=1, headings=np.array([heading]))
    mode, got, age = unpack(texel)
    assert (mode[0], got[0], age[0]) == (1, expected, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_third_holds_mode_heading_and_age_exactly(seed):
    rng = np.random.default_rng(seed)
    packer = RingPacker(RingLayout.fit(50, 4), trail=3)
    for step in range(30):
        modes, headings = rng.integers(0, 3, 50), rng.uniform(-20, 20, 50)
        mode, heading, age = unpack(push(packer, 50, modes=modes, headings=headings))
        np.testing.assert_array_equal(mode, modes)
        off = np.angle(np.exp(1j * (heading * 2 * np.pi / HEADINGS - headings)))
        assert np.abs(off).max() <= np.pi / HEADINGS + 1e-9
        assert (age == step).all()


def test_a_texel_tells_the_modes_of_five_samples():
    rng = np.random.default_rng(3)
    packer = RingPacker(RingLayout.fit(4, 8), trail=4)
    said = []
    for step in range(30):
        if step == 20:  # what was told stays told
            packer = packer.grown(RingLayout.fit(9, 8))
        said.append(rng.integers(0, 3, 4))
        texels = push(packer, 4, modes=said[-1], first=rng.integers(0, 4, 1), nan=[3] * (step == 9))
        for agent in range(3):
            expected = [int(modes[agent]) for modes in said[:-6:-1]]
            assert modes_before(texels[agent])[: len(expected)] == expected, f"step {step}"
        assert modes_before(texels[3])[0] == said[-1][3]
        np.testing.assert_array_equal(undrawn(texels), [False] * 3 + [step == 9])


@pytest.mark.parametrize("age", [0, 1, 1023, 2047, 2048, 4095])  # the last two: SAME_EPISODE
def test_no_texel_is_a_number_that_copies_may_change(age):
    """Neither NaN nor denormal, whatever the modes, the heading and the age."""
    word = np.arange(2**18, dtype=np.int32) | age << 18
    for sign in (np.int32(0), UNDRAWN):
        floats = float_bits(word | sign)
        assert np.isfinite(floats).all() and (np.abs(floats) > np.finfo(np.float32).tiny).all()
        np.testing.assert_array_equal(floats.view(np.int32) & 0x3FFFFFFF, word)
        assert (np.signbit(floats) == (sign != 0)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_a_run_of_their_own(value):
    packer = RingPacker(RingLayout.fit(2, 16), trail=8)
    texels, seen = [], []
    for x in [0.5, 0.5, value, value, 0.5, 0.5]:
        positions = np.array([[x, 1.0], [2.0, 3.0]])
        (packed,) = packer.pack(Samples.of(positions, 1)).texels
        texels.append(packed[:2].copy())
        seen.append(packer.invalid_seen)
    assert seen == [False, False, True, True, False, False]
    mine = np.array(texels)[:, 0]
    assert np.isfinite(mine).all(), "nothing that is not finite may reach the GPU"
    mode, _, age = unpack(mine)
    np.testing.assert_array_equal(undrawn(mine), seen)
    assert (mode == 1).all()
    np.testing.assert_array_equal(age, [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(np.sign(mine[:, 3]), [-1, 1, -1, 1, -1, 1])
    np.testing.assert_array_equal(np.array(texels)[:, 1, 3], [-1, 2, 3, 4, 5, 6])  # the other's
    assert (unpack(np.array(texels)[:, 1])[0] == 1).all()


def test_finite_positions_beyond_float32_are_not_drawn():
    packer = RingPacker(RingLayout.fit(1, 4), trail=3)
    with np.errstate(over="ignore"):
        texel = packer.pack(Samples.of([[1e300, 0.0]])).texels[0, :1]
    assert np.isfinite(texel).all() and undrawn(texel)[0]
    assert packer.invalid_seen


def test_channels_are_put_where_the_texture_wants_them():
    rgba = RingPacker(RingLayout.fit(4, 4), trail=3)
    bgra = RingPacker(RingLayout.fit(4, 4), trail=3, channels=(2, 1, 0, 3))
    for first in [(), (1,)]:
        one, two = (push(p, 4, first, nan=[2], modes=2) for p in (rgba, bgra))
        np.testing.assert_array_equal(one, two[:, [2, 1, 0, 3]])


def test_agents_that_leave_and_return_begin_a_run():
    packer = RingPacker(RingLayout.fit(4, 16), trail=8)
    for n in (4, 4, 2):
        push(packer, n)
    np.testing.assert_array_equal(packer.texels[2:], 0.0)
    push(packer, 2)
    texels = push(packer, 4)
    np.testing.assert_array_equal(texels[:, 3], [5, 5, -5, -5])
    np.testing.assert_array_equal(unpack(texels)[2], [4, 4, 0, 0])
    np.testing.assert_array_equal(push(packer, 4)[:, 3], [6, 6, 6, 6])


def test_a_ring_that_grows_goes_on():
    packer = RingPacker(RingLayout.fit(2, 16), trail=8)
    for first in [(), (), (1,)]:
        push(packer, 2, first)
    runs = packer.runs()
    packer = packer.grown(RingLayout.fit(70, 16, limit=64))
    assert packer.step == 2 and packer.runs() == runs > 1
    texels = push(packer, 70)
    np.testing.assert_array_equal(texels[:, 3], [4, 4] + [-4] * 68)
    np.testing.assert_array_equal(unpack(texels)[2], [3, 1] + [0] * 68)
    assert packer.texels.shape == (1, 70, 4) and packer.slot == 3


# --- runs within the trail


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("trail", "slots"), [(1, 2), (7, 9), (8, 32), (11, 12)])
def test_runs_leave_room_for_every_trail(seed, trail, slots):
    rng = np.random.default_rng(seed)
    agents = 6
    packer = RingPacker(RingLayout.fit(agents, slots), trail)
    history = np.zeros((0, agents), bool)  # did a run begin at that step
    for _ in range(5 * slots):
        stamps = push(packer, agents, np.flatnonzero(rng.uniform(size=agents) < 0.2))[:, 3]
        history = np.vstack([history, stamps < 0])
        within = history[max(len(history) - 1 - trail, 0) :]  # the trail's samples, head included
        exact = int((1 + within[1:].sum(axis=0)).max())
        assert exact <= packer.runs() <= exact + 1


def test_runs_are_forgotten_as_they_leave_the_trail():
    packer = RingPacker(RingLayout.fit(1, 16), trail=4)
    for step in range(40):
        push(packer, 1, first=[0] if step < 12 else [])
    assert packer.runs() == 1


def test_more_runs_than_are_drawn_have_no_room() -> None:
    packer = RingPacker(RingLayout.fit(1, 256), trail=200)
    for _ in range(150):
        push(packer, 1, first=[0])
    assert packer.runs() == MOST_RUNS
    said = (shader_folder() / "lib" / "trail.glsl").read_text(encoding="utf-8")
    assert f"const int MOST_RUNS = {MOST_RUNS};" in said


@pytest.mark.parametrize("offset", range(5))
def test_stamps_start_again_before_they_lose_exactness(offset):
    packer = RingPacker(RingLayout.fit(2, 7), trail=5)
    packer.step = LAST_STEP - 3 - offset  # as if it had run so long
    stamps = [push(packer, 2)[:, 3] for _ in range(4 + offset)]
    np.testing.assert_array_equal(np.abs(stamps[-2]), [2**24 - 1] * 2)
    assert np.float32(LAST_STEP + 1) != np.float32(LAST_STEP), "neighbours are told apart"
    np.testing.assert_array_equal(stamps[-1], [-1, -1])
    assert packer.step == 0 and packer.slot == 0
    np.testing.assert_array_equal(push(packer, 2)[:, 3], [2, 2])


@pytest.mark.parametrize("offset", range(2))
@pytest.mark.parametrize("slots", [6, 7, 8, 11, 13])
def test_runs_are_right_after_the_restart_too(slots, offset):
    """The restart leaps over slots, so what was counted by slot must not linger."""
    trail = 5
    packer = RingPacker(RingLayout.fit(1, slots), trail)
    packer.step = LAST_STEP - 10 - offset
    for step in range(10 + offset):
        push(packer, 1, first=[0] if step % 2 else [])
    while packer.step != 0:
        push(packer, 1)
    for _ in range(3 * slots):
        push(packer, 1)
    assert packer.runs() == 1
    for expected in (2, 3, 4, 5):
        push(packer, 1, first=[0])
        assert packer.runs() == expected


# --- several steps at once


def random_steps(rng: np.random.Generator, count: int) -> list[Samples]:
    """Agents that come and go, begin anew and turn invalid; now and then a step is missing."""
    found, number = [], -1
    for _ in range(count):
        n = int(rng.integers(1, 6))
        number += 1 if rng.random() < 0.95 else 3
        positions = rng.normal(size=(n, 2))
        positions[rng.random(n) < 0.1] = np.nan
        first, headings = rng.random(n) < 0.1, rng.uniform(-9, 9, n)
        found.append(Samples(positions, rng.integers(0, 3, n), first, headings, number))
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("at_once", [2, 5, 8, 9, 30])
@pytest.mark.parametrize("periods", [(0.0, 0.0), (2.0, 3.0)])
def test_steps_packed_together_are_those_packed_one_by_one(seed, at_once, periods):
    steps = random_steps(np.random.default_rng(seed), 90)
    layout, frame = RingLayout.fit(5, 8), Frame(periods=periods)
    one, many = (RingPacker(layout, trail=6, frame=frame) for _ in range(2))
    expected, found = np.zeros((2, 8, 5, 4), np.float32)
    for begin in range(0, len(steps), at_once):
        now = steps[begin : begin + at_once]
        rows = []
        for step in now:
            packed = one.pack(step)
            ((slot, texels),) = packed.parts(8)
            expected[slot] = texels[0]
            rows += packed.rows
        packed = many.pack(*now)
        for slot, texels in packed.parts(8):
            found[slot : slot + len(texels)] = texels
        np.testing.assert_array_equal(found, expected)
        assert (many.step, many.slot, many.runs()) == (one.step, one.slot, one.runs())
        for mine, its in zip(packed.rows, rows, strict=True):
            assert mine.step == its.step
            for name in ("positions", "modes", "headings", "begins", "drawn", "turns"):
                np.testing.assert_array_equal(getattr(mine, name), getattr(its, name))


def test_a_step_that_does_not_follow_begins_all_anew():
    packer = RingPacker(RingLayout.fit(2, 8), trail=6)
    stamps = []
    for step in (None, None, 2, 3, 5, None, 7, 1, None):
        packed = packer.pack(Samples.of(np.zeros((2, 2)), step=step))
        stamps.append(packed.texels[0, :, 3].copy())
    signs = np.sign(stamps)
    np.testing.assert_array_equal(signs[:, 0], [-1, 1, 1, 1, -1, 1, 1, -1, 1])
    np.testing.assert_array_equal(signs[:, 0], signs[:, 1])


def test_a_mode_that_is_none_is_refused():
    packer = RingPacker(RingLayout.fit(2, 8), trail=6)
    for modes in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match="modes"):
            packer.check(Samples.of(np.zeros((2, 2)), modes))
    packer.check(Samples.of(np.zeros((0, 2)), np.zeros(0, int)))
