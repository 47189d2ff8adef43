// What the HUD's shaders are given. Generated from calf_viz/glsl/hud_contract.py by
// `python -m calf_viz.glsl.hud_contract`; do not edit.

uniform sampler2D u_hud_atlas;    // r8: coverage of every glyph
uniform sampler2D u_hud_glyphs;   // rgba32f: table of glyphs: x, y, width, height in the atlas
uniform sampler2D u_hud_text;     // rgba32f: glyphs drawn: x, y [px], index in the table, colour
uniform sampler2D u_hud_shapes;   // rgba32f: shapes drawn, 3 texels each; see lib/hud_shape.glsl
uniform sampler2D u_hud_series;   // rgba32f: rings of plots; see calf_viz/hud/series.py
uniform sampler2D u_palette;      // rgba8: row 0: the surface from low to high; row 1: the modes, then those named in lib/variants.glsl; row 2: as row 0, for a second look; row 3: trails by age and speed, from low to high. Alpha of rows 0 and 2: where contours are; see lib/contours.glsl; of rows 1 and 3: grey of outlines around that colour
const int PALETTE_COLOURS = 256;  // texels in a row of u_palette
uniform vec2 u_hud_viewport;      // size of the picture [px]
uniform int u_hud_shape_count;    // shapes, which are drawn before the text
