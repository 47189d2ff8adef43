"""Annotated uniforms: the controls that comments after uniforms declare, and their values.

    uniform float u_glow;    // @slider 0..4 step 0.1 = 1 "glow"
    uniform bool  u_grid;    // @toggle = on "grid"
    uniform int   u_pattern; // @choice dots|lines|none = lines
    uniform vec3  u_ink;     // @color = #203040 "ink"

    annotation = "@" (slider | toggle | choice | color) ["=" default] [label in quotes]
    slider     = "slider" low ".." high ["step" step]       for a float or an int
    toggle     = "toggle"                                   for a bool or an int; on, off
    choice     = "choice" word {"|" word}                   for an int, counted from 0
    color      = "color" | "colour"                         for a vec3; #rrggbb

Steps are counted from the low end. The default is the low end, off, the first word or white unless
given, the label the uniform's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from calf_viz.errors import UserError, shown

Value = float | int | tuple[float, float, float]
"""A float or an int; for a colour, red, green and blue in [0, 1]."""

MARK = re.compile(r"//\s*@")
"""Start of an annotation, after a uniform."""

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_ANNOTATION = re.compile(r"//\s*@(\w+)([^\"=]*)(?:=([^\"]*))?(?:\"([^\"]*)\"\s*)?$")
_SLIDER = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})(?:\s+step\s+({_NUMBER}))?")
_WORDS = re.compile(r"[\w-]+(?:\s*\|\s*[\w-]+)*")
_TYPES = {
    "slider": ("float", "int"),
    "toggle": ("bool", "int"),
    "choice": ("int",),
    "color": ("vec3",),
}
_LARGEST = {"float": 3.4028234e38, "int": 2**31 - 1}
"""Largest number of each GLSL type."""
_FINEST = 1e-9
"""Finest step as a fraction of the range; whole numbers excepted."""
_LONGEST = 500
"""Maximum characters of an annotation."""
_RESERVED = ("gl_", "p3d_", "osg_", "trans_", "wspos_", "vspos_", "cspos_", "mspos_")
"""Prefixes of names to which OpenGL or Panda3D gives a meaning of its own."""
_SWITCH = {"on": 1, "true": 1, "1": 1, "off": 0, "false": 0, "0": 0}


@dataclass(frozen=True)
class Control:
    """A uniform that the user may change while the program runs."""

    name: str
    type: str
    """The uniform's GLSL type."""
    kind: str
    """slider, toggle, choice or color."""
    label: str
    default: Value
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    """Step of a slider; 0: continuous."""
    words: tuple[str, ...] = ()
    """Words of a choice."""

    def parse(self, text: str) -> Value:
        """The value that a text gives, as in annotations and `--set`. Raises ValueError if none."""
        text = text.strip()
        if self.kind == "toggle" and text.lower() in _SWITCH:
            return _SWITCH[text.lower()]
        if self.kind == "choice" and text in self.words:
            return self.words.index(text)
        if self.kind == "color" and re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
            return red, green, blue
        if self.kind == "slider" and re.fullmatch(_NUMBER, text):
            number = float(text)
            whole = self.type != "int" or number.is_integer()
            if self.low <= number <= self.high and whole:
                return self.nearest(number)
        raise ValueError(f"{shown(text) or 'nothing'} does not fit: give {self.wanted}")

    def text(self, value: Value) -> str:
        """A value's text, as `parse` reads it."""
        if isinstance(value, tuple):
            return "#" + "".join(f"{round(255 * part):02x}" for part in value)
        if self.kind == "toggle":
            return "on" if value else "off"
        if self.kind == "choice":
            return self.words[int(value)]
        # For people: a few digits; as many as the ends need, so as not to be rounded out of range.
        short = f"{value:.6g}"
        if self.type == "int":
            return str(value)
        return short if self.low <= float(short) <= self.high else repr(float(value))

    @property
    def wanted(self) -> str:
        """The allowed values, in words."""
        if self.kind == "slider":
            number = "whole number" if self.type == "int" else "number"
            return f"a {number} from {self.low:.10g} to {self.high:.10g}"
        return {"toggle": "on or off", "color": "a colour such as #ff8800"}.get(
            self.kind, " or ".join(self.words)
        )

    def nearest(self, number: float) -> float | int:
        """The slider's value nearest to a number."""
        if self.step > 0.0:
            number = self.low + self.step * round((number - self.low) / self.step)
            number = float(f"{number:.12g}")  # 0.3, not 0.30000000000000004
        number = min(max(number, self.low), self.high)
        return round(number) if self.type == "int" else float(number)

    def fits(self, value: Value) -> bool:
        """Whether a value is one of this control's; for a slider, within its range."""
        try:
            self.parse(self.text(value))
        except (ValueError, IndexError, TypeError):
            return False
        return True


def read_annotation(type_: str, name: str, comment: str) -> Control:
    """The control that a comment after a uniform declares; the comment begins with `//` and `@`.

    Raises ValueError, with a message for the user, if it cannot be read.
    """
    if name.startswith(_RESERVED) or "__" in name:
        raise ValueError(f"{name} is a name reserved by the system: choose another")
    if len(comment) > _LONGEST:
        raise ValueError(f"has {len(comment):,} characters: an annotation has at most {_LONGEST}")
    match = _ANNOTATION.match(comment.strip())
    if match is None:
        raise ValueError('cannot be read: write // @kind ... = default "label"')
    kind, rest = match[1].replace("colour", "color"), match[2].strip()
    if kind not in _TYPES:
        raise ValueError(f"@{shown(match[1])} is unknown: choose one of @{', @'.join(_TYPES)}")
    if type_ not in _TYPES[kind]:
        raise ValueError(f"@{kind} is for {' or '.join(_TYPES[kind])}, {name} is a {type_}")
    label = (match[4] or "").strip() or name.removeprefix("u_").replace("_", " ")
    low, high, step = 0.0, 1.0, 0.0
    words: tuple[str, ...] = ()
    start: Value = 0
    if kind == "slider":
        low, high, step = _slider(type_, name, rest)
        start = round(low) if type_ == "int" else low
    elif kind == "choice":
        if not _WORDS.fullmatch(rest):
            raise ValueError("@choice takes words: @choice dots|lines")
        words = tuple(word.strip() for word in rest.split("|"))
        if len(set(words)) < len(words):
            raise ValueError("@choice has the same word twice")
    elif rest:
        raise ValueError(f"@{kind} does not take '{rest}'")
    elif kind == "color":
        start = (1.0, 1.0, 1.0)
    control = Control(name, type_, kind, label, start, low, high, step, words)
    if match[3] is None:
        return control
    return replace(control, default=control.parse(match[3]))


def _slider(type_: str, name: str, rest: str) -> tuple[float, float, float]:
    match = _SLIDER.fullmatch(rest)
    if match is None:
        raise ValueError("@slider takes a range: @slider 0..1, @slider 0..1 step 0.1")
    low, high, step = (float(text or 0) for text in match.groups())
    if not low < high:
        raise ValueError(f"@slider: {match[1]}..{match[2]} is not a range")
    largest = _LARGEST[type_]
    if max(-low, high) > largest:
        raise ValueError(
            f"@slider: {match[1]}..{match[2]} is beyond GLSL's {type_}s, of at most {largest:.10g}"
        )
    if type_ == "int":
        if not all(x.is_integer() for x in (low, high, step)):
            raise ValueError(f"{name} is an int: give whole numbers")
    elif np.float32(low) == np.float32(high):
        raise ValueError(
            f"@slider: {match[1]}..{match[2]} is one number to GLSL, which has 7 digits"
        )
    if not 0.0 <= step <= high - low:
        raise ValueError(f"@slider: step {match[3]} does not fit the range")
    if match[3] and (step == 0.0 or (type_ != "int" and step < _FINEST * (high - low))):
        raise ValueError(f"@slider: step {match[3]} is too fine: leave it out")
    return low, high, step


class ControlValues:
    """The current controls and their values, which are kept while shaders are replaced.

    Attributes:
        controls: by the uniform's name, in order of declaration.
        values: of the uniforms, by name.
        changes: number of changes so far.
    """

    def __init__(self) -> None:
        self.controls: dict[str, Control] = {}
        self.values: dict[str, Value] = {}
        self.changes = 0
        self._set: dict[tuple[str, str, str], Value] = {}

    def adopt(self, controls: Mapping[str, Control]) -> None:
        """Replace the controls: one whose name, type and kind match one that was set keeps its
        value, rounded to a step, if it fits. The others start at their default, as a new default
        in the source is meant to be seen."""
        if self.controls == dict(controls):
            return
        self.controls = dict(controls)
        self.values = {}
        for name, control in self.controls.items():
            kept = self._set.get(_key(control), control.default)
            if not control.fits(kept):
                kept = control.default
            elif control.kind == "slider" and not isinstance(kept, tuple):
                kept = control.nearest(kept)
            self.values[name] = kept
        self.changes += 1

    def set(self, name: str, value: Value) -> None:
        """Set an existing control."""
        self._set[_key(self.controls[name])] = value
        if self.values[name] != value:
            self.values[name] = value
            self.changes += 1

    def set_text(self, name: str, text: str) -> None:
        """Set a control from text. Raises UserError if it is unknown or the value does not fit."""
        control = self.controls.get(name)
        if control is None:
            known = ", ".join(self.controls) or "none"
            raise UserError(f"{name} is not a control of these shaders: they have {known}")
        try:
            self.set(name, control.parse(text))
        except ValueError as error:
            raise UserError(f"{name} = {error}") from None


def _key(control: Control) -> tuple[str, str, str]:
    return control.name, control.type, control.kind
