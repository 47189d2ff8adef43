"""How long the GPU works on a frame, from timer queries in Panda3D's own context.

    ring pass | picture          Display regions that draw nothing, first and last of a frame,
    ^         ^       ^          ask for a timestamp while the context is current. The answers
    first     |       last       are fetched some frames later, so that nobody waits for them.
              (first, where no ring pass was)

Panda3D times only for its own PStats, so the queries are PyOpenGL's. Where that is missing, or the
driver keeps no timestamps, there are no times and nothing else changes.
"""

from __future__ import annotations

import ctypes
import logging
import weakref
from collections import deque
from typing import Any

from panda3d.core import DisplayRegion, GraphicsOutput, PythonCallbackObject

log = logging.getLogger("calf_viz")

FIRST, LAST = -10_000, 10_000  # sorts before and after any region that draws
MOST_PENDING = 8  # frames that a driver may lag behind; those beyond are not timed


class GpuTimer:
    """Times the frames between `begin` and `end`.

    Attributes:
        available: whether this driver tells times; False until the first frame was drawn.
    """

    def __init__(self) -> None:
        self.available = False
        self._gl = _load()
        self._regions: dict[GraphicsOutput, list[DisplayRegion]] = {}
        self._token: int | None = None
        self._begun: int | None = None  # query of the frame's first timestamp
        self._pending: deque[tuple[int, int, int]] = deque()  # token, first and last query
        self._free: list[int] = []
        self._times: list[tuple[int, float]] = []
        # Panda would call into an interpreter that is no more.
        self._finalizer = weakref.finalize(self, _remove, self._regions)

    def begin(self, token: int, outputs: list[GraphicsOutput]) -> None:
        """Has the next frame timed, over these outputs in the order they are drawn in."""
        if self._gl is None:
            return
        self._token, self._begun = token, None
        for output in [known for known in self._regions if known not in outputs]:
            _remove({output: self._regions.pop(output)})
        for output in outputs:
            if output not in self._regions:
                self._regions[output] = [_region(output, FIRST, self._on_first)]
                if output is outputs[-1]:
                    self._regions[output].append(_region(output, LAST, self._on_last))
        self._set_active(True)

    def end(self) -> None:
        """The frame was rendered; until the next `begin`, drawing costs what it did before."""
        if self._token is None:
            return
        self._token = None
        self._set_active(False)

    def _set_active(self, active: bool) -> None:
        for regions in self._regions.values():
            for region in regions:
                region.set_active(active)

    def times(self) -> list[tuple[int, float]]:
        """(token, seconds) of the frames whose times are known by now, each once."""
        times, self._times = self._times, []
        return times

    def close(self) -> None:
        """Take the regions away again."""
        self._finalizer()

    # With the context current:

    def _on_first(self, data: Any) -> None:
        if self._token is not None and self._begun is None:
            self._guarded(self._ask_first)
        data.upcall()

    def _on_last(self, data: Any) -> None:
        if self._token is not None and self._begun is not None:
            self._guarded(self._ask_last)
        data.upcall()

    def _guarded(self, ask: Any) -> None:
        try:
            ask(self._gl)
        except Exception as error:  # whatever a driver does, it must not end the run
            log.warning("GPU times cannot be had (%s)", error)
            self._gl, self.available = None, False

    def _ask_first(self, gl: _Queries) -> None:
        if not self.available:
            self.available = gl.counts_time()
            if not self.available:
                self._gl = None
                return
        while self._pending and gl.is_known(self._pending[0][2]):
            token, first, last = self._pending.popleft()
            self._times.append((token, 1e-9 * (gl.nanoseconds(last) - gl.nanoseconds(first))))
            self._free += [first, last]
        if len(self._pending) < MOST_PENDING:
            self._begun = self._free.pop() if self._free else gl.create()
            gl.timestamp(self._begun)

    def _ask_last(self, gl: _Queries) -> None:
        assert self._begun is not None and self._token is not None
        last = self._free.pop() if self._free else gl.create()
        gl.timestamp(last)
        self._pending.append((self._token, self._begun, last))
        self._begun = None


class _Queries:
    """Timestamp queries of the context that is current."""

    def __init__(self) -> None:
        import OpenGL

        OpenGL.ERROR_CHECKING = False  # Panda's errors are not ours to report
        from OpenGL.raw.GL.VERSION import GL_1_5, GL_3_3

        self.v15, self.v33 = GL_1_5, GL_3_3

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
    except Exception as error:  # PyOpenGL is missing, or found no OpenGL of its own
        log.info("no GPU times: install PyOpenGL (%s)", error)
        return None


def _region(output: GraphicsOutput, sort: int, callback: Any) -> DisplayRegion:
    region = output.make_display_region()
    region.set_sort(sort)
    region.disable_clears()
    region.set_draw_callback(PythonCallbackObject(callback))
    return region


def _remove(regions: dict[GraphicsOutput, list[DisplayRegion]]) -> None:
    for output, own in regions.items():
        for region in own:
            region.clear_draw_callback()
            output.remove_display_region(region)
    regions.clear()
