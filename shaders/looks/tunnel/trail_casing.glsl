// None.
vec4 trail_casing(vec3 colour) { return vec4(0.0); }
