// A thin bright core in a soft glow, which is gone at the edge.
float trail_profile(float across, float half_width, float age) {
    float edge = abs(across) / max(half_width, 1e-3);
    float fade = clamp(1.0 - edge, 0.0, 1.0);
    return clamp(exp(-70.0 * edge * edge) + 0.38 * fade * fade, 0.0, 1.0);
}
