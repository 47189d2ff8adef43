// Outlines of trails. Uniforms cost much in fragments: the width comes with a segment's colour, and the
// grey in the palette's alpha, with its colours.

float casing_grey = 0.0;        // that stands out from the trail's colour

// Width of the outline [px], 0 for none; tone: of the segment, from mean_colour in lib/chatter.glsl;
// half_width: of a trail, which may have faded to less.
float casing_width(vec3 tone, float half_width) {
    return tone.r < 0.0 ? min(tone.g, half_width + 0.5) : 0.0;
}
