// Coloured inks, drying with age.
vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    return vec4(0.86 * colour, 0.98 - 0.55 * age);
}
