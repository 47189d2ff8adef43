"""What crosses from data to the picture: samples of one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from calf_viz.samples import Samples


def good(n: int = 2) -> dict[str, Any]:
    return {
        "positions": np.zeros((n, 2)), "modes": np.zeros(n, int), "first": np.zeros(n, bool),
        "headings": np.zeros(n), "step": 4, "columns": {"reward": np.zeros(n)},
    }  # fmt: skip


def test_what_fits_is_taken_as_it_is() -> None:
    given = good()
    samples = Samples(**given)
    assert len(samples) == 2
    for name, value in given.items():
        assert getattr(samples, name) is value
    assert len(Samples(**good(0))) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positions", np.zeros((2, 3))), ("positions", np.zeros((2, 2), complex)),
        ("positions", [[0.0, 0.0]] * 2), ("modes", np.zeros(2)), ("modes", np.zeros(3, int)),
        ("modes", [0, 0]), ("first", np.zeros(2, int)), ("headings", np.zeros((2, 1))),
    ],
)  # fmt: skip
def test_another_shape_or_kind_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        Samples(**{**good(), name: value})


def test_the_shape_that_positions_must_have_is_said() -> None:
    for shape in ((2,), (3, 3), (1, 2, 2)):
        with pytest.raises(ValueError, match=r"^positions: shape .* where \(n, 2\) is wanted"):
            Samples.of(np.zeros(shape))


def test_a_columns_length_is_checked_too() -> None:
    with pytest.raises(ValueError, match=r"^reward: "):
        Samples(**{**good(), "columns": {"reward": np.zeros(3)}})


def test_of_lists() -> None:
    samples = Samples.of([[1, 2], [3, 4]], modes=1, first=[True, False], reward=0.5)
    assert samples.positions.tolist() == [[1, 2], [3, 4]]
    assert samples.modes.tolist() == [1, 1] and samples.first.tolist() == [True, False]
    assert samples.headings is None and samples.step is None
    assert samples.columns["reward"].tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match=r"^positions: "):
        Samples.of(3.0)
