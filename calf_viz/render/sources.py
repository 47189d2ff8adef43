"""Shader sources: found, overlaid, and expanded from `#include "file"`.

An overlay folder replaces single files by name and inherits the rest. The expansion keeps a table
from expanded line to (file, line), so that a compiler's message can be told in the user's file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from calf_viz.errors import UserError

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


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


@dataclass(frozen=True)
class Source:
    """An expanded shader: its text, and for each of its lines the (file, line) it came from."""

    text: str
    origins: tuple[tuple[Path, int], ...]

    def origin(self, line: int) -> tuple[Path, int]:
        """(file, line) of an expanded line, both counted from 1."""
        return self.origins[min(max(line, 1), len(self.origins)) - 1]


class ShaderLibrary:
    """The shader files in force: an overlay's first, the shipped ones otherwise.

    Raises UserError for an overlay that is not a folder, and from `load` for files that are
    missing, not UTF-8, or include each other in a circle, naming the file and line.
    """

    def __init__(self, overlay: Path | None = None) -> None:
        if overlay is not None and not overlay.is_dir():
            raise UserError(f"--shaders {overlay}: not a folder")
        self.folders = [folder for folder in (overlay, shader_folder()) if folder is not None]

    def find(self, name: str) -> Path | None:
        """The file in force for a name such as `lib/ring.glsl`, or None."""
        return next((f / name for f in self.folders if (f / name).is_file()), None)

    def load(self, name: str) -> Source:
        """The file with every include expanded, each at most once."""
        lines: list[str] = []
        origins: list[tuple[Path, int]] = []
        self._expand(name, None, [], set(), lines, origins)
        return Source("\n".join(lines) + "\n", tuple(origins))

    def _expand(
        self,
        name: str,
        included_from: tuple[Path, int] | None,
        stack: list[str],
        seen: set[str],
        lines: list[str],
        origins: list[tuple[Path, int]],
    ) -> None:
        at = f"{included_from[0]}:{included_from[1]}: " if included_from else ""
        if name in stack:
            raise UserError(f"{at}include cycle: {' -> '.join([*stack, name])}")
        if name in seen:
            return
        seen.add(name)
        path = self.find(name)
        if path is None:
            folders = ", ".join(str(folder) for folder in self.folders)
            raise UserError(f"{at}shader file {name} not found in {folders}")
        try:
            text = path.read_text(encoding="utf-8-sig")  # editors on Windows write a mark
        except UnicodeDecodeError as error:
            raise UserError(f"{at}{path}: not UTF-8 (byte {error.start})") from None
        except OSError as error:
            raise UserError(f"{at}{path}: {error.strerror}") from None
        for number, line in enumerate(text.splitlines(), start=1):
            match = _INCLUDE.match(line)
            if match:
                self._expand(match[1], (path, number), [*stack, name], seen, lines, origins)
            else:
                lines.append(line)
                origins.append((path, number))


# Mesa: "0:12(5): error: ..."; NVIDIA: "0(12) : error C1008: ..."; others: "ERROR: 0:12: ...".
_MESSAGE = re.compile(
    r"(?:^|\s)[\w./-]*?:?(?:0:(\d+)\(\d+\)|0\((\d+)\)|(?:ERROR: )?0:(\d+)|:(\d+)\(\d+\))"
    r"\s*:\s*(.*)"
)


def explain(log: str, source: Source) -> str:
    """A compiler's first error as `file:line: message`, in the files it came from."""
    for line in log.splitlines():
        match = _MESSAGE.search(line)
        if match and "error" in line.lower():
            number = int(next(group for group in match.groups()[:4] if group))
            path, own = source.origin(number)
            return f"{path}:{own}: {match[5].strip()}"
    first = next((line.strip() for line in log.splitlines() if "error" in line.lower()), "")
    return f"{source.origins[0][0]}: {first or log.strip() or 'does not compile'}"
