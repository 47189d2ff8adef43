// Where a trail crosses the plane's edge on a periodic axis: out at one end, in at the other.
//
//        +----------------------+        W  the first sample after it, P the one before it
//        |                      |        A  where the way from W to P, the shorter one, leaves
//   P'- -A------W      P--------B        B  the same place, as P's side has it
//        |                      |        P' = P, whole periods away
//        +----------------------+
//
// On both axes at once the way passes through a third copy of the plane, from one edge to another.
// Everything is in units of the scene, with zero in the plane's middle; parts are of the way from W.

struct OverEdge {
    bool found;         // false: the way stays within the plane
    vec2 way;           // from W to P'
    vec3 leaves;        // A: point, part
    vec3 enters;        // B: point, part
    bool twice;         // whether it passes through a copy between
    vec4 between;       // A and B there
};

OverEdge nowhere() {
    return OverEdge(false, vec2(0.0), vec3(0.0), vec3(0.0), false, vec4(0.0));
}

OverEdge over_edge(vec2 w, vec2 p) {
    vec2 apart = p - w;
    vec2 shift = -sign(apart) * u_periods * vec2(greaterThan(abs(apart), 0.5 * u_periods));
    bvec2 over = notEqual(shift, vec2(0.0));
    vec2 edge = 0.5 * shift;                         // opposite ones: out at edge, in at -edge
    vec2 outside = edge - w, inside = p + edge;      // exact where a sample is near an edge
    vec2 way = outside + inside;
    vec2 part = clamp(outside / mix(vec2(1.0), way, notEqual(way, vec2(0.0))), 0.0, 1.0);
    // The axis whose edge is crossed first, and last.
    bool twice = over.x && over.y;
    bvec2 x = bvec2(over.x && (!over.y || part.x <= part.y), over.x && (!over.y || part.x > part.y));
    float leaves = x.x ? part.x : part.y, enters = x.y ? part.x : part.y;
    // Exactly on the edge, despite rounding.
    vec2 a = mix(w + way * leaves, edge, bvec2(x.x, !x.x));
    vec2 b = mix(w + way * enters, edge, bvec2(x.y, !x.y));
    vec2 copy = mix(shift, vec2(0.0), bvec2(!x.x, x.x));
    return OverEdge(over.x || over.y, way, vec3(a, leaves), vec3(b - shift, enters), twice,
                    vec4(a - copy, b - copy));
}
