"""What wears a look: background, colour map and controls' values follow `look.toml`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.hosts.programs import Programs
from calf_viz.render.colours import COLOUR_MAP, ColourMap, colour_map
from calf_viz.render.controls import ControlValues, Value
from calf_viz.render.look import Look, look_file, problem_at, read_look, save_values
from calf_viz.render.problems import ShaderError

log = logging.getLogger("calf_viz")


class Wearer(Protocol):
    """A host, or a second look beside its own."""

    programs: Programs
    controls: ControlValues
    background: tuple[float, float, float]

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None: ...
    def reload(self) -> bool: ...
    def revert(self) -> None: ...


class WornLook:
    """What the look's file asks of its wearer. Raises ShaderError for one that cannot be read."""

    def __init__(self, wearer: Wearer, chosen: ColourMap | None = None) -> None:
        """chosen: a colour map that its user prefers to the look's."""
        self.wearer, self.chosen = wearer, chosen
        self.path = look_file(wearer.programs.library.overlay)
        self._background = wearer.background
        self._look = Look()
        self._taken: dict[str, str] = {}
        """Values' texts, as the file last gave them."""
        self.refresh()

    def refresh(self) -> bool:
        """Follow the file as it is now, all of it or, where some of it is wrong, nothing; whether
        anything changed. Values that stand there as they stood are left alone, as they may have
        been changed by hand since; those of controls that come later are taken then."""
        look, before = read_look(self.path), self._look
        values = self._news(look.values)
        if look == before and not values:
            return False
        self._taken = {name: text for name, text in self._taken.items() if name in look.values}
        for name, (text, value) in values.items():
            self._taken[name] = text
            self.wearer.controls.set(name, value)
        self._look = look
        self.wearer.background = look.background or self._background
        if look.colour_map != before.colour_map and self.chosen is None:
            self.wearer.set_colour_map(colour_map(look.colour_map or COLOUR_MAP))
        return True

    def _news(self, texts: Mapping[str, str]) -> dict[str, tuple[str, Value]]:
        """Texts and values of those that say something else than what was taken last."""
        controls, found, problems = self.wearer.controls.controls, {}, []
        for name, text in texts.items():
            if name not in controls:
                if name not in self._look.values:  # told once
                    log.warning("%s: %s is no control of these shaders", self.path, name)
            elif text != self._taken.get(name):
                try:
                    found[name] = text, controls[name].parse(text)
                except ValueError as error:
                    assert self.path is not None
                    problems.append(problem_at(self.path, name, f"{name} = {error}"))
        if problems:
            raise ShaderError(problems)
        return found

    def set(self, assignments: Iterable[str]) -> None:
        """Set controls by NAME=VALUE. Raises UserError for one that cannot be."""
        for text in assignments:
            name, equals, value = text.partition("=")
            if not equals:
                raise UserError(f"--set {text}: write NAME=VALUE")
            self.wearer.controls.set_text(name.strip(), value)

    def save(self) -> None:
        """Write the controls' values beside the shaders. Raises UserError where it cannot: where
        the look is gone, a folder with values alone would hide it when it comes back."""
        overlay = self.wearer.programs.library.overlay
        if self.path is None or overlay is None:
            raise UserError("values are saved beside the shaders of a look: give --shaders")
        if not overlay.exists():
            raise UserError(f"{overlay} is gone: values are saved when it is back")
        save_values(self.path, self.wearer.controls)
        # What was written is not news.
        self._look = read_look(self.path)
        self._taken.update(self._look.values)
        log.info("%s written", self.path)
