"""StatsCache: figures on screen are computed when they are due, not in every frame.

A figure that queries the critic, or a text that has to be laid out, costs more than the frame
around it, and nobody reads sixty values a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class _Entry:
    value: Any
    frame: int
    dirty: bool = False


class StatsCache:
    """Values by key, each recomputed after its interval of frames, or when marked dirty.

        cache = StatsCache({"mean_q": 10})
        ...
        cache.next_frame()
        text = f"mean Q {cache.get('mean_q', compute_mean_q):.2f}"
        if cache.changed("mean_q", text):
            panel.set_text(text)

    Attributes:
        enabled: if False, every `get` computes; for comparisons.
        computed: number of calls to a `compute` so far.
    """

    def __init__(
        self, intervals: Mapping[str, int] | None = None, default: int = 1, enabled: bool = True
    ) -> None:
        """intervals: frames by key. default: for other keys. Raises ValueError below 1."""
        self.intervals = {key: _whole(n) for key, n in (intervals or {}).items()}
        self.default = _whole(default)
        self.enabled = enabled
        self.frame = 0
        self.computed = 0
        self._entries: dict[str, _Entry] = {}
        self._shown: dict[str, Any] = {}

    def next_frame(self) -> None:
        """Count a frame; to be called once per frame."""
        self.frame += 1

    def get(self, key: str, compute: Callable[[], T], update_interval: int | None = None) -> T:
        """The value of a key, from `compute` if it is due.

        update_interval: frames for which a value is kept, in place of the key's own or the default.
        Exceptions of `compute` pass, and the key stays due.

        Raises:
            ValueError: the interval is below 1.
        """
        if update_interval is None:
            interval = self.intervals.get(key, self.default)
        else:
            interval = _whole(update_interval)
        entry = self._entries.get(key)
        fresh = entry is not None and not entry.dirty and self.frame - entry.frame < interval
        if self.enabled and entry is not None and fresh:
            value: T = entry.value
            return value
        value = compute()
        self.computed += 1
        self._entries[key] = _Entry(value, self.frame)
        return value

    def mark_dirty(self, key: str | None = None) -> None:
        """Recompute a key, or all of them, at the next `get`, for example for a new critic."""
        for name, entry in self._entries.items():
            entry.dirty |= key is None or name == key

    def changed(self, key: str, value: Any) -> bool:
        """Whether a value differs from the one in the last call for the key; True at first.

        Used to set a text only if it has changed.
        """
        if key in self._shown and self._shown[key] == value:
            return False
        self._shown[key] = value
        return True


def _whole(interval: int) -> int:
    if isinstance(interval, bool) or not isinstance(interval, int):
        raise ValueError(f"an interval of {interval!r} frames: give a whole number")
    if interval < 1:
        raise ValueError(f"an interval of {interval} frames: give 1 or more")
    return interval
