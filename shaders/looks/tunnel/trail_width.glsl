// Thinner the further back.
float trail_half_width(float age) {
    return u_trail_width * mix(0.9, 0.45, age);
}
