// Wide enough for the glow.
uniform float u_glow;           // @slider 1..10 step 0.5 = 4.5 "glow"

float trail_half_width(float age) {
    return 0.5 * u_trail_width * u_glow * mix(1.0, 0.7, age);
}
