"""Applies a look to what draws it: background, colour map and control values from `look.toml`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.files import exists
from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.problems import MOST
from calf_viz.glsl.programs import Programs, ProgramSource
from calf_viz.glsl.shipped_shaders import LOOKS, shader_folder
from calf_viz.scene.colours import ColourMap, colour_map
from calf_viz.scene.theme import DARK, Theme
from calf_viz.workbench.look_file import Look, look_file, read_look, save_values

log = logging.getLogger("calf_viz")


class LookTarget(Protocol):
    """A host, or a second look beside its own."""

    programs: Programs
    controls: ControlValues
    background: tuple[float, float, float]

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None: ...
    def adopt(self, sources: Mapping[str, ProgramSource]) -> bool: ...
    def revert(self) -> None: ...


class AppliedLook:
    """Keeps a target as its look's file describes. Raises ShaderError for an unreadable file."""

    def __init__(
        self, target: LookTarget, chosen: ColourMap | None = None, theme: Theme = DARK
    ) -> None:
        """chosen: the user's colour map, used instead of the look's. theme: that of the target, for
        what the look leaves out."""
        self.target, self.chosen, self._theme = target, chosen, theme
        library = target.programs.library
        self.path = look_file(library.overlay)
        self._look = Look()
        self._taken: dict[str, str] = {}
        """The text of each value when the file was last applied."""
        self.refresh()

    def refresh(self) -> bool:
        """Apply the file as it is now, all of it, or nothing if any of it is wrong; returns whether
        anything changed. Values unchanged in the file are not applied again, as they may have been
        changed by hand since; those of controls that do not exist yet are applied later."""
        look, before = read_look(self.path), self._look
        news = {n: text for n, text in look.values.items() if text != self._taken.get(n)}
        values = look.parsed(self.target.controls.controls, news)
        strange = [n for n in news if n not in values and n not in before.values]  # warn once
        for name in strange[:MOST]:
            log.warning("%s: %s is not a control of these shaders", self.path, shown(name))
        if look == before and not values:
            return False
        self._taken = {name: text for name, text in self._taken.items() if name in look.values}
        for name, value in values.items():
            self._taken[name] = news[name]
            self.target.controls.set(name, value)
        self._look = look
        self.target.background = look.background or self._theme.background
        if look.colour_map != before.colour_map and self.chosen is None:
            self._colour()
        return True

    def _colour(self) -> None:
        chosen = self.chosen or self._look.colour_map or self._theme.colour_map
        self.target.set_colour_map(colour_map(chosen))

    def use_theme(self, theme: Theme) -> None:
        """Use another theme for what the look leaves out, and the scene's new colours of modes."""
        self._theme = theme
        self.target.background = self._look.background or theme.background
        self._colour()

    @property
    def shows_chosen(self) -> bool:
        """Whether it is about the chosen agent."""
        by_certificate = self.target.programs.trail_colour == "BY_CERTIFICATE"
        return self._look.chosen is True or by_certificate

    def set(self, assignment: str) -> None:
        """Set a control by NAME=VALUE. Raises UserError if it cannot be set."""
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UserError(f"{assignment}: write NAME=VALUE")
        self.target.controls.set_text(name.strip(), value)

    def save(self) -> None:
        """Write the control values beside the shaders. Raises UserError if that fails, or if the
        look is gone: a folder with values alone would hide it when it comes back."""
        overlay = self.target.programs.library.overlay
        if self.path is None or overlay is None:
            raise UserError("values are saved beside the shaders of a look: give `shaders`")
        if overlay.parent == shader_folder() / LOOKS:
            raise UserError(
                f"{overlay.name} is shipped, so not written to: "
                f"calf-viz shaders new my_{overlay.name} --from {overlay.name}"
            )
        if not exists(overlay):
            raise UserError(f"{shown(overlay)} is gone: values are saved when it is back")
        save_values(self.path, self.target.controls)
        # What was written need not be applied.
        self._look = read_look(self.path)
        self._taken.update(self._look.values)


def set_controls(
    assignments: Iterable[str], first: AppliedLook, second: AppliedLook | None
) -> None:
    """Apply `--set` assignments: NAME=VALUE, or b:NAME=VALUE for the second look. Raises
    UserError."""
    for text in assignments:
        which, colon, rest = text.partition(":")
        marked = colon and which in ("a", "b")
        look = second if marked and which == "b" else first
        if look is None:
            raise UserError(f"`set` {text}: there is no look B: give `ab` as well")
        try:
            look.set(rest if marked else text)
        except UserError as error:
            raise UserError(f"`set` {which + colon if marked else ''}{error}") from None
