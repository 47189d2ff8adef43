"""Shader sources: found, overlaid, and expanded from `#include "file"`.

    overlay ──┐
              ├─▶ find ─▶ expand ─▶ text with the defines after #version
    shaders/ ─┘              └────▶ table from expanded line to (file, line)

An overlay, a folder or one file, replaces files by name and inherits the rest. The table lets a
compiler's message be told in the user's file. (Not `#line`: Panda replaces the source index; where
files have some, it is left out.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from calf_viz.errors import UserError, shown
from calf_viz.files import is_file, is_folder
from calf_viz.render import glsl
from calf_viz.render.problems import Problem, ShaderError

SUFFIXES = (".glsl", ".vert", ".frag")
LOOKS = "looks"
"""The folder of the shipped overlays, below the shaders."""
KEPT = ("ring_copy", "difference", "critic_", "lib/critic_")
"""How names of shipped files begin that are no part of a look: samples that they spoiled would be
lost, and values and comparisons be wrong."""
LONGEST_LINE, LARGEST_FILE = 2000, 2**18
"""Characters, bytes: what no shader needs. Drivers copy whole lines into messages, and those onto
their stack."""

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
_LINE_NUMBER = re.compile(r"^\s*#\s*line\b")
_VERSION = re.compile(r"^\s*#\s*version\b")
_NAME = re.compile(r"(?!gl_)(?!\w*__)[A-Za-z_]\w*")


def shader_folder() -> Path:
    """The folder of the shipped shaders: installed package, or the checkout beside it."""
    checkout = Path(__file__).resolve().parents[2] / "shaders"
    if (checkout / "field.vert").is_file():
        return checkout
    try:
        folder = Path(str(resources.files("calf_viz.shaders")))
    except ModuleNotFoundError:
        folder = checkout
    if not (folder / "field.vert").is_file():
        raise UserError(f"the shaders are missing ({folder}): install calf_viz again")
    return folder


def shipped_files() -> list[str]:
    """Names of the shipped shaders, looks apart, such as `lib/ring.glsl`."""
    folder = shader_folder()
    names = (p.relative_to(folder) for p in folder.rglob("*") if p.suffix in SUFFIXES)
    return sorted(name.as_posix() for name in names if name.parts[0] != LOOKS)


def look_names() -> list[str]:
    """Names of the shipped looks."""
    folder = shader_folder() / LOOKS
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def is_kept(name: str) -> bool:
    """Whether a file of that name is the program's own, whatever an overlay holds."""
    return name.startswith(KEPT) and _is_file(shader_folder() / name)


def overlay_path(given: Path, option: str = "--shaders") -> Path:
    """A folder, a file, or the folder of the shipped look of that name. UserError for none, by the
    option that gave it."""
    if is_folder(given) or is_file(given):
        return given
    if str(given) in look_names():
        return shader_folder() / LOOKS / given
    looks = f", nor a look: {', '.join(look_names())}" if look_names() else ""
    raise UserError(f"{option} {shown(given)}: neither a folder nor a file{looks}")


def read_define(text: str) -> tuple[str, str]:
    """NAME and VALUE of `NAME[=VALUE]`; without one it is 1, as compilers have it."""
    name, equals, value = text.partition("=")
    if not _NAME.fullmatch(name):
        raise UserError(
            f"--define {shown(text)}: '{shown(name)}' is no name in GLSL: give NAME or NAME=VALUE"
        )
    if not (value.isascii() and (value.isprintable() or not value) and "\\" not in value):
        raise UserError(f"--define {shown(text)}: give a value of one line in ASCII")
    return name, value if equals else "1"


@dataclass(frozen=True)
class Source:
    """An expanded shader.

    Attributes:
        text: what compilers get.
        origins: for each of its lines the (file, line) that it came from.
        written: its lines as they stand in their files.
    """

    text: str
    origins: tuple[tuple[Path, int], ...]
    written: tuple[str, ...]

    def origin(self, line: int) -> tuple[Path, int]:
        """(file, line) of an expanded line, both counted from 1."""
        return self.origins[min(max(line, 1), len(self.origins)) - 1]

    @staticmethod
    def is_overlays(path: Path) -> bool:
        """Whether an origin's file is an overlay's or a look's: not shipped, nor a --define."""
        shipped = shader_folder()
        own = not path.is_relative_to(shipped) or path.is_relative_to(shipped / LOOKS)
        return own and not str(path).startswith("--define ")

    def line(self, line: int) -> str:
        """An expanded line as it was written, counted from 1; empty where there is none."""
        return self.written[line - 1].strip() if 0 < line <= len(self.written) else ""


class _Line(NamedTuple):
    text: str
    written: str
    origin: tuple[Path, int]


class ShaderLibrary:
    """The shader files in force: an overlay's first, the shipped ones otherwise.

    Raises UserError for an overlay that is not there, and from `load` for files that are missing,
    not text, or include each other in a circle, naming the file and line.

    Attributes:
        overlay: the folder, or the one file, that replaces; None for the shipped shaders alone.
        defines: macros that every shader is given, by name.
    """

    def __init__(
        self, overlay: Path | None = None, defines: Mapping[str, str] | None = None
    ) -> None:
        self.overlay = None if overlay is None else overlay_path(overlay)
        self.defines = dict(defines or {})
        self.shipped = shader_folder()
        self._replaced: str | None = None
        if self.overlay is not None and self.overlay.is_file():
            self._replaced = _namesake(self.overlay.name)

    def find(self, name: str) -> Path | None:
        """The file in force for a name such as `lib/ring.glsl`, or None."""
        if self.overlay is not None and not is_kept(name):
            replaced = self._replaced == name
            own = self.overlay if replaced else self.overlay / name
            if (replaced or self._replaced is None) and _is_file(own):
                return own
        shipped = self.shipped / name
        return shipped if _is_file(shipped) else None

    def check_overlay(self) -> None:
        """Raise ShaderError where the overlay was there once and is gone."""
        if self.overlay is not None and not self.overlay.exists():
            raise ShaderError([Problem(self.overlay, None, "it is gone; the last look stays")])

    def own_files(self) -> list[str]:
        """Names of the overlay's shader files."""
        if self.overlay is None:
            return []
        if self._replaced is not None:
            return [self._replaced]
        found = (p for p in self.overlay.rglob("*") if p.suffix in SUFFIXES and _is_file(p))
        return sorted(path.relative_to(self.overlay).as_posix() for path in found)

    def load(self, name: str) -> Source:
        """The file with every include expanded, each at most once."""
        lines: list[_Line] = []
        self._expand(name, None, [], set(), lines)
        at = next((i + 1 for i, line in enumerate(lines) if _VERSION.match(line.text)), 0)
        for macro, value in reversed(self.defines.items()):
            text = f"#define {macro} {value}"
            lines.insert(at, _Line(text, text, (Path(f"--define {macro}={value}"), 1)))
        lines = lines or [_Line("", "", (self.find(name) or Path(name), 1))]
        return Source(
            "".join(f"{line.text}\n" for line in lines),
            tuple(line.origin for line in lines),
            tuple(line.written for line in lines),
        )

    def _expand(
        self,
        name: str,
        included_from: Problem | None,
        stack: list[str],
        seen: set[str],
        lines: list[_Line],
    ) -> None:
        def refuse(text: str, problem: Problem | None = included_from) -> ShaderError:
            at = problem or Problem(Path(name), None, "")
            return ShaderError([Problem(at.path, at.line, text, at.code)])

        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise refuse(f"include {name[:100]}: name a file below the look's folder or shaders/")
        if name in stack:
            raise refuse(f"include cycle: {' -> '.join([*stack, name])}")
        if name in seen:
            return
        seen.add(name)
        path = self.find(name)
        if path is None:
            folders = ", ".join(str(f) for f in (self.overlay, self.shipped) if f is not None)
            raise refuse(f"shader file {name[:100]} not found in {folders}")
        for line in _read(path):
            match = _INCLUDE.match(line.text)
            if match:
                here = Problem(*line.origin, "", line.written.strip())
                self._expand(match[1], here, [*stack, name], seen, lines)
            else:
                lines.append(line)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # names that no file can have
        return False


def _namesake(name: str) -> str:
    """The shipped file that a single file of that name replaces."""
    for shipped in shipped_files():
        if shipped.rpartition("/")[2] == name:
            if is_kept(shipped):
                raise UserError(f"look {name}: is no part of a look, the program keeps its own")
            return shipped
    raise UserError(f"look {name}: replaces nothing; see calf-viz shaders list for names")


def _read(path: Path) -> tuple[_Line, ...]:
    """Lines of a file; for compilers comments are in ASCII, and includes in comments left out."""
    try:
        return _lines_of(path, path.read_bytes())
    except OSError as error:
        raise ShaderError([Problem(path, None, error.strerror or str(error))]) from None


@lru_cache(maxsize=128)  # of all files, a save changes one
def _lines_of(path: Path, data: bytes) -> tuple[_Line, ...]:
    try:
        text = data.decode("utf-8-sig")  # editors on Windows write a mark
    except UnicodeDecodeError as error:
        broken = data.count(b"\n", 0, error.start) + 1
        raise ShaderError([Problem(path, broken, f"not UTF-8 (byte {error.start})")]) from None
    if len(data) > LARGEST_FILE:
        what = f"{len(data):,} bytes: no shader needs more than {LARGEST_FILE:,}"
        raise ShaderError([Problem(path, None, what)])
    read = []
    written = glsl.lines_of(text)
    unclosed = glsl.unclosed_comment("\n".join(written))
    if unclosed is not None:
        begun = written[unclosed - 1].strip()[:LONGEST_LINE]
        raise ShaderError([Problem(path, unclosed, "this comment has no end: write */", begun)])
    compiled = glsl.lines_of(glsl.with_ascii_comments(text))
    code = glsl.lines_of(glsl.without_comments(text))
    for number, line in enumerate(written):
        if len(line) > LONGEST_LINE:
            what = f"a line of {len(line):,} characters: no shader needs more than {LONGEST_LINE:,}"
            raise ShaderError([Problem(path, number + 1, what, line[:80])])
        if "\0" in line:
            raise ShaderError([Problem(path, number + 1, "a zero byte: this is no text")])
        commented_out = _INCLUDE.match(line) and "include" not in code[number]
        # Messages are told in the lines of the files, whatever else these claim to be.
        left_out = commented_out or _LINE_NUMBER.match(code[number])
        text = "" if left_out else compiled[number]
        read.append(_Line(text, line, (path, number + 1)))
    return tuple(read) or (_Line("", "", (path, 1)),)  # an empty file takes part as well
