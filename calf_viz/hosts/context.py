"""Who may draw: the thread and the process that made what draws, until it is closed.

An OpenGL context is current in one thread. From another every call would go nowhere, or into a
context of someone else's; in a forked child the driver's own threads are missing, and it waits for
them without end; of a context that was given back nothing may be touched at all. So each class that
draws is `Owned`: what it offers asks first.

    made ──▶ its thread and process: all ──▶ close() ──▶ UserError
               another thread: UserError        └─▶ again: nothing
               a forked child: UserError
"""

from __future__ import annotations

import atexit
import itertools
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import wraps
from inspect import signature
from types import FunctionType
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from calf_viz.errors import UserError

Method = TypeVar("Method", bound=Callable[..., Any])

FORKED = (
    "this process was forked from one that draws, and OpenGL does not survive that: start it by "
    'spawn, as multiprocessing.get_context("spawn") does'
)


class _Here(threading.local):
    """Of each thread its own. (Numbers of threads that ended are given to others.)"""

    def __init__(self) -> None:
        self.token = object()


_here = _Here()
_drawing_process: int | None = None


def _forget_threads() -> None:
    global _here
    _here = _Here()  # so that nothing made before the fork belongs to a thread of the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def forked() -> bool:
    """Whether this process was forked from one in which OpenGL was opened."""
    return _drawing_process not in (None, os.getpid())


def check_process() -> None:
    """Raises UserError in a process that was `forked`: drivers would wait for threads that are not
    there."""
    if forked():
        raise UserError(FORKED)


def opens_context() -> None:
    """Before a context is opened; raises as `check_process`."""
    global _drawing_process
    check_process()
    _drawing_process = os.getpid()


class Owner:
    """The thread that this is made in, until `end`.

    Attributes:
        ended: whether nobody may draw any more.
        thread: stands for the thread that may; None once nobody may.
    """

    def __init__(self, what: str) -> None:
        """what: is owned, in a word. Raises UserError in a process that must not draw."""
        check_process()
        self.what, self.ended = what, False
        self.thread: object = _here.token
        self._made_in, self._process = threading.current_thread(), os.getpid()

    def check(self, wanted: str) -> None:
        """Raises UserError where the caller may not draw. wanted: what it would do, in a word."""
        if self.thread is not _here.token:
            raise UserError(self._refusal(wanted))

    def _refusal(self, wanted: str) -> str:
        if self.ended:
            return f"{wanted}: this {self.what} is closed: make another"
        if os.getpid() != self._process:
            return f"{wanted}: {FORKED}, and make another {self.what} there"
        there, here = self._made_in.name, threading.current_thread().name
        return (
            f"{wanted}: the {self.what} was made in the thread {there!r}, which alone may use it, "
            f"and this is {here!r}: call it there"
        )

    def check_beside(self) -> None:
        """Raises UserError where the caller is of another thread, in which nothing of the kind may
        be as long as this one lives and is not closed."""
        if self.thread not in (None, _here.token) and self._made_in.is_alive():
            raise UserError(
                f"the thread {self._made_in.name!r} draws, and one thread of a process can: open "
                f"it there, or close the {self.what} first"
            )

    def end(self) -> None:
        """From now on nobody may draw."""
        self.ended, self.thread = True, None


def unowned(method: Method) -> Method:
    """A method, or a property's getter, that anybody may use at any time, closed or not: it
    touches nothing of OpenGL's, directly or through what it calls."""
    method.unowned = True  # type: ignore[attr-defined]
    return method


_numbers = itertools.count()
_living: WeakValueDictionary[int, Owned] = WeakValueDictionary()


def _close_all() -> None:
    """What its program left open is closed before Panda goes, which would do it in any order."""
    for _, owned in sorted(_living.items(), reverse=True):
        with suppress(UserError):  # another thread's
            owned.close()


def close_first() -> None:
    """When the process ends, what is left open is closed before anything else: before what Panda
    has registered for that end until now, such as taking its application apart."""
    atexit.unregister(_close_all)
    atexit.register(_close_all)


close_first()


class Owned:
    """What only its owner may use, and only until it is closed.

    All public methods and properties of subclasses ask the owner first, those that come later
    too, but for those marked `unowned`. What a constructor opens it gives to `closing`, so that it
    is given back by `close`, the last first; and where the constructor raises, whatever that is.

    Attributes:
        owner: who may use it.
        closing: what `close` has to do.
    """

    KIND = "object"
    """What to call it in messages."""
    owner: Owner
    closing: ExitStack

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self.owner, self.closing = Owner(cls.KIND), ExitStack()
        _living[next(_numbers)] = self
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if name == "__init__":
                setattr(cls, name, _releasing(member))
            elif name.startswith("_"):
                continue
            elif isinstance(member, FunctionType):
                setattr(cls, name, _asking(member, name))
            elif isinstance(member, property):
                parts = (member.fget, member.fset, member.fdel)
                setattr(cls, name, property(*(p and _asking(p, name) for p in parts)))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Of a copy, by `copy` or by pickle, the owner would be the same: closing one would end
        both."""
        raise UserError(f"the {self.KIND} cannot be copied: make another")

    @unowned
    def close(self) -> None:
        """Give back all that it holds; a second time, nothing happens.

        Raises UserError in another thread than it was made in.
        """
        if not self.owner.ended:
            self.owner.check("close")
            try:
                self.closing.close()
            finally:
                self.owner.end()


def _asking(method: Any, name: str) -> Any:
    if getattr(method, "unowned", False):
        return method

    # Each frame asks some ten times; `check` would cost twice as much, as would room for arguments.
    def asked_alone(self: Owned) -> Any:
        if self.owner.thread is not _here.token:
            self.owner.check(name)
        return method(self)

    def asked(self: Owned, *args: Any, **kwargs: Any) -> Any:
        if self.owner.thread is not _here.token:
            self.owner.check(name)
        return method(self, *args, **kwargs)

    return wraps(method)(asked_alone if len(signature(method).parameters) == 1 else asked)


def _releasing(constructor: Any) -> Any:
    @wraps(constructor)
    def constructed(self: Owned, *args: Any, **kwargs: Any) -> None:
        try:
            constructor(self, *args, **kwargs)
        except BaseException:
            self.close()
            raise

    return constructed
