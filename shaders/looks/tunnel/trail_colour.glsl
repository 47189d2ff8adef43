// The mode's colour now, fading to a pale past; round like a tube.
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    vec3 past = mix(colour, vec3(0.96, 0.90, 1.0), 0.75 * age);
    float round_light = sqrt(max(1.0 - edge * edge, 0.0));
    return vec4(past * (0.45 + 0.55 * round_light), 1.0 - age * age * age);
}
