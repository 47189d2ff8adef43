// A drop of ink with a rim of paper around it.
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
#include "lib/marker_rim.glsl"

vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    vec2 q = p / radius;
    float side = abs(q.y);
    float front = 0.3624 * (q.x - 1.0) + 0.9320 * side;
    float back = -0.8944 * (q.x + 0.45) - 0.4472 * side;
    float inside = (shape == 0 ? 1.0 - length(q) : -max(front, back)) * radius;
    vec3 paper = vec3(0.97, 0.95, 0.90);
    float wet = within_rim(inside, radius, 0.4, 1.2);
    return vec4(mix(paper, 0.86 * colour, wet), clamp(inside + 0.5, 0.0, 1.0));
}
