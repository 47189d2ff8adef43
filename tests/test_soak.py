"""The judge of `tools/soak.py`: what leaks is found, and what is renewed is not."""

from __future__ import annotations

import numpy as np
import pytest
from soak import MOST, Watched, growth

SECONDS = np.arange(60.0, 600.0, 1.0)
MEMORY, DESCRIPTORS = MOST["memory [MB]"], MOST["descriptors"]


def noise(size: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, len(SECONDS))


def renewed(phase: float, low: float, high: float, period: float = 100.0) -> np.ndarray:
    """What fills up, and begins anew."""
    return low + (high - low) * ((SECONDS + phase) % period) / period


def doubled(phase: float, held: float, more: float, takes: float = 2.0) -> np.ndarray:
    """What is there twice for a moment at each renewal, and before that not quite."""
    since = (SECONDS + phase) % 100.0
    return held + more * (since < takes) - 1.0 * (since > 99.0)


@pytest.mark.parametrize("phase", range(0, 100, 7))
class TestWhatIsRenewed:
    def test_is_level(self, phase: float) -> None:
        assert abs(growth(SECONDS, renewed(phase, 280.0, 540.0))) < MEMORY
        assert abs(growth(SECONDS, doubled(phase, 18.0, 5.0))) < DESCRIPTORS

    def test_hides_no_leak(self, phase: float) -> None:
        minutes = SECONDS / 60.0
        assert growth(SECONDS, renewed(phase, 280.0, 540.0) + 2.0 * MEMORY * minutes) > MEMORY
        leaking = doubled(phase, 18.0, 5.0) + np.floor(2.0 * DESCRIPTORS * minutes)
        assert growth(SECONDS, leaking) > DESCRIPTORS


def test_a_steady_leak_is_measured() -> None:
    values = 470.0 + 1.5 * SECONDS / 60.0
    assert growth(SECONDS, values) == pytest.approx(1.5)
    assert growth(SECONDS, values + noise(3.0)) == pytest.approx(1.5, abs=0.4)


def test_noise_and_what_is_given_back_are_no_leak() -> None:
    for seed in range(20):
        assert abs(growth(SECONDS, 470.0 + noise(3.0, seed))) < MEMORY
    assert growth(SECONDS, 500.0 - SECONDS / 60.0) < 0.0


def test_nothing_can_be_said_of_a_single_look() -> None:
    watched = Watched()
    watched.look([], 60.0)
    assert watched.growth("threads") == 0.0
