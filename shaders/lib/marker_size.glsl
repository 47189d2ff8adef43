// Markers grow smaller towards the goal, where agents gather, so that each can be told apart, and the
// goal's circle is seen. It is their distance on screen that counts: seen from near, they stay as they
// are.

// Distances from the goal's centre up to which they have their least size, and from which on their own, in
// least radii of its circle. These do not depend on the markers' radius: in a crowd that is smaller, but
// the place where agents gather is not.
const float AT_GOAL = 2.5, NEAR_GOAL = 7.0;
const float SIZE_AT_GOAL = 0.42;        // of their size that is left there

// Factor on the radius of a marker at a point of the scene.
float marker_scale(vec2 point, Tangent t) {
    vec2 apart = point - u_goal.xy;
    if (PERIODIC == 1) apart -= u_periods * floor(apart / max(u_periods, 1e-9) + 0.5);
    float away = length(t.x.xy * apart.x + t.y.xy * apart.y);
    float share = smoothstep(AT_GOAL * u_circle_radii.x, NEAR_GOAL * u_circle_radii.x, away);
    return u_circles.x == 0 ? 1.0 : mix(SIZE_AT_GOAL, 1.0, share);
}
