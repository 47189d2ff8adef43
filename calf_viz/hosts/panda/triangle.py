"""Triangles without vertex data, positioned by their shader: the HUD's quads, and the triangle of a
pass over a whole texture."""

from __future__ import annotations

from panda3d.core import (
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    NodePath,
    OmniBoundingVolume,
)


def triangles(name: str, vertices: int) -> Geom:
    """Triangles of `vertices` consecutive vertices without data."""
    geom = Geom(GeomVertexData(name, GeomVertexFormat.get_empty(), Geom.UH_static))
    primitive = GeomTriangles(Geom.UH_static)
    primitive.add_consecutive_vertices(0, vertices)
    geom.add_primitive(primitive)
    return geom


def shader_placed(name: str) -> GeomNode:
    """A node that is never culled, as only the shader knows where it is."""
    node = GeomNode(name)
    node.set_bounds(OmniBoundingVolume())
    node.set_final(True)
    return node


def triangle(root: NodePath, name: str = "triangle") -> NodePath:
    """One triangle below `root`, without vertex data, never culled, regardless of depth."""
    node = shader_placed(name)
    node.add_geom(triangles("triangle", 3))
    path = root.attach_new_node(node)
    path.set_depth_test(False)
    path.set_depth_write(False)
    path.set_two_sided(True)
    return path
