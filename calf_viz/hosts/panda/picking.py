"""Numbers of agents in a window of the picture, under Panda3D.

The camera of a small buffer looks at the geometry's own nodes, whatever their design, with other
programs, another projection and no blending: by its initial state, and by a state for each tag
`PROGRAM`.

frame k:  buffer ──▶ texture ──▶ pixel buffer, fence        frame k + 1 and on: is the fence passed?
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, ColorBlendAttrib, NodePath, Texture

from calf_viz.errors import UserError
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.passes import Pass
from calf_viz.hosts.panda.raw_gl import raw
from calf_viz.hosts.panda.shader import matrix
from calf_viz.hosts.panda.texture import CHANNELS, empty_texture
from calf_viz.hosts.picking import SIDE, PickPrograms

log = logging.getLogger("calf_viz")

PROGRAM = "program"
"""The tag of nodes, with the name of their program."""
OVERRIDE = 1
"""Priority over what is set on the nodes themselves."""


class PandaPicks:
    """As `PickDraws`. Raises UserError if the driver has no such buffer."""

    def __init__(
        self,
        context: PandaContext,
        inputs: NodePath,
        drawn: NodePath,
        programs: PickPrograms,
        names: Collection[str],
    ) -> None:
        """Open the buffer.

        Args:
            context: the context.
            inputs: the node that has the shaders' inputs.
            drawn: the node below which the geometry is, itself below that.
            programs: the programs of numbers.
            names: of the programs of the nodes there.
        """
        self.context, self._inputs, self._drawn = context, inputs, drawn
        self._programs, self._names = programs, names
        self._texture = empty_texture("picks", SIDE, SIDE, Texture.F_rgba8, np.uint8)
        buffer = context.target(self._texture, "a smaller size", sort=-40, depth=True)
        if buffer is None:
            raise UserError("pick: the driver gives no framebuffer for numbers of agents")
        buffer.set_clear_color((0, 0, 0, 0))
        self._camera = Camera("picks")
        self._camera.set_scene(drawn)
        self._camera.set_tag_state_key(PROGRAM)
        region = buffer.make_display_region()
        region.set_camera(NodePath(self._camera))
        self._pass = Pass(context, buffer, region)
        self._pending = False  # drawn with one of the next frames
        self._copy: _Copy | None = _copy()

    @property
    def draws(self) -> int:
        """As `PickDraws`: one for each of the geometry's."""
        return int(self._drawn.find_all_matches("**/+GeomNode").get_num_paths())

    def _see(self, seen: NDArray[np.float32]) -> bool:
        """Prepare the camera; returns whether there are programs for all."""
        given = NodePath("inputs")
        given.set_state(self._inputs.get_state())
        given.set_shader_input("u_view_projection", matrix(seen), OVERRIDE)
        given.set_shader_input("u_viewport", (float(SIDE), float(SIDE)), OVERRIDE)
        given.set_attrib(ColorBlendAttrib.make_off(), OVERRIDE)
        self._camera.set_initial_state(given.get_state())
        for name in self._names:
            program = self._programs[name]
            if program is None:
                return False
            shaded = NodePath(name)
            shaded.set_shader(program, OVERRIDE)
            self._camera.set_tag_state(name, shaded.get_state())
        return True

    def begin(self, seen: NDArray[np.float32]) -> None:
        self._camera.set_active(self._see(seen))
        self._pass.begin()
        self._pending = True

    def end(self) -> None:
        if not self._pending or not self._pass.end():
            return
        self._pending = False
        if self._copy is None or not self.context.is_current:
            self._copy = None  # then it is read as a whole, a frame later
            return
        try:
            self._copy.start(self._name())
        except Exception as error:  # it can be read in another way
            log.info("agents' numbers are waited for (%s)", error)
            self._copy = None

    def _name(self) -> int:
        """OpenGL's name of the texture."""
        gsg = self.context.gsg
        found = self._texture.prepare_now(0, gsg.prepared_objects, gsg)
        return int(found.get_native_id())

    def now(self, seen: NDArray[np.float32]) -> NDArray[np.uint8]:
        self._camera.set_active(self._see(seen))
        self._pass.render()
        return self._whole()

    def _whole(self) -> NDArray[np.uint8]:
        texels = self.context.read(self._texture).reshape(SIDE, SIDE, 4)
        self._texture.clear_ram_image()  # else Panda would upload it again
        return np.ascontiguousarray(texels[..., CHANNELS])

    def read(self) -> NDArray[np.uint8] | None:
        if self._pending:
            return None
        if self._copy is None:
            return self._whole()
        with self.context:
            return self._copy.take()


class _Copy:
    """Copies a texture to a buffer of the driver's, and that to memory once it is written."""

    def __init__(self) -> None:
        """Raises whatever PyOpenGL raises if it finds no OpenGL."""
        self._v10, self._v11, self._v15 = raw("1_0"), raw("1_1"), raw("1_5")
        self._v21, self._v32 = raw("2_1"), raw("3_2")
        self._buffer: int | None = None
        self._fence: object = None
        self._texels = np.zeros((SIDE, SIDE, 4), np.uint8)

    def start(self, texture: int) -> None:
        """Have the texture copied after what was drawn so far."""
        gl, buffers, pack = self._v10, self._v15, self._v21.GL_PIXEL_PACK_BUFFER
        if self._buffer is None:
            made = ctypes.c_uint(0)
            buffers.glGenBuffers(1, made)
            self._buffer = made.value
            buffers.glBindBuffer(pack, self._buffer)
            buffers.glBufferData(pack, self._texels.nbytes, None, self._v15.GL_STREAM_READ)
        bound = ctypes.c_int(0)
        gl.glGetIntegerv(self._v11.GL_TEXTURE_BINDING_2D, bound)
        buffers.glBindBuffer(pack, self._buffer)
        self._v11.glBindTexture(gl.GL_TEXTURE_2D, texture)
        gl.glGetTexImage(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)
        self._v11.glBindTexture(gl.GL_TEXTURE_2D, bound.value)  # Panda counts on what it bound
        buffers.glBindBuffer(pack, 0)
        self._fence = self._v32.glFenceSync(self._v32.GL_SYNC_GPU_COMMANDS_COMPLETE, 0)

    def take(self) -> NDArray[np.uint8] | None:
        """The texels; None while the driver has not written them."""
        sync, buffers, pack = self._v32, self._v15, self._v21.GL_PIXEL_PACK_BUFFER
        passed = sync.glClientWaitSync(self._fence, sync.GL_SYNC_FLUSH_COMMANDS_BIT, 0)
        if passed == sync.GL_TIMEOUT_EXPIRED:
            return None
        sync.glDeleteSync(self._fence)
        self._fence = None
        buffers.glBindBuffer(pack, self._buffer)
        there = self._texels.ctypes.data_as(ctypes.c_void_p)
        buffers.glGetBufferSubData(pack, 0, self._texels.nbytes, there)
        buffers.glBindBuffer(pack, 0)
        return self._texels.copy()


def _copy() -> _Copy | None:
    try:
        return _Copy()
    except Exception as error:  # PyOpenGL found no OpenGL
        log.info("agents' numbers are waited for (%s)", error)
        return None
