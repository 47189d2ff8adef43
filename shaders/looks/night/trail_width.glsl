// Wide enough for the glow, but at the agent no wider than its star, or the glow would end square.
uniform float u_glow;           // @slider 1..10 step 0.5 = 4.5 "glow"

float trail_half_width(float age) {
    float begun = clamp(40.0 * age, 0.0, 1.0);
    return 0.5 * u_trail_width * mix(1.0, u_glow * mix(1.0, 0.7, age), begun);
}
