"""What loops hand over that is odd, or wrong: what is shown of it, or said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import SQUARE, board_of
from calf_attach import Handle, attach
from calf_attach.board import Row
from calf_attach.critic import Evaluation
from calf_attach.layout import HIDDEN, Word

pytestmark = pytest.mark.usefixtures("boards")


@pytest.fixture
def viz() -> Iterator[Handle]:
    with attach(SQUARE, rate=1e9, modes=("a", "b")) as handle:
        handle.reset(np.zeros((4, 3)))
        yield handle


def last(viz: Handle) -> Row:
    return board_of(viz).rows_since(0)[-1]


def fault(viz: Handle) -> str:
    """The last line of the one fault."""
    board = board_of(viz)
    assert board[Word.FAULTS] == 1
    return board.newest_fault.strip().splitlines()[-1]


AT = np.arange(12.0).reshape(4, 3) / 16
"""Observations of four agents, of numbers that every kind of float has."""


@pytest.mark.parametrize(
    "obs",
    [
        AT.astype(np.float16), AT.astype(np.float32), AT.astype(">f8"), np.asfortranarray(AT),
        np.repeat(AT, 2, axis=0)[::2], AT[::-1][::-1], AT.tolist(), AT,
    ],
    ids=["half", "single", "big-endian", "Fortran", "every other", "reversed", "lists", "double"],
)  # fmt: skip
def test_any_layout_of_numbers(viz: Handle, obs: Any) -> None:
    viz.step(obs, np.zeros(4), np.zeros(4, bool), np.zeros(4, bool), {})
    np.testing.assert_array_equal(last(viz).positions, AT[:, :2].astype(np.float32))
    assert board_of(viz)[Word.FAULTS] == 0


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, bool])
def test_any_kind_of_reward_and_flag(viz: Handle, kind: Any) -> None:
    for _ in range(3):
        viz.step(AT, np.ones(4, kind), np.zeros(4, kind), np.zeros(4, np.uint8), {})
    assert board_of(viz)[Word.FAULTS] == 0
    assert last(viz).columns[0].tolist() == [1.0] * 4


def test_whole_numbers_and_bfloat16_tensors(viz: Handle) -> None:
    torch = pytest.importorskip("torch")
    viz.step(torch.as_tensor(AT).bfloat16(), torch.zeros(4, 1))
    np.testing.assert_allclose(last(viz).positions, AT[:, :2], atol=0.01)
    viz.step(torch.as_tensor(AT, dtype=torch.float32).requires_grad_(), torch.zeros(4))
    assert board_of(viz)[Word.FAULTS] == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_positions_that_are_not_finite_are_hidden(viz: Handle, value: float) -> None:
    at = AT.copy()
    at[2, 1] = value
    viz.step(at, np.zeros(4), None, None, {})
    assert (last(viz).flags & HIDDEN > 0).tolist() == [False, False, True, False]


def test_agents_appear_and_vanish(viz: Handle) -> None:
    for n in (4, 7, 2, 0, 5, 1, 300, 3):
        viz.step(np.full((n, 3), n), np.ones(n), np.zeros(n, bool), np.zeros(n, bool), {})
        row = last(viz)
        assert row.positions.shape == (n, 2) and (row.positions == n).all()
    assert board_of(viz)[Word.FAULTS] == 0


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (({"pixels": 1},), {}, "observations are a dict: give project="),
        ((np.zeros((4, 8, 8, 3), np.uint8), np.zeros(4)), {}, "such as images: give project="),
        ((np.zeros(4, int), np.zeros(4)), {}, "are single numbers: give project="),
        ((3, 1.0, False, False, {}), {}, "are single numbers: give project="),
        ((np.array(["a", "b"]),), {}, "give project="),
        ((AT, np.zeros(3)), {}, "shape (3,)"),
        ((AT, np.zeros(4), np.zeros(5, bool)), {}, "shape (5,), where (4,) is wanted"),
        ((AT, np.zeros(4), None, None, {}), {"modes": [0, 1, 2, 0]}, "0 to 2, where attach(modes="),
        ((AT, np.zeros(4), None, None, {}), {"modes": [0, -1, 1, 0]}, "modes: -1 to 1"),
        ((AT, np.zeros(4), None, None, {}), {"margin": [1.0]}, "margin: float64 of shape (1,)"),
        ((AT, np.zeros(4), None, None, {}), {"actions": np.zeros(3)}, "actions: shape (3,)"),
        ((AT[:, :1], np.zeros(4)), {}, "observations of 1 numbers, where axes=(0, 1)"),
    ],
)
def test_what_cannot_be_shown_is_a_fault_that_says_why(
    viz: Handle, arguments: tuple[Any, ...], more: dict[str, Any], said: str
) -> None:
    viz.step(*arguments, **more)
    assert said in fault(viz)
    viz.step(AT, np.zeros(4), np.zeros(4, bool), np.zeros(4, bool), {})
    np.testing.assert_array_equal(last(viz).positions, AT[:, :2].astype(np.float32))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bounds": [(1, -1), (0, 1)]}, "the lower first"),
        ({"bounds": [(0, np.nan), (0, 1)]}, "two finite numbers"),
        ({"bounds": [(0, 1)]}, r"give \[\(low, high\), \(low, high\)\]"),
        ({"axes": (0, 0)}, "two different ones"),
        ({"axes": (0, -1)}, "counted from 0"),
        ({"critic": 3}, "critic: 3: give a function"),
        ({"critic": len, "project": len}, "give lift="),
        ({"nodes": 1}, "nodes: 1"),
        ({"budget": 0}, "budget: 0"),
        ({"rate": -1}, "rate: -1"),
        ({"autoreset": "sometimes"}, "next_step, same_step, disabled"),
        ({"modes": ()}, "modes"),
        ({"modes": ("a", "a ")}, "different names"),
        ({"modes": ("a", "")}, "different names"),
        ({"modes": tuple(map(str, range(257)))}, "give 256 at most"),
        ({"modes": tuple(f"{i}" * 99 for i in range(200))}, "names take .* bytes"),
        ({"dt": -1.0}, "dt: -1.0: give seconds"),
        ({"dt": "fast"}, "dt: 'fast'"),
        ({"labels": "xy"}, "labels: 'xy': give 2 texts"),
        ({"colours": ["red"]}, "#rrggbb"),
        ({"colours": ["#ffffff"] * 3}, "3 of 1 modes"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_at_once(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        attach(**{"bounds": SQUARE, **given})


ODD = (
    None, 5, -3, 0.5, 10**400, np.nan, np.inf, "x", "", b"x", True, object(), [], [1], [None, None],
    ["a", "b"], {}, {"a": 1}, {0: "b"}, {-1: 0.0}, {0: np.nan}, np.zeros(3), np.zeros((2, 2)), len,
    [[0, 1], [2, 3]], (0, 1.5), ("0", "1"), 3 + 4j, "\x00", "y" * 10**6,
)  # fmt: skip
CHECKED = (
    "bounds", "labels", "periodic", "axes", "others", "chosen", "entries", "project", "lift",
    "critic", "modes", "colours", "dt", "autoreset", "nodes", "budget", "rate",
)  # fmt: skip
TAKEN_AS_TEXT = "name", "title", "value", "window", "space"


@pytest.mark.parametrize("name", [*CHECKED, *TAKEN_AS_TEXT])
def test_whatever_an_argument_is_it_is_taken_or_refused_in_one_line(name: str) -> None:
    """And what is taken does not raise later."""
    for odd in ODD:
        given = {"bounds": SQUARE, name: odd}
        try:
            made = attach(**given)
        except ValueError as error:
            said = str(error)
            assert len(said) < 300 and "\n" not in said
            assert "names take" in said or (name in said and name in CHECKED), (odd, said)
        else:
            with made as viz:
                viz.step(AT, np.zeros(4))
                viz.refresh()


def test_docs_list_what_is_refused_at_once() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs" / "attach.md").read_text()
    _, _, table = text.partition("| argument | refused |")
    rows = [line.split("|")[1] for line in table.split("\n\n")[0].splitlines()[2:]]
    listed = [word for row in rows for word in row.replace("`", "").replace(",", " ").split()]
    assert sorted(listed) == sorted(CHECKED)


def test_numbers_and_names_of_any_kind_are_taken_as_such() -> None:
    dt: Any = np.float32(0.5)
    with attach(SQUARE, dt=dt, title="two\nlines", modes=(1, 2), name="a/b c") as viz:
        viz.step(AT, modes=[0, 1, 1, 0])
        meta = board_of(viz).meta()
        assert meta is not None and not board_of(viz)[Word.FAULTS]
        assert (meta["dt"], meta["title"], meta["modes"]) == (0.5, "two lines", ["1", "2"])
        assert meta["name"] == "a_b_c"


class TestCritics:
    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    @pytest.mark.parametrize("tensor", [False, True])
    def test_a_column_a_row_or_a_tensor(self, shape: tuple[int, ...], tensor: bool) -> None:
        torch = pytest.importorskip("torch")

        def critic(obs: Any) -> Any:
            values = obs[:, 0].reshape(shape)
            return torch.as_tensor(values).double().requires_grad_() if tensor else values

        with attach(SQUARE, critic=critic, nodes=3) as viz:
            viz.step(AT)
            surface = board_of(viz).surface()
        assert surface is not None and surface.values is not None
        assert surface.values.tolist() == [[-1.0, 0.0, 1.0]] * 3

    @pytest.mark.parametrize(
        ("critic", "said"),
        [
            (lambda obs: obs[:7, 0], r"critic: shape (7,), where (9,) is wanted"),
            (lambda obs: obs, "critic: shape (9, 3)"),
            (lambda obs: None, "critic: shape ()"),
            (lambda obs: 1 / 0, "ZeroDivisionError"),
        ],
    )
    def test_a_wrong_one_is_a_fault_and_the_steps_are_shown(self, critic: Any, said: str) -> None:
        with attach(SQUARE, critic=critic, nodes=3) as viz:
            viz.step(AT)
            viz.step(AT)
            assert said in fault(viz)
            assert len(board_of(viz).rows_since(0)) >= 1

    def test_values_that_are_not_finite_are_shown_as_a_wall(self) -> None:
        with attach(SQUARE, critic=lambda obs: np.full(len(obs), np.nan), nodes=3) as viz:
            viz.step(AT)
            assert board_of(viz)[Word.SURFACE] == 1 and not board_of(viz)[Word.FAULTS]

    def test_the_budget_of_a_slow_one_is_kept(self) -> None:
        def critic(obs: Any) -> Any:
            time.sleep(0.05)
            return obs[:, 0]

        made = Evaluation(critic, lambda points: points, 2, budget=0.01)
        made.values(np.zeros((4, 2)))
        now = time.perf_counter()
        assert made.cost >= 0.05 and made.count == 1
        assert not made.is_due(now + 0.9 * made.cost / 0.01 - 1.0)
        assert made.is_due(now + made.cost / 0.01)
        for taken, left in ((0.008, 0.002), (0.2, 0.001)):  # by `step`: it counts, too
            made.values(np.zeros((4, 2)), taken)
            now = time.perf_counter()
            assert not made.is_due(now + 0.9 * made.cost / left)
            assert made.is_due(now + made.cost / left)


@pytest.mark.parametrize(
    "values", [np.zeros(9), np.zeros((1, 9)), "no", np.zeros((3, 3), complex), np.zeros((99, 99))]
)
def test_surfaces_that_are_none(viz: Handle, values: Any) -> None:
    viz.surface(values)
    assert board_of(viz)[Word.FAULTS] == 1 and board_of(viz)[Word.SURFACE] == 0
