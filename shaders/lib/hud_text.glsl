// A glyph of the HUD: the quad for a texel of u_hud_text. Glyphs were rasterised at their size and are
// placed on whole pixels, so a texel of the atlas is a pixel of the picture.

void draw_glyph(int item) {
    vec4 glyph = hud_texel(u_hud_text, item);
    vec4 box = texelFetch(u_hud_glyphs, ivec2(int(glyph.z), 0), 0);
    vec2 offset = hud_corner() * box.zw;
    v_box = vec4(0.0, 0.0, 0.0, -1.0);
    v_border = vec4(0.0);
    v_fill = vec4(hud_colour(glyph.w), 1.0);
    v_point = box.xy + offset;
    gl_Position = hud_position(glyph.xy + offset);
}
