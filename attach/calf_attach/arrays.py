"""What loops hand over, as arrays: NumPy's, tensors wherever they are, lists."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_array(values: Any) -> np.ndarray:
    """An array of what a framework returned."""
    if hasattr(values, "detach"):  # torch
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):  # which NumPy does not have
            values = values.float()
        values = values.numpy()
    return np.asarray(values)


def observations_of(obs: Any, agents: int | None) -> np.ndarray:
    """Observations as rows, (n, size); a single one becomes a row. agents: their number, if it is
    known. Raises TypeError and ValueError for what has no coordinates, with what to do."""
    if isinstance(obs, (dict, tuple)) and not hasattr(obs, "shape"):
        raise TypeError(f"observations are a {type(obs).__name__}: {_PROJECT}")
    found = as_array(obs)
    if found.dtype.kind not in "fiub":
        raise TypeError(f"observations are {found.dtype}: {_PROJECT}")
    if found.ndim == 1 and (agents or 1) == 1 and len(found) > 1:
        return found[None]
    if found.ndim < 2:
        raise ValueError(f"observations of shape {found.shape} are single numbers: {_PROJECT}")
    if found.ndim > 2:
        raise ValueError(f"observations of shape {found.shape}, such as images: {_PROJECT}")
    return found


_PROJECT = "give project=, which makes positions (n, 2) of them"


def count_of(*given: Any) -> int | None:
    """Number of agents of the first of these, (n,) each, that is given; 1 for a single number."""
    for values in given:
        if values is not None:
            shape = getattr(values, "shape", None)
            if shape is None:
                shape = np.shape(values)
            return int(shape[0]) if len(shape) else 1
    return None


def flags_of(values: Any, n: int) -> np.ndarray:
    """(n,) bool; all False for None. Raises ValueError for another number of them."""
    if values is None:
        return np.zeros(n, bool)
    found = np.atleast_1d(as_array(values)).astype(bool)
    if found.shape != (n,):
        raise ValueError("flags: shape %s, where (%d,) is wanted" % (found.shape, n))
    return found


def numbers_of(values: Any, n: int, name: str) -> np.ndarray:
    """(n,) numbers. Raises ValueError for another number of them."""
    found = np.atleast_1d(as_array(values))
    if found.shape == (n, 1):
        found = found[:, 0]
    if found.shape != (n,) or found.dtype.kind not in "fiub":
        raise ValueError(
            "%s: %s of shape %s, where numbers of (%d,) are wanted"
            % (name, found.dtype, found.shape, n)
        )
    return found


def modes_of(values: Any, n: int, known: int) -> np.ndarray:
    """(n,) whole numbers below `known`. Raises ValueError for others."""
    found = numbers_of(values, n, "modes")
    if n and not 0 <= found.min() <= found.max() < known:
        raise ValueError(
            "modes: %s to %s, where attach(modes=...) names %d" % (found.min(), found.max(), known)
        )
    return found
