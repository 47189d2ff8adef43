// A star of the mode's colour.
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    vec2 q = p / radius;
    float away = shape == 0 ? length(q) : max(abs(q.x - 0.25 * abs(q.y)), 1.6 * abs(q.y));
    float inside = (0.62 - away) * radius;           // pixels; no halo: it would hide trails behind
    float core = clamp(inside + clamp(1.72 - 0.4 * radius, -1.2, 1.0), 0.0, 1.0);
    return vec4(mix(colour, vec3(1.0), core), clamp(inside + 0.5, 0.0, 1.0));
}
