"""Reads `apitrace dump`: follows OpenGL's state, and notes what `count_gl.py` counts.

Textures are known by the samplers that they were drawn with, framebuffers by the texture that they
draw into. One OpenGL context is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

RING = "u_ring"
"""The sampler by which the scene's shader reads the ring."""
HUD = "u_hud_"
"""How the samplers begin that only the HUD's shaders have."""

DRAW = re.compile(r"gl(Multi)?Draw(?!Buffer)")
UNIFORM = re.compile(r"gl(?:Program)?Uniform(Matrix)?(\d)(?:x(\d))?(?:f|i|ui|d)v?$")
COPIES = ("glBlit", "glCopyTex", "glCopyImage")
WAITS = {"glFinish", "glClientWaitSync"}
READBACKS = ("glReadPixels", "glReadnPixels", "glGetTexImage", "glGetnTexImage",
             "glGetTextureImage", "glGetBufferSubData", "glGetNamedBufferSubData")  # fmt: skip
CALL = re.compile(r"\d+ (\w+)\((.*)$")
ARGUMENT = re.compile(r'(\w+) = ("[^"]*"|&?\{[^}]*\}|blob\(\d+\)|[^,)]+)')
BLOB = re.compile(r"\bblob\((\d+)\)")


@dataclass(frozen=True)
class Call:
    """One call of the trace: its function and its arguments' text by name."""

    name: str
    arguments: dict[str, str]
    text: str

    def number(self, name: str, default: int = 0) -> int:
        """An argument as a whole number; `default` where it is missing or none."""
        found = re.match(r"&?(-?\d+)", self.arguments.get(name, ""))
        return int(found[1]) if found else default

    def numbers(self, name: str) -> list[int]:
        """An argument such as {2, 8, 10}, or &2; empty for NULL."""
        return [int(n) for n in re.findall(r"-?\d+", self.arguments.get(name, ""))]

    @property
    def blob(self) -> int:
        """Bytes of client memory that the call reads."""
        return sum(map(int, BLOB.findall(self.text)))


def parse(lines: Iterable[str]) -> Iterator[Call]:
    """The calls in the lines of `apitrace dump`; continued lines (shaders' text) are skipped."""
    for line in lines:
        found = CALL.match(line)
        if found:
            yield Call(found[1], dict(ARGUMENT.findall(found[2])), found[2])


@dataclass(eq=False)
class Texture:
    """A texture, named by the samplers that it was drawn with."""

    number: int
    size: str = ""
    names: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        name = "/".join(sorted(self.names)) or f"texture {self.number}"
        return f"{name} {self.size}".strip()


@dataclass(eq=False)
class Framebuffer:
    """A framebuffer and the texture that it draws into, if any."""

    number: int
    texture: Texture | None = None

    @property
    def is_ring(self) -> bool:
        """Whether what is drawn here is samples; certain once the trace was read to its end."""
        return self.texture is not None and RING in self.texture.names


@dataclass
class Event:
    """Something that is counted, or that tells frames apart (clear, leave, swap)."""

    kind: str
    framebuffer: Framebuffer
    target: Texture | str = ""
    bytes: int = 0

    @property
    def is_hud(self) -> bool:
        """Whether it is a draw of the HUD's."""
        return self.target == HUD


class Tracer:
    """Follows the state that the calls need to be understood, and notes the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.textures: dict[int, Texture] = {}
        self.framebuffers: dict[int, Framebuffer] = {}
        self.bound: dict[int, Texture | None] = {}  # by unit
        self.samplers: dict[int, set[str]] = {}  # names, by program
        self.locations: dict[tuple[int, int], str] = {}  # name, by program and location
        self.units: dict[tuple[int, str], int] = {}  # by program and sampler
        self.unit = self.program = 0
        self.framebuffer = self._framebuffer(0)

    def _texture(self, number: int) -> Texture:
        return self.textures.setdefault(number, Texture(number))

    def _framebuffer(self, number: int) -> Framebuffer:
        return self.framebuffers.setdefault(number, Framebuffer(number))

    def _note(self, kind: str, target: Texture | str = "", size: int = 0) -> None:
        self.events.append(Event(kind, self.framebuffer, target, size))

    def see(self, call: Call) -> None:
        """Take note of one call."""
        handler = HANDLERS.get(call.name)
        if handler is not None:
            handler(self, call)
        uniform = UNIFORM.match(call.name)
        if uniform:
            self._uniform(call, uniform)
        elif call.name.startswith(("glTexImage", "glTexSubImage", "glCompressedTex")):
            self._texture_image(call, self.bound.get(self.unit))
        elif call.name.startswith(("glTextureSubImage", "glCompressedTextureSub")):
            self._texture_image(call, self._texture(call.number("texture")))
        elif DRAW.match(call.name):
            self._draw(call)
        elif call.blob:  # buffers, mapped memory, vertices in client memory
            self._note("upload", call.arguments.get("target", call.name), call.blob)
        elif call.name.startswith("glDispatchCompute"):
            self._note("dispatch")
        elif call.name.startswith(COPIES):
            self._note("copy")
        elif call.name in READBACKS:
            self._note("readback")
        elif call.name in WAITS:
            self._note("wait")
        elif "SwapBuffers" in call.name:
            self._note("swap")

    # What only changes the state

    def bind_framebuffer(self, call: Call) -> None:
        if call.arguments.get("target") == "GL_READ_FRAMEBUFFER":
            return
        new = self._framebuffer(call.number("framebuffer"))
        if new is not self.framebuffer:
            self._note("leave")
        self.framebuffer = new

    def attach(self, call: Call) -> None:
        if call.arguments.get("attachment") != "GL_COLOR_ATTACHMENT0":
            return
        named = "framebuffer" in call.arguments
        where = self._framebuffer(call.number("framebuffer")) if named else self.framebuffer
        texture = call.number("texture")
        where.texture = self._texture(texture) if texture else None

    def delete_framebuffers(self, call: Call) -> None:
        for number in call.numbers("framebuffers"):
            self.framebuffers.pop(number, None)  # its number may come again, for another

    def delete_textures(self, call: Call) -> None:
        for number in call.numbers("textures"):
            self.textures.pop(number, None)

    def active_texture(self, call: Call) -> None:
        self.unit = int(call.arguments["texture"].removeprefix("GL_TEXTURE"))

    def bind_texture(self, call: Call) -> None:
        number = call.number("texture")
        unit = call.number("unit", self.unit)
        self.bound[unit] = self._texture(number) if number else None

    def bind_textures(self, call: Call) -> None:
        first, count = call.number("first"), call.number("count")
        numbers = call.numbers("textures") or [0] * count
        for unit, number in enumerate(numbers, start=first):
            self.bound[unit] = self._texture(number) if number else None

    def active_uniform(self, call: Call) -> None:
        if "SAMPLER" in call.arguments.get("type", ""):
            name = call.arguments["name"].strip('"')
            self.samplers.setdefault(call.number("program"), set()).add(name)

    def uniform_location(self, call: Call) -> None:
        found = re.search(r"= (\d+)$", call.text)
        if found:
            key = call.number("program"), int(found[1])
            self.locations[key] = call.arguments["name"].strip('"')

    def use_program(self, call: Call) -> None:
        self.program = call.number("program")
        if self.program:  # Panda3D also sets 0 between passes, which costs nothing
            self._note("program")

    def clear(self, call: Call) -> None:
        if "COLOR" in call.arguments.get("mask", "") + call.arguments.get("buffer", ""):
            self._note("clear")

    # What is counted

    def _uniform(self, call: Call, found: re.Match[str]) -> None:
        rows = int(found[2])
        size = rows * (int(found[3] or rows) if found[1] else 1) * 4
        self._note("upload", "uniforms", size * call.number("count", 1))
        program = call.number("program", self.program)
        name = self.locations.get((program, call.number("location")))
        if name is not None and name in self.samplers.get(program, ()):
            self.units[program, name] = call.number("v0", call.number("value"))

    def _texture_image(self, call: Call, texture: Texture | None) -> None:
        if texture is not None and "internalformat" in call.arguments:
            size = f"{call.number('width')}x{call.number('height', 1)}"
            texture.size = f"{size} {call.arguments['internalformat'].removeprefix('GL_')}"
        if call.blob:
            self._note("upload", texture or "texture 0", call.blob)

    def _draw(self, call: Call) -> None:
        for name in self.samplers.get(self.program, ()):
            texture = self.bound.get(self.units.get((self.program, name), 0))
            if texture is not None:
                texture.names.add(name)
        hud = any(name.startswith(HUD) for name in self.samplers.get(self.program, ()))
        self._note("draw", HUD if hud else "")
        if call.blob:  # indices in client memory
            self._note("upload", call.name, call.blob)


HANDLERS: dict[str, Callable[[Tracer, Call], None]] = {
    "glBindFramebuffer": Tracer.bind_framebuffer,
    "glBindFramebufferEXT": Tracer.bind_framebuffer,
    "glFramebufferTexture": Tracer.attach,
    "glFramebufferTexture2D": Tracer.attach,
    "glNamedFramebufferTexture": Tracer.attach,
    "glDeleteFramebuffers": Tracer.delete_framebuffers,
    "glDeleteTextures": Tracer.delete_textures,
    "glActiveTexture": Tracer.active_texture,
    "glBindTexture": Tracer.bind_texture,
    "glBindTextureUnit": Tracer.bind_texture,
    "glBindTextures": Tracer.bind_textures,
    "glGetActiveUniform": Tracer.active_uniform,
    "glGetUniformLocation": Tracer.uniform_location,
    "glUseProgram": Tracer.use_program,
    "glClear": Tracer.clear,
    "glClearBufferfv": Tracer.clear,
}
