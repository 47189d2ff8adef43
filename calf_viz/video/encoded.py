"""Videos: H.264 in MP4, VP9 in WebM, by PyAV.

    pictures ──▶ NAME.part.mp4, in fragments of a second ──▶ NAME.mp4, its index at the beginning

A fragment that is written can be played, whatever happens to the process afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.files import new_file, remove, write_aside
from calf_viz.video.reel import Reel, left_of, part_of

BT709, RGB = 1, 0
"""Numbers of ITU-T H.273: primaries, transfer and matrix of HDTV, and no matrix at all."""
LIMITED, FULL = 1, 2
"""Ranges of values: 16 to 235, as players expect, and 0 to 255."""
ACCURATE = 0x4 | 0x2000 | 0x40000
"""Of swscale: bicubic, colours of every pixel, no fast approximations."""


class _Kind(NamedTuple):
    codec: str
    pixels: str
    options: dict[str, str]


KINDS = {
    (".mp4", False): _Kind("libx264", "yuv420p", {"crf": "18"}),
    (".mp4", True): _Kind("libx264rgb", "rgb24", {"qp": "0"}),
    (".webm", False): _Kind(
        "libvpx-vp9", "yuv420p",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    ),
    (".webm", True): _Kind(
        "libvpx-vp9", "gbrp",
        {"lossless": "1", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    ),
}  # fmt: skip
CONTAINERS = {
    ".mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
    ".webm": {"cluster_time_limit": "1000", "flush_packets": "1"},
}
"""As they are while they grow."""


def pyav() -> Any:
    """The module av. Raises UserError if it is not installed."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            "videos are encoded by PyAV: install calf_viz[video], or give `output` .gif or .png"
        ) from error
    av.logging.set_level(av.logging.ERROR)
    return av


class Encoded:
    """Encodes a video. As `Output`."""

    def __init__(self, reel: Reel) -> None:
        """Raises UserError: PyAV is missing, the size is odd, or it cannot be written."""
        av, self._reel, self._frames = pyav(), reel, 0
        kind = KINDS[reel.suffix, reel.lossless]
        width, height = reel.size
        if kind.pixels == "yuv420p" and (width % 2 or height % 2):
            even = f"{width - width % 2}x{height - height % 2}"
            raise UserError(f"`size` {width}x{height}: videos have even sizes: give {even}")
        if kind.codec not in av.codecs_available:
            raise UserError(f"this PyAV has no {kind.codec}: install calf_viz[video]")
        self.part = part_of(reel.path)
        new_file(self.part, reel.overwrite).close()
        self._container = av.open(
            _file(self.part), "w", format=reel.suffix[1:], options=CONTAINERS[reel.suffix]
        )
        self._stream = self._container.add_stream(kind.codec, rate=reel.fps, options=kind.options)
        self._describe(kind)
        self._reformat = av.video.reformatter.VideoReformatter().reformat
        self._pixels, self._closed = kind.pixels, False

    def _describe(self, kind: _Kind) -> None:
        stream, fps = self._stream, self._reel.fps
        stream.width, stream.height = self._reel.size
        stream.pix_fmt = kind.pixels
        stream.time_base = 1 / fps
        context = stream.codec_context
        context.gop_size = max(round(fps), 1)  # so that a fragment is a second
        rgb = kind.pixels != "yuv420p"
        context.color_primaries = context.color_trc = BT709
        context.colorspace, context.color_range = (RGB, FULL) if rgb else (BT709, LIMITED)

    def write(self, picture: NDArray[np.uint8]) -> None:
        """As `Output`."""
        av = pyav()
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        if self._pixels == "yuv420p":
            frame = self._reformat(
                frame, format=self._pixels, interpolation=ACCURATE, dst_colorspace=BT709,
                src_color_range=FULL, dst_color_range=LIMITED,
            )  # fmt: skip
        elif self._pixels != "rgb24":
            frame = self._reformat(frame, format=self._pixels)
        frame.pts, frame.time_base = self._frames, 1 / self._reel.fps
        self._container.mux(self._stream.encode(frame))
        self._frames += 1

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            try:
                if self._frames:
                    self._container.mux(self._stream.encode(None))
            finally:
                self._container.close()

    def finish(self) -> list[Path]:
        """As `Output`."""
        self._close()
        path = self._reel.path
        with write_aside(path) as made:
            if self._reel.suffix == ".mp4":
                _remux(self.part, made)
                remove(self.part)
            else:
                self.part.replace(made)
        return [path]

    def give_up(self) -> Path | None:
        """As `Output`."""
        return left_of(self.part, self._frames, self._close)


def _remux(source: Path, target: Path) -> None:
    """The same frames, with an index at the file's beginning, so that players begin at once."""
    av = pyav()
    with (
        av.open(_file(source)) as found,
        av.open(_file(target), "w", format="mp4", options={"movflags": "faststart"}) as made,
    ):
        old = found.streams.video[0]
        new = made.add_stream_from_template(old)
        for packet in found.demux(old):
            if packet.dts is not None:  # else it is the one that ends the stream
                packet.stream = new
                made.mux(packet)


def _file(path: Path) -> str:
    """A path for FFmpeg, which takes what is before a colon for a protocol."""
    return f"file:{path}"
