"""Ownership of drawing objects: only their own thread and process may use them, until closed.

An OpenGL context is current in one thread. From another, calls would have no effect, or affect
another context; in a forked child the driver's own threads are missing, and it waits for them
forever; a released context must not be touched. So each class that draws is `Owned`: its public
methods check first.

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
    """Identifies a thread, unlike its id, which is reused after its end."""

    def __init__(self) -> None:
        self.token = object()


_here = _Here()
_drawing_process: int | None = None


def _forget_threads() -> None:
    global _here
    _here = _Here()  # renewed in a forked child, so that nothing made before belongs to its threads


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def forked() -> bool:
    """Whether this process was forked from one in which OpenGL was opened."""
    return _drawing_process not in (None, os.getpid())


def check_process() -> None:
    """Raise UserError in a process that was `forked`: drivers would wait for missing threads."""
    if forked():
        raise UserError(FORKED)


def opens_context() -> None:
    """Called before a context is opened; raises as `check_process`."""
    global _drawing_process
    check_process()
    _drawing_process = os.getpid()


class Owner:
    """Represents the thread that creates it, until `end`.

    Attributes:
        ended: whether ownership has ended.
        thread: identifies the owning thread; None once ended.
    """

    def __init__(self, what: str) -> None:
        """what: name of the owned kind of object. Raises UserError in a process that must not
        draw."""
        check_process()
        self.what, self.ended = what, False
        self.thread: object = _here.token
        self._made_in, self._process = threading.current_thread(), os.getpid()

    def check(self, wanted: str) -> None:
        """Raise UserError if the caller may not draw. wanted: name of what it attempts."""
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
        """Raise UserError if called from another thread, where nothing of the kind may exist until
        this one is closed."""
        if self.thread not in (None, _here.token) and self._made_in.is_alive():
            raise UserError(
                f"the thread {self._made_in.name!r} draws, and one thread of a process can: open "
                f"it there, or close the {self.what} first"
            )

    def end(self) -> None:
        """End ownership: nobody may draw any more."""
        self.ended, self.thread = True, None


def unowned(method: Method) -> Method:
    """Mark a method, or a property's getter, as usable by anyone at any time, closed or not: it
    does not touch OpenGL, directly or indirectly."""
    method.unowned = True  # type: ignore[attr-defined]
    return method


_numbers = itertools.count()
_living: WeakValueDictionary[int, Owned] = WeakValueDictionary()


def _close_all() -> None:
    """Close what the program left open before Panda shuts down, which would use any order."""
    for _, owned in sorted(_living.items(), reverse=True):
        with suppress(UserError):  # owned by another thread
            owned.close()


def close_first() -> None:
    """Make sure that at exit, open objects are closed before anything that Panda has registered so
    far, such as dismantling its application."""
    atexit.unregister(_close_all)
    atexit.register(_close_all)


close_first()


class Owned:
    """An object that only its owner may use, and only until it is closed.

    All public methods and properties of subclasses, including later additions, check the owner
    first, except those marked `unowned`. A constructor registers what it opens with `closing`, so
    that `close` releases it in reverse order, as does any exception in the constructor.

    Attributes:
        owner: who may use it.
        closing: what `close` does.
    """

    KIND = "object"
    """Its name in messages."""
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
                setattr(cls, name, _checking(member, name))
            elif isinstance(member, property):
                parts = (member.fget, member.fset, member.fdel)
                setattr(cls, name, property(*(p and _checking(p, name) for p in parts)))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse `copy` and pickle: a copy would have the same owner, and closing one would end
        both."""
        raise UserError(f"the {self.KIND} cannot be copied: make another")

    @unowned
    def close(self) -> None:
        """Release everything; does nothing when called again.

        Raises UserError in any other thread than the one that made it.
        """
        if not self.owner.ended:
            self.owner.check("close")
            try:
                self.closing.close()
            finally:
                self.owner.end()


def _checking(method: Any, name: str) -> Any:
    if getattr(method, "unowned", False):
        return method

    # Called some ten times per frame; `check` would cost twice as much, as would extra arguments.
    def checked_alone(self: Owned) -> Any:
        if self.owner.thread is not _here.token:
            self.owner.check(name)
        return method(self)

    def checked(self: Owned, *args: Any, **kwargs: Any) -> Any:
        if self.owner.thread is not _here.token:
            self.owner.check(name)
        return method(self, *args, **kwargs)

    return wraps(method)(checked_alone if len(signature(method).parameters) == 1 else checked)


def _releasing(constructor: Any) -> Any:
    @wraps(constructor)
    def constructed(self: Owned, *args: Any, **kwargs: Any) -> None:
        try:
            constructor(self, *args, **kwargs)
        except BaseException:
            self.close()
            raise

    return constructed
