// Half width of a trail in pixels. (Hook.)
// in  age  as in trail_colour.glsl
float trail_half_width(float age) {
    return 0.5 * u_trail_width * mix(1.0, 0.55, age);
}
