// Coloured inks, drying with age.
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    vec3 ink = colour * colour * vec3(0.75, 0.62, 0.80);
    return vec4(ink, 0.95 - 0.55 * age);
}
