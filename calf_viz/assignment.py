"""Assigning to settings: checked at once, or refused with advice.

config.n_agents = 20                                # accepted, as it fits the rest
config.n_agents = 0                                 # UserError, and it stays 20
config.update(trail_length=4, stride=2)             # both or neither
training.lr = 1e-3                                  # UserError: use training.changed(lr=...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self, TypeVar

from calf_viz.errors import UserError
from calf_viz.settings import Known, fields_of, known

T = TypeVar("T")


class Assignable(Known):
    """Base of a dataclass of settings whose fields may be assigned.

    Its values are always valid, individually and together: an assignment that would violate this
    raises UserError and changes nothing.
    """

    _kept: Mapping[str, str] = {}
    """Fields that cannot be assigned here, with what to do instead."""

    def check(self) -> None:
        """Convert `vars(self)` to the declared types of the fields.

        Raises UserError for invalid values.
        """
        raise NotImplementedError

    def implied(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The given changes, plus the other fields that they change."""
        return dict(changes)

    def update(self, /, **changes: Any) -> None:
        """Assign several fields at once, checked together: all or none.

        Raises UserError for an unknown name, suggesting the closest one, or an invalid value.
        """
        known(changes, fields_of(self), f" of {self.kind}")
        for name in changes:
            if name in self._kept:
                raise UserError(f"{name} cannot be assigned here: {self._kept[name]}")
        trial = object.__new__(type(self))
        vars(trial).update(vars(self), **self.implied(changes))
        try:
            trial.check()
        except UserError as error:
            if any(name in str(error) for name in changes):
                raise
            raise UserError(  # another field's value is valid only with the old one
                f"{', '.join(changes)} as assigned does not go with the rest: {error}; assign that "
                "first, or both at once: update(...)"
            ) from error
        vars(self).update(vars(trial))

    def kept(self, reasons: Mapping[str, str]) -> Self:
        """A copy in which some fields cannot be assigned; `reasons` says what to do instead, by
        name. Copies of the copy are not restricted."""
        made = object.__new__(type(self))
        vars(made).update(self.__getstate__(), _kept=reasons)
        return made

    def __post_init__(self) -> None:
        self.check()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in fields_of(self) and name not in vars(self):
            vars(self)[name] = value  # called by __init__, which checks all fields at the end
        else:
            self.update(**{name: value})

    def __delattr__(self, name: str) -> NoReturn:
        raise UserError(f"{name} cannot be deleted: assign another value")

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in fields_of(self)}


def unassignable(instead: str) -> Callable[[type[T]], type[T]]:
    """Decorator for a frozen dataclass: an assignment raises UserError with advice.

    instead: what to do, with {name} for the field's name.
    """

    def refuse(self: Any, name: str, *value: Any) -> NoReturn:
        known((name,), fields_of(self), f" of {type(self).__name__}")
        raise UserError(f"{name} cannot be assigned here: {instead.format(name=name)}")

    def decorate(kind: type[T]) -> type[T]:
        for method in ("__setattr__", "__delattr__"):
            setattr(kind, method, refuse)
        return kind

    return decorate
