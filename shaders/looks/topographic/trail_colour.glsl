// Routes, cased in white as maps have them.
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    vec3 route = colour * vec3(0.72, 0.62, 0.80);
    return vec4(mix(route, vec3(1.0), smoothstep(0.50, 0.62, edge)), 1.0 - 0.65 * age * age);
}
