// Colour and coverage of an agent's marker. (Hook.)
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
// returns colour and coverage
#include "lib/marker_rim.glsl"

const vec3 MARKER_RIM = vec3(0.05, 0.06, 0.09);

vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    vec2 q = p * (1.0 / radius);
    float square = dot(q, q);
    // A dart: tip at (1, 0), wings at (-0.8, +-0.7), notch at (-0.45, 0).
    float side = abs(q.y);
    float front = 0.3624 * (q.x - 1.0) + 0.9320 * side;
    float back = -0.8944 * (q.x + 0.45) - 0.4472 * side;
    float inside = shape == 0 ? 1.0 - sqrt(square) : -max(front, back);   // radii, > 0 inside
    float pixels = inside * radius;
    // A sphere lit from the upper left, with a highlight; a dart folded along its middle.
    float z = sqrt(max(1.0 - square, 0.0));
    float facing = max(-0.4 * q.x + 0.5 * q.y + 0.77 * z, 0.0);
    float gloss = facing * facing;
    gloss *= gloss;
    gloss *= gloss;
    float lit = 0.55 + 0.45 * facing;
    float shade = shape == 0 ? lit : q.y > 0.0 ? 1.0 : 0.72;
    float shine = shape == 0 ? 0.45 * gloss * lit : 0.0;
    float fill = within_rim(pixels, radius, shape == 0 ? 0.4 : 0.24, 1.0);
    return vec4((colour * shade + shine) * fill + MARKER_RIM * (1.0 - fill),
                clamp(pixels + 0.5, 0.0, 1.0));
}
