// Colour and coverage of an agent's marker. (Hook.)
// in  p       pixels from the marker's centre, x along the agent's heading
//     radius  pixels
//     colour  of the agent's mode
//     shape   0: sphere, 1: arrow
// returns colour and coverage
vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {
    vec2 q = p / radius;
    // A dart: tip at (1, 0), wings at (-0.8, +-0.7), notch at (-0.45, 0).
    float side = abs(q.y);
    float front = dot(vec2(q.x - 1.0, side), normalize(vec2(0.7, 1.8)));
    float back = dot(vec2(-0.45 - q.x, side), normalize(vec2(0.7, -0.35)));
    float dart = max(front, back);
    float inside = shape == 0 ? 1.0 - length(q) : -dart;     // in radii, > 0 inside
    float z = sqrt(max(1.0 - dot(q, q), 0.0));
    float lit = shape == 0 ? 0.55 + 0.45 * max(dot(vec3(q, z), vec3(-0.4, 0.5, 0.77)), 0.0)
                           : (q.y > 0.0 ? 1.0 : 0.72);
    float pixels = inside * radius;
    vec3 rim = vec3(0.05, 0.06, 0.09);
    vec3 fill = shape == 0 ? mix(colour, vec3(1.0), 0.6 * pow(lit, 16.0)) * lit : colour * lit;
    return vec4(mix(rim, fill, clamp(pixels - 1.0, 0.0, 1.0)), clamp(pixels + 0.5, 0.0, 1.0));
}
