// Thinner the further back, with room for the halo.
float trail_half_width(float age) {
    return u_trail_width * mix(1.2, 0.6, age);
}
