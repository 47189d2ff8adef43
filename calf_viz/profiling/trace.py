"""Traces in Chrome's format, which ui.perfetto.dev and chrome://tracing open.

The format: docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.profiling.run import Resources

THREAD = 1


class TracedFrame(NamedTuple):
    """One frame with its sections, each (name, begin, end) [s], in any order."""

    start: float
    end: float
    sections: Sequence[tuple[str, float, float]]
    counts: Mapping[str, float]


def write_trace(path: str | Path, frames: Sequence[TracedFrame], used: Resources) -> None:
    """Write frames with their sections and counters, and the memory in use.

    Raises:
        UserError: there is no frame, or the file cannot be written.
    """
    if not frames:
        raise UserError("no frame was measured yet: profile for longer than the warm-up")
    content = {"displayTimeUnit": "ms", "traceEvents": list(_events(frames, used))}
    with write_aside(path) as part:
        part.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")


def _events(frames: Sequence[TracedFrame], used: Resources) -> Iterator[dict[str, Any]]:
    zero = frames[0].start
    here = {"pid": os.getpid(), "tid": THREAD}

    def complete(name: str, start: float, end: float) -> dict[str, Any]:
        ts, dur = 1e6 * (start - zero), 1e6 * (end - start)  # the format's unit is 1 us
        return {"name": name, "ph": "X", "ts": round(ts, 3), "dur": round(dur, 3), **here}

    def counter(name: str, when: float, value: float) -> dict[str, Any]:
        ts = round(1e6 * (when - zero), 3)
        return {"name": name, "ph": "C", "ts": ts, "args": {name: value}, **here}

    yield {"name": "process_name", "ph": "M", "args": {"name": "calf_viz"}, **here}
    yield {"name": "thread_name", "ph": "M", "args": {"name": "frames"}, **here}
    for frame in frames:
        yield complete("frame", frame.start, frame.end)
        yield from (complete(*section) for section in frame.sections)
        known = ((name, n) for name, n in frame.counts.items() if math.isfinite(n))
        yield from (counter(name, frame.start, n) for name, n in known)
    for when, size in zip(used.seconds.tolist(), used.memory_bytes.tolist(), strict=True):
        if zero <= when <= frames[-1].end:
            yield counter("memory_mb", when, round(size / 1e6, 3))
