"""Assigning to settings: checked where it stands, or refused with what to do instead.

config.n_agents = 20                                # taken, as it goes with the rest
config.n_agents = 0                                 # UserError, and it stays 20
config.update(trail_length=4, stride=2)             # together, or none of them
training.lr = 1e-3                                  # UserError: take training.changed(lr=...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self, TypeVar

from calf_viz.errors import UserError
from calf_viz.settings import Known, fields_of, known

T = TypeVar("T")


class Assignable(Known):
    """Base of a dataclass of settings whose fields may be assigned.

    At any time its values make sense, each by itself and all together: what an assignment would
    break raises UserError there, and nothing changes.
    """

    _kept: Mapping[str, str] = {}
    """Fields that are not assigned here, with what to do instead."""

    def check(self) -> None:
        """Bring `vars(self)` into the form that the fields are declared with.

        Raises UserError for values that make no sense.
        """
        raise NotImplementedError

    def implied(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes of single fields, with what they change besides."""
        return dict(changes)

    def update(self, /, **changes: Any) -> None:
        """Assign several fields at once, which are checked together: all or none.

        Raises UserError for an unknown name, with the nearest that is known, or a value without
        sense.
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
            raise UserError(  # it is another field's value that went with the old one only
                f"{', '.join(changes)} as assigned does not go with the rest: {error}; assign that "
                "first, or both at once: update(...)"
            ) from error
        vars(self).update(vars(trial))

    def kept(self, reasons: Mapping[str, str]) -> Self:
        """A copy in which some fields cannot be assigned; reasons: what to do instead, by name.
        Copies of the copy are free again."""
        made = object.__new__(type(self))
        vars(made).update(self.__getstate__(), _kept=reasons)
        return made

    def __post_init__(self) -> None:
        self.check()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in fields_of(self) and name not in vars(self):
            vars(self)[name] = value  # by __init__, which checks them all when they are there
        else:
            self.update(**{name: value})

    def __delattr__(self, name: str) -> NoReturn:
        raise UserError(f"{name} cannot be deleted: assign another value")

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in fields_of(self)}


def unassignable(instead: str) -> Callable[[type[T]], type[T]]:
    """Decorator of a frozen dataclass: what is told to those who assign to it all the same.

    instead: what to do, with {name} for the field's.
    """

    def refuse(self: Any, name: str, *value: Any) -> NoReturn:
        known((name,), fields_of(self), f" of {type(self).__name__}")
        raise UserError(f"{name} cannot be assigned here: {instead.format(name=name)}")

    def decorate(kind: type[T]) -> type[T]:
        for method in ("__setattr__", "__delattr__"):
            setattr(kind, method, refuse)
        return kind

    return decorate
