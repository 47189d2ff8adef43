// A star of the mode's colour, brighter in the middle, where it stays that colour.
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
#include "lib/marker_rim.glsl"

vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    vec2 q = p / radius;
    float front = 0.3624 * (q.x - 0.75) + 0.9320 * abs(q.y);
    float back = -0.8944 * (q.x + 0.35) - 0.4472 * abs(q.y);
    float away = shape == 0 ? length(q) - 0.62 : max(front, back);
    float inside = -away * radius;                   // pixels; no halo: it would hide trails behind
    float core = within_rim(inside, radius, 0.4, 1.2);
    return vec4(mix(colour, vec3(1.0), 0.3 * core), clamp(inside + 0.5, 0.0, 1.0));
}
