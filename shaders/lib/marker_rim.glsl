// Coverage of a marker's inside, within its rim. The rim is `widest` in a picture up to 1152 x 720 and
// as much wider as lines are in a larger one, less where the marker is small, and none in a dense crowd.
// pixels: from the marker's edge inwards. part: of the radius that the rim takes of a small one.
float within_rim(float pixels, float radius, float part, float widest) {
    vec3 widths = vec3(1.22, 0.5, widest + 0.5) * u_line_scale;
    return clamp(pixels + 0.5 - clamp(part * radius - widths.x, -widths.y, widths.z), 0.0, 1.0);
}
