// The plane lies in the scene in a square of its own, whatever its bounds and units are: points are in
// units of the scene, where float32 is exact enough, and only readings use the axes' own.
// calf_viz/scene/frame.py puts it there.

// Position on the plane, in the units of its axes, of a point of the scene.
vec2 plane_of(vec2 point) { return u_frame.xy + point * u_frame.zw; }

// Where a heading on the plane [rad] points in the scene, of any length.
vec2 scene_heading(float turn) {
    vec2 way = vec2(cos(turn), sin(turn));
    if (u_frame.z != u_frame.w) {
        way *= u_frame.wz / max(u_frame.z, u_frame.w);
        way /= max(max(abs(way.x), abs(way.y)), 1e-30);   // as long as float32 can square
    }
    return way;
}
