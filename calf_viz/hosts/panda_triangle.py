"""The triangle that a pass over a whole texture draws; its vertex shader knows where it lies."""

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


def triangle(root: NodePath, name: str = "triangle") -> NodePath:
    """One triangle below `root`, without vertex data, never culled, regardless of depth."""
    geom = Geom(GeomVertexData("triangle", GeomVertexFormat.get_empty(), Geom.UH_static))
    primitive = GeomTriangles(Geom.UH_static)
    primitive.add_consecutive_vertices(0, 3)
    geom.add_primitive(primitive)
    node = GeomNode(name)
    node.add_geom(geom)
    node.set_bounds(OmniBoundingVolume())
    node.set_final(True)
    path = root.attach_new_node(node)
    path.set_depth_test(False)
    path.set_depth_write(False)
    path.set_two_sided(True)
    return path
