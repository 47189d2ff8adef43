"""Measures the GPU's time for a frame, by timestamp queries in the current context.

    begin ──▶ ring pass, picture ──▶ end       Results are fetched some frames later, so that
      t0                              t1       nothing waits for them.

Panda3D measures times only for its own PStats, so the queries use PyOpenGL. If that finds no
OpenGL, or the driver has no timestamps, there are no times, and nothing else changes.
"""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from collections.abc import Callable

from calf_viz.hosts.panda.raw_gl import raw

log = logging.getLogger("calf_viz")

MOST_PENDING = 8  # frames that a driver may lag behind; further ones are not timed


class GpuTimer:
    """Times what is drawn between `begin` and `end`, with the same context current throughout."""

    def __init__(self) -> None:
        self._gl = _load()
        self._begun: int | None = None  # query of the frame's first timestamp
        self._pending: deque[tuple[int, int, int]] = deque()  # token, first and last query
        self._free: list[int] = []
        self._times: list[tuple[int, float]] = []

    def begin(self) -> None:
        """Called before a frame is drawn."""
        self._begun = None
        self._guarded(self._begin)

    def end(self, token: int) -> None:
        """Called after it was drawn; the token is returned with its time."""
        if self._begun is not None:
            self._guarded(lambda gl: self._end(gl, token))

    def times(self) -> list[tuple[int, float]]:
        """(token, seconds) of frames whose times have become known, each once."""
        times, self._times = self._times, []
        return times

    def _guarded(self, ask: Callable[[_Queries], None]) -> None:
        if self._gl is None:
            return
        try:
            ask(self._gl)
        except Exception as error:  # timing must never end the run
            log.info("no GPU times (%s)", error)
            self._gl = None

    def _begin(self, gl: _Queries) -> None:
        if not self._free and not self._pending and not gl.counts_time():
            raise RuntimeError("this driver keeps no timestamps")
        while self._pending and gl.is_known(self._pending[0][2]):
            token, first, last = self._pending.popleft()
            self._times.append((token, 1e-9 * (gl.nanoseconds(last) - gl.nanoseconds(first))))
            self._free += [first, last]
        if len(self._pending) < MOST_PENDING:
            self._begun = self._stamp(gl)

    def _end(self, gl: _Queries, token: int) -> None:
        assert self._begun is not None
        self._pending.append((token, self._begun, self._stamp(gl)))
        self._begun = None

    def _stamp(self, gl: _Queries) -> int:
        query = self._free.pop() if self._free else gl.create()
        gl.timestamp(query)
        return query


class _Queries:
    """Timestamp queries."""

    def __init__(self) -> None:
        self.v15, self.v33 = raw("1_5"), raw("3_3")

    def counts_time(self) -> bool:
        """Whether a timestamp has any bits here."""
        bits = ctypes.c_int(0)
        self.v15.glGetQueryiv(self.v33.GL_TIMESTAMP, self.v15.GL_QUERY_COUNTER_BITS, bits)
        return bits.value > 0

    def create(self) -> int:
        name = ctypes.c_uint(0)
        self.v15.glGenQueries(1, name)
        return name.value

    def timestamp(self, query: int) -> None:
        self.v33.glQueryCounter(query, self.v33.GL_TIMESTAMP)

    def is_known(self, query: int) -> bool:
        known = ctypes.c_int(0)
        self.v15.glGetQueryObjectiv(query, self.v15.GL_QUERY_RESULT_AVAILABLE, known)
        return bool(known.value)

    def nanoseconds(self, query: int) -> int:
        time = ctypes.c_uint64(0)
        self.v33.glGetQueryObjectui64v(query, self.v15.GL_QUERY_RESULT, time)
        return time.value


def _load() -> _Queries | None:
    try:
        return _Queries()
    except Exception as error:  # PyOpenGL found no OpenGL
        log.info("no GPU times (%s)", error)
        return None
