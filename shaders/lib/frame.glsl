// In the scene, the plane is a square, whatever its bounds and units: points are in units of the
// scene, where float32 is exact enough, and only readings use the axes' own. See
// calf_viz/scene/frame.py.

// Position on the plane, in the units of its axes, of a point of the scene.
vec2 plane_of(vec2 point) { return u_frame.xy + point * u_frame.zw; }

// Direction in the scene, of any length, of a heading on the plane [rad].
vec2 scene_heading(float turn) {
    vec2 way = vec2(cos(turn), sin(turn));
    if (u_frame.z != u_frame.w) {
        way *= u_frame.wz / max(u_frame.z, u_frame.w);
        way /= max(max(abs(way.x), abs(way.y)), 1e-30);   // to a length that float32 can square
    }
    return way;
}
