"""Triangles under Panda3D whose vertices are rows of NumPy arrays, written in place.

Panda uploads an array as a whole if any part was written. Before giving write access through a
Geom it copies an array that a frame still holds (0.5 ms a MB, and a new buffer in the driver), so
the arrays themselves are kept and written.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike, NDArray
from panda3d.core import (
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexArrayFormat,
    GeomVertexData,
    GeomVertexFormat,
    InternalName,
    NodePath,
    OmniBoundingVolume,
)

from calf_viz.hosts.panda.geometry import Stage

Vertices = NDArray[np.void]
Indices = NDArray[np.uint32]

QUAD = np.array([0, 1, 2, 1, 2, 3], dtype=np.uint32)
"""Two triangles of four vertices; the last vertex of each is of the newer pair (2, 3)."""


class Mesh:
    """One draw: indexed triangles. Vertices and indices are initially zero."""

    def __init__(
        self, parent: NodePath, dtype: DTypeLike, vertices: int, indices: int, order: int = 0
    ) -> None:
        """dtype: structured; its fields are the vertex shader's inputs. order: among the parent's
        meshes; those of equal order are drawn in order of creation."""
        self.dtype = np.dtype(dtype)
        data = GeomVertexData("mesh", _format(self.dtype), Geom.UH_dynamic)
        data.unclean_set_num_rows(vertices)
        self._triangles = GeomTriangles(Geom.UH_dynamic)
        self._triangles.set_index_type(Geom.NT_uint32)
        self._vertices, self._indices = data.modify_array(0), self._triangles.modify_vertices()
        self._indices.unclean_set_num_rows(indices)
        self.size = vertices
        self.vertices()[:] = np.zeros((), self.dtype)
        self.indices()[:] = 0
        geom = Geom(data)
        geom.add_primitive(self._triangles)
        node = GeomNode("mesh")
        node.add_geom(geom)
        # Only the shader knows where anything is: never cull.
        node.set_bounds(OmniBoundingVolume())
        node.set_final(True)
        self.node = parent.attach_new_node(node, order)

    def vertices(self) -> Vertices:
        """The vertices, (size,), to be written at once; the next frame uploads them."""
        self._vertices_written = True
        return np.frombuffer(memoryview(self._vertices).cast("B"), self.dtype)

    def indices(self) -> Indices:
        """The triangles' indices, (indices,), as `vertices`. Three equal ones draw nothing."""
        self._indices_written = True
        # Panda checks the triangles, not their array, for changes, and would search for the
        # largest index if it were not set. (The arrays are for strips; they must not be None.)
        self._triangles.set_minmax(0, self.size - 1, self._indices, self._indices)
        return np.frombuffer(memoryview(self._indices).cast("B"), np.uint32)

    def uploads(self) -> int:
        """Bytes that the next frame uploads; call once per frame."""
        written = self._vertices_written * self.size * self.dtype.itemsize
        written += self._indices_written * self._indices.get_data_size_bytes()
        self._vertices_written = self._indices_written = False
        return written

    def remove(self) -> None:
        """Removes it from the scene."""
        self.node.remove_node()


def _format(dtype: np.dtype) -> GeomVertexFormat:
    array = GeomVertexArrayFormat()
    assert dtype.fields is not None
    for name, (column, offset, *_) in dtype.fields.items():
        number = Geom.NT_float32 if column.base.kind == "f" else Geom.NT_int32
        components = column.shape[0] if column.shape else 1
        array.add_column(InternalName.make(name), components, number, Geom.C_other, offset)
    assert array.get_stride() == dtype.itemsize, "Panda pads this vertex"
    layout = GeomVertexFormat()
    layout.add_array(array)
    return GeomVertexFormat.register_format(layout)


def group(stage: Stage, name: str, order: int) -> NodePath:
    """A node for meshes drawn by shaders/mesh_`name`.vert and the scene's fragment shader, at
    this `order` among groups. Raises ShaderError as `Programs`."""
    node = stage.node.attach_new_node(name)
    stage.use_program(node, f"mesh_{name}")
    node.set_bin("background", order)
    return node


def count_frame(stage: Stage, meshes: Iterable[Mesh]) -> None:
    """Counts the OpenGL work of drawing the meshes."""
    draws = updates = uploads = vertices = 0
    for mesh in meshes:
        written = mesh.uploads()
        draws += 1
        updates += written > 0
        uploads += written
        vertices += mesh.size
    stage.count("draw_calls", draws)
    stage.count("entities", draws)
    stage.count("mesh_updates", updates)
    stage.count("upload_bytes", uploads)
    stage.count("vertices", vertices)
