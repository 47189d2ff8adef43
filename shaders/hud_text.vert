#version 330
// Text of the HUD: a quad for each texel of u_hud_text, in that order. Glyphs were rasterised at
// their size and lie on whole pixels, so that a texel of the atlas is a pixel of the picture.
#include "lib/hud_contract.glsl"
#include "lib/hud.glsl"

flat out vec3 v_colour;
out vec2 v_atlas;               // texels

void main() {
    vec4 glyph = hud_texel(u_hud_text, gl_VertexID / 6);
    vec4 box = texelFetch(u_hud_glyphs, ivec2(int(glyph.z), 0), 0);
    vec2 offset = hud_corner() * box.zw;
    v_colour = hud_colour(glyph.w);
    v_atlas = box.xy + offset;
    gl_Position = hud_position(glyph.xy + offset);
}
