// Markers grow smaller towards the goal, where agents gather, so that each can be told apart, and the
// goal's circle is seen. It is their distance on screen that counts: seen from near, they stay as they
// are.

const float NEAR_GOAL = 5.0;    // marker radii from the goal's centre within which they shrink
const float AT_GOAL = 0.42;     // of their size that is left there

// Factor on the radius [px] of a marker at a point of the scene.
float marker_scale(vec2 point, Tangent t, float radius) {
    vec2 apart = point - u_goal.xy;
    if (PERIODIC == 1) apart -= u_periods * floor(apart / max(u_periods, 1e-9) + 0.5);
    float away = length(t.x.xy * apart.x + t.y.xy * apart.y);
    float share = smoothstep(0.0, NEAR_GOAL * radius, away);
    return u_circles.x == 0 ? 1.0 : mix(AT_GOAL, 1.0, share);
}
