"""The scene in a window: Panda3D under Ursina, with an orbit camera."""

from __future__ import annotations

import io
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.hosts.context import close_first, unowned
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.geometry import GeometryMaker
from calf_viz.hosts.panda.host import PandaHost
from calf_viz.hosts.panda.mouse import OrbitControls
from calf_viz.hosts.panda.notices import held_notices, without_category
from calf_viz.hosts.panda.opening import beside_others, opening_window, window_context
from calf_viz.hosts.panda.settings import settings
from calf_viz.hosts.panda.strip import StripGeometry
from calf_viz.hosts.picking import Asked
from calf_viz.hosts.setup import Setup
from calf_viz.hud.keys import KEYS
from calf_viz.pace import Pace
from calf_viz.scene.camera import OrbitCamera

_opened: list[Any] = []
"""Ursina's application, once there has been a window."""
UNSEEN_RATE = 60.0
"""Frames per second while the window is minimised: nothing is drawn and no display limits the rate,
but the simulation should go on at about the same speed."""
SETTINGS = (
    "gl-version 3 3",
    "gl-max-errors 1000000000",
    "audio-library-name null",
    "print-pipe-types 0",
    # Do not report missing input devices.
    "notify-level-device fatal",
    "notify-level-pnmimage error",
    "notify-level-ShowBase error",  # its warnings are reported below
)


class WindowHost(PandaHost):
    """Draws into a window; only one at a time, as Ursina has one application per process.

    Raises UserError if no window with OpenGL 3.3 can be opened, or another one is open.

    Attributes:
        pace, sleep: limit the frame rate while it is minimised or otherwise off the screen.
    """

    has_window = True

    def __init__(
        self, setup: Setup, geometry: GeometryMaker = StripGeometry, vsync: bool = True
    ) -> None:
        """As `PandaHost`. vsync: wait for the display before each frame."""
        with beside_others():
            self.app = app = _open_window(setup.scene.size, vsync, self.closing)
            buffer = window_context(app.win)
            if buffer is None:
                raise UserError("the window's driver gives no framebuffers: use `headless=True`")
            context = PandaContext(buffer)
            context.steady = False
            self.closing.callback(context.close)
        _without_keys(app)
        self._closed = self.unseen = False
        self.pace, self.sleep = Pace(), time.sleep
        super().__init__(setup, context, app.win, app.render, geometry)
        self._line_held = False
        self._from_above: OrbitCamera | None = None
        self.mouse = OrbitControls(app, setup.scene, self._captured, self)
        self.closing.callback(app.ignore_all)
        app.accept("window-event", self._on_window_event)
        self.bind_keys({})
        self._ready()

    def bind_keys(self, actions: Mapping[str, Callable[[], Any]]) -> set[str]:
        camera = self.scene.camera
        actions = {
            "reset_view": camera.reset,
            "top_view": self._look_from_above,
            **actions,
            "quit": self._close_window,
        }
        for key in KEYS:
            for event in key.events if key.action in actions else ():
                self.app.accept(event, actions[key.action])
        let_go = actions.get("let_go")
        if let_go is not None:  # before it closes the window
            self.app.accept("escape", lambda: None if let_go() else self._close_window())
        return set(actions)

    def _look_from_above(self) -> None:
        """Show the whole plane, clear of the line of keys, so that its ticks are visible."""
        camera, (width, height) = self.scene.camera, self.scene.size
        foot = self.hud.foot() / height if self.hud is not None else 0.0
        camera.top_view(width / height, foot)
        self._from_above = replace(camera)

    def _captured(self, x: float, y: float) -> bool:
        over_panel = self.hud is not None and self.hud.hit(x, y) is not None
        return over_panel or self._over_line(x)

    def _over_line(self, x: float) -> bool:
        return self.compare is not None and self.compare.view.near(x, self.scene.size[0])

    # As `Panels`: receives the mouse where the camera does not, and where it points.

    def press(self, x: float, y: float) -> None:
        """The mouse went down on a panel, or on the line between two looks."""
        over_panel = self.hud is not None and self.hud.hit(x, y) is not None
        self._line_held = not over_panel and self._over_line(x)
        if self.hud is not None:
            self.hud.press(x, y)

    def drag(self, x: float, y: float) -> None:
        """The mouse moved, still down."""
        if self._line_held and self.compare is not None:
            self.compare.view.move(x, self.scene.size[0])
        elif self.hud is not None:
            self.hud.drag(x, y)

    def release(self) -> None:
        """The mouse was released."""
        self._line_held = False
        if self.hud is not None:
            self.hud.release()

    def hover(self, x: float, y: float) -> None:
        """The mouse moved over the scene."""
        self.picks.ask(Asked(x, y))

    def leave(self) -> None:
        """The mouse is no longer over the scene."""
        self.picks.leave()

    def click(self, x: float, y: float) -> None:
        """The mouse was clicked on the scene."""
        self.picks.ask(Asked(x, y, click=True))

    def _on_window_event(self, window: Any) -> None:
        if window != self.output:  # each event brings a wrapper of its own
            return
        properties = self.output.get_properties()
        if properties.get_open():
            width, height = properties.get_x_size(), properties.get_y_size()
            # Some systems report no size for a minimised window: it keeps its last one.
            self.unseen = properties.get_minimized() or min(width, height) < 1
            if not self.unseen:
                self.scene.size = width, height

    def _close_window(self) -> None:
        self._closed = True

    @property
    @unowned
    def closed(self) -> bool:
        """Whether it was closed, or the window by the user."""
        return self._closed or self.owner.ended or self.output.is_closed()

    def _render(self) -> None:
        with self.profiler.section("input"):
            self.mouse.update()
            if self.scene.camera == self._from_above:  # until it is moved, whatever the size
                self._look_from_above()
        while self.unseen and (wait := self.pace.wait(UNSEEN_RATE)):
            self.sleep(wait)
        # Run Ursina's tasks, one of which renders the frame.
        self.context.render(self.output, frame=self.app.step)

    def _picture(self) -> NDArray[np.uint8]:
        with held_notices() as notices, self.context:
            lost = self.context.is_lost
            texture = None if lost else self.output.get_screenshot()
        if lost:
            raise self.context.refusal(notices)
        if texture is None:
            raise UserError("the window gives no picture: draw a frame first")
        pixels = np.frombuffer(texture.get_ram_image_as("RGB"), np.uint8)
        return pixels.reshape(texture.get_y_size(), texture.get_x_size(), 3)[::-1].copy()


def _interrupt_silently(tasks: Any) -> None:
    """On Ctrl-C end the frame, as Panda does, but without a message; a second one ends at once."""

    def handler(number: int, frame: Any) -> None:
        if tasks.fKeyboardInterrupt:
            raise KeyboardInterrupt
        tasks.fKeyboardInterrupt = True

    tasks.keyboardInterruptHandler = handler


def _without_keys(app: Any) -> None:
    """Remove Ursina's own keys, which draw wireframes, show counters or fill the screen: only those
    in calf_viz/hud/keys.py remain."""
    thrower = app.buttonThrowers[0].node()
    of_any_key = {
        thrower.get_button_down_event(),
        thrower.get_button_up_event(),
        thrower.get_button_repeat_event(),
        thrower.get_keystroke_event(),
    }
    for event in app.get_all_accepting():
        if event in of_any_key or event.startswith("raw-"):  # where keys are, whatever the layout
            app.ignore(event)


def _ursina() -> Any:
    """Ursina's class. It would take the folder of the started script, or the current one for
    `python -c`, as its own, look for models there, and run a `settings.py`."""
    started, sys.argv = sys.argv, [str(Path(__file__))]
    try:
        from ursina import Ursina, application
    finally:
        sys.argv = started
    application.load_settings = lambda: None
    return Ursina


def _open_window(size: tuple[int, int], vsync: bool, closing: ExitStack) -> Any:
    """Ursina's application, with a window that `closing` closes. The application is reused if there
    was one before, as it can be created only once."""
    if threading.current_thread() is not threading.main_thread():
        raise UserError("a window needs the main thread, as signals do: open it there, or headless")
    if _opened and _opened[0].win is not None:
        raise UserError("a process has one window at a time: close the other, or use headless")
    closing.enter_context(settings(f"sync-video {vsync:d}", *SETTINGS))
    # Panda installs its own handler for Ctrl-C, which fails if another one is in force.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    closing.callback(signal.signal, signal.SIGINT, before or signal.SIG_DFL)
    try:
        # It also prints its folders and monitors.
        with opening_window(), redirect_stdout(io.StringIO()), held_notices() as notices:
            if _opened:
                app = _opened[0]
                app.open_main_window(size=size, keepCamera=True)
            else:
                app = _make_application(size, vsync)
                _opened.append(app)
                close_first()
        if app.win is None:
            raise Exception("no window")
    except Exception as error:  # Panda raises a bare Exception if no window can be opened
        reason = next((without_category(n) for n in notices if "(error)" in n), str(error))
        if "open display" in reason:
            instead = "set DISPLAY to one that exists and admits this user"
        else:
            instead = "install libgl1 libgl1-mesa-dri or a graphics driver"
        raise UserError(
            f"no window can be opened ({reason.rstrip('.')}): use `headless=True`, or {instead}"
        ) from error
    for notice in notices:
        click.echo(notice, err=True)
    closing.callback(app.close_window, app.win, keepCamera=True)
    app.win.set_active(False)  # except in its own frames
    return app


def _make_application(size: tuple[int, int], vsync: bool) -> Any:
    app = _ursina()(
        title="calf_viz",
        size=size,
        borderless=False,
        fullscreen=False,
        development_mode=False,
        editor_ui_enabled=False,
        vsync=vsync,
    )
    from ursina import camera

    _interrupt_silently(app.task_mgr)
    # Its full-screen overlay would cost two draws in each frame.
    camera.overlay.enabled = False
    return app
