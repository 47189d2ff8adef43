// White-hot in the middle, the mode's colour around it.
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    float hot = exp(-60.0 * edge * edge) * (1.0 - age);
    return vec4(mix(colour, vec3(1.0), 0.85 * hot), 1.0 - age);
}
