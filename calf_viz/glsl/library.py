"""Shader sources: found, overlaid, and expanded from `#include "file"`.

    overlay ──┐
              ├─▶ find ─▶ expand ─▶ text with the defines after #version
    shaders/ ─┘              └────▶ table from expanded line to (file, line)

An overlay, a folder or one file, replaces files by name and inherits the rest. The table maps a
compiler's message to the user's file. (Not `#line`: Panda replaces the source index; any in files
is left out.)
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
from collections.abc import Iterable, Mapping
from copy import copy
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NoReturn

from calf_viz.errors import UserError, shown
from calf_viz.files import is_file, is_folder
from calf_viz.glsl import macros, preprocessor
from calf_viz.glsl import text as glsl
from calf_viz.glsl.folder import files_below
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.shader_file import LONGEST_LINE, SUFFIXES, Line, read
from calf_viz.glsl.shipped_shaders import LOOKS, is_kept, look_names, shader_folder, shipped_files
from calf_viz.glsl.source import DEFINE, Source

DEEPEST, MOST_INCLUDES = 32, 1000
"""Maximum length of a chain of includes, and number of `#include`s, in a shader."""

_VERSION = re.compile(r"\s*#\s*version\b")
_NAME = re.compile(r"(?!gl_)(?!\w*__)[A-Za-z_]\w*")


def overlay_path(given: Path, setting: str = "`shaders`") -> Path:
    """A folder, a file, or the folder of the shipped look of that name. Raises UserError if there
    is none, naming the setting."""
    if is_folder(given) or is_file(given):
        return given
    if str(given) in look_names():
        return shader_folder() / LOOKS / given
    looks = f", nor a look: {', '.join(look_names())}" if look_names() else ""
    raise UserError(f"{setting} {shown(given)}: neither a folder nor a file{looks}")


def read_define(text: str) -> tuple[str, str]:
    """NAME and VALUE of `NAME[=VALUE]`; the default is 1, as with compilers."""
    name, equals, value = text.partition("=")
    if not _NAME.fullmatch(name):
        raise UserError(
            f"`define` {shown(text)}: '{shown(name)}' is not a GLSL name: give NAME or NAME=VALUE"
        )
    if not (value.isascii() and (value.isprintable() or not value) and "\\" not in value):
        raise UserError(f"`define` {shown(text)}: give a value of one line in ASCII")
    if len(value) > LONGEST_LINE or glsl.unclosed_comment(value) is not None:
        raise UserError(f"`define` {shown(text)}: give a short value, and no part of a comment")
    return name, value if equals else "1"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`: did you mean ...?`, or nothing if no known name, in any folder, is similar."""
    names = {name.rpartition("/")[2].lower(): name for name in sorted(known, reverse=True)}
    close = get_close_matches(name.rpartition("/")[2].lower()[:100], names, 1, 0.8)
    return f": did you mean {names[close[0]]}?" if close else ""


class ShaderLibrary:
    """The current shader files: an overlay's first, otherwise the shipped ones.

    Raises UserError for an overlay that does not exist, and from `load` for files that are missing,
    not text, or include each other in a circle, naming the file and line.

    Attributes:
        overlay: the folder, or the one file, that replaces; None for the shipped shaders alone.
        defines: macros defined in every shader, by name.
    """

    def __init__(
        self, overlay: Path | None = None, defines: Mapping[str, str] | None = None
    ) -> None:
        self.overlay = None if overlay is None else overlay_path(overlay)
        self.defines = dict(defines or {})
        self.shipped = shader_folder()
        self._replaced: str | None = None
        if self.overlay is not None and is_file(self.overlay):
            self._replaced = _namesake(self.overlay.name)

    def with_defines(self, defines: Mapping[str, str]) -> ShaderLibrary:
        """The same library with these macros too."""
        if not defines:
            return self
        more = copy(self)
        more.defines = {**self.defines, **defines}
        return more

    def find(self, name: str) -> Path | None:
        """The current file for a name such as `lib/ring.glsl`, or None.

        Anything unreadable in a file's place is found as well: reading it reports the problem.
        """
        own = self.own(name)
        if own is not None and _is_taken(own):
            return own
        shipped = self.shipped / name
        return shipped if is_file(shipped) else None

    def own(self, name: str) -> Path | None:
        """Path of a named file in the overlay, whether it exists or not; None if it cannot."""
        if self.overlay is None or is_kept(name):
            return None
        if self._replaced is not None:
            return self.overlay if self._replaced == name else None
        return self.overlay / name

    def check_overlay(self) -> None:
        """Raise ShaderError if an overlay that existed is gone, of another kind or inaccessible."""
        if self.overlay is None:
            return
        try:
            status = os.stat(self.overlay)
            if self._replaced is None and not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError
            if stat.S_ISDIR(status.st_mode) and not os.access(self.overlay, os.R_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileNotFoundError:
            what = "it is gone"
        except NotADirectoryError:
            what = "it is no longer a folder"
        except OSError as error:
            what = f"it is inaccessible ({error.strerror or error})"
        else:
            return
        raise ShaderError([Problem(self.overlay, None, f"{what}; the last look stays")])

    def own_files(self) -> list[str]:
        """Names of the overlay's shader files. Raises ShaderError if there are too many."""
        if self.overlay is None:
            return []
        if self._replaced is not None:
            return [self._replaced]
        found = files_below(self.overlay)
        return sorted(p.as_posix() for p in found if p.suffix in SUFFIXES)

    def load(self, name: str) -> Source:
        """The file with every include expanded, each at most once."""
        expansion = _Expansion(self)
        lines = expansion.expand(name)
        at = next((i + 1 for i, line in enumerate(lines) if _VERSION.match(line.code)), 0)
        lines[at:at] = [
            Line(text, text, text, (Path(f"{DEFINE}{macro}={value}"), 1))
            for macro, value in self.defines.items()
            for text in [f"#define {macro} {value}"]
        ]
        excess = macros.excess(tuple(line.code for line in lines))
        if excess is not None:
            raise ShaderError([lines[excess.line].problem(excess.text)])
        return Source(
            "".join(f"{line.text}\n" for line in lines),
            tuple(line.origin for line in lines),
            tuple(line.written for line in lines),
            frozenset(expansion.own),
        )


class _Expansion:
    """A shader being assembled from files.

    Attributes:
        own: the overlay's files among them.
    """

    def __init__(self, library: ShaderLibrary) -> None:
        self._library = library
        self.own: set[Path] = set()
        self._seen: set[str] = set()
        self._lines: list[Line] = []
        self._includes = self._length = self._conditions = 0

    def expand(self, name: str) -> list[Line]:
        """Lines of a file and of everything that it includes."""
        path = self._library.find(name)
        if path is None:
            raise ShaderError([Problem(Path(name), None, self._missing(name))])
        self._take(name, path, [])
        return self._lines

    def _take(self, name: str, path: Path, chain: list[str]) -> None:
        chain = [*chain, name]
        self._seen.add(name)
        if path == self._library.own(name):
            self.own.add(path)
        for line in read(path):
            included = line.included
            if included is None:
                self._lines.append(line)
                self._length += len(line.text) + 1
                self._conditions += glsl.nesting(line.code)
                if self._conditions > preprocessor.DEEPEST:
                    self._refuse(line, f"more than {preprocessor.DEEPEST} #if within each other")
                if self._length > macros.LONGEST_TEXT:
                    self._refuse(line, f"longer than {macros.LONGEST_TEXT:,} with what it includes")
                continue
            self._includes += 1
            if self._includes > MOST_INCLUDES:
                self._refuse(line, f"more than {MOST_INCLUDES:,} includes in one shader")
            inner, found = self._resolve(line, included, name)
            if inner in chain:
                self._refuse(line, f"include cycle: {' -> '.join([*chain, inner])}")
            if inner not in self._seen:
                if len(chain) >= DEEPEST:
                    self._refuse(line, f"more than {DEEPEST} files that include each other")
                self._take(inner, found, chain)

    def _resolve(self, line: Line, included: str, includer: str) -> tuple[str, Path]:
        """Name below the folders, and file: beside the including file, else from the top."""
        names = [posixpath.join(posixpath.dirname(includer), included), included]
        names = [n for n in map(posixpath.normpath, names) if n != ".." and not n.startswith("../")]
        absolute = PurePosixPath(included).is_absolute() or PureWindowsPath(included).anchor
        if absolute or not names or "\\" in included:
            wanted = "name a file below the look's folder or shaders/, with / between folders"
            self._refuse(line, f"include {shown(included, 100)}: {wanted}")
        for name in names:
            found = self._library.find(name)
            if found is not None:
                return name, found
        self._refuse(line, self._missing(included))

    def _missing(self, name: str) -> str:
        library = self._library
        folders = ", ".join(shown(f) for f in (library.overlay, library.shipped) if f is not None)
        meant = did_you_mean(name, {*shipped_files(), *library.own_files()})
        return f"shader file {shown(name, 100)} not found in {folders}{meant}"

    @staticmethod
    def _refuse(line: Line, text: str) -> NoReturn:
        raise ShaderError([line.problem(text)])


def _is_taken(path: Path) -> bool:
    """Whether anything is, or may inaccessibly be, in a file's place: even a folder or a broken
    link, as they show that the shipped file is not wanted."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def _namesake(name: str) -> str:
    """The shipped file that a single file of that name replaces."""
    for shipped in shipped_files():
        if shipped.rpartition("/")[2] == name:
            if is_kept(shipped):
                raise UserError(f"look {name}: not part of a look, the program keeps its own")
            return shipped
    meant = did_you_mean(name, shipped_files()) or "; see calf-viz shaders list for names"
    raise UserError(f"look {shown(name)}: replaces nothing{meant}")
