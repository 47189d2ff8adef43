// Colour of a mode. Chosen, not indexed: an index that differs from pixel to pixel is slow in
// software.
vec3 mode_colour(int mode) {
    vec4 colour = mode == 0 ? u_mode_colours[0] : mode == 1 ? u_mode_colours[1]
                : mode == 2 ? u_mode_colours[2] : u_mode_colours[3];
    return colour.rgb;
}
