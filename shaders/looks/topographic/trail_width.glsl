// With room for the casing.
float trail_half_width(float age) {
    return u_trail_width * mix(1.05, 0.65, age);
}
