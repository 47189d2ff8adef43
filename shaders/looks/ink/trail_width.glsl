// A brush that was pressed harder lately.
float trail_half_width(float age) {
    return 0.5 * u_trail_width * mix(1.5, 0.35, sqrt(age));
}
