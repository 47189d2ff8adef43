// A disc or a dart with a dark rim; around the chosen agent's, a ring.
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels; the chosen agent's is larger, see lib/training.glsl
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
const vec3 RIM = vec3(0.05, 0.06, 0.09);

vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    bool chosen = radius > 1.6 * u_marker_radius;
    vec2 q = p / (chosen ? u_marker_radius : radius);
    float side = abs(q.y);
    float front = 0.3624 * (q.x - 1.0) + 0.9320 * side;
    float back = -0.8944 * (q.x + 0.45) - 0.4472 * side;
    float inside = (shape == 0 ? 1.0 - length(q) : -max(front, back)) * radius;
    inside *= chosen ? u_marker_radius / radius : 1.0;
    vec4 marker = vec4(mix(RIM, colour, clamp(inside + clamp(1.72 - 0.4 * radius, -1.0, 1.0), 0.0, 1.0)), clamp(inside + 0.5, 0.0, 1.0));
    float within = 0.18 * u_marker_radius + 0.8;     // half of the ring's width, its rim included
    float ring = within - abs(length(p) - radius + within);
    vec4 around = vec4(mix(RIM, vec3(1.0), clamp(ring - 0.2, 0.0, 1.0)), clamp(ring + 0.5, 0.0, 1.0));
    return chosen && around.a > marker.a ? around : marker;
}
