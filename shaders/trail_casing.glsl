// Outline of a trail, by which it is seen on any colour of the surface. (Hook.)
// in  colour  of the trail, from trail_colour.glsl
// returns colour and opacity; casing_grey stands out from the palette's colours
vec4 trail_casing(vec3 colour) { return vec4(vec3(casing_grey), 1.0); }
