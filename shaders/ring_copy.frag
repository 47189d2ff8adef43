#version 330
// Copies samples into the ring, from a staging texture of some steps or from an older ring, which is
// smaller, or of another frame: in both, agent a of slot s is at (a % columns, s * rows + a / columns).
uniform sampler2D u_source;
uniform ivec3 u_source_layout;   // columns, rows per slot, agents
uniform ivec3 u_target_layout;   // columns, rows per slot, first slot written
uniform vec4 u_move;             // of places: scale, then offset [scene units]
layout(location = 0) out vec4 o_texel;

const float FARTHEST = 3.0e38;       // places further away are put there

void main() {
    ivec2 texel = ivec2(gl_FragCoord.xy);
    int slot = texel.y / u_target_layout.y;
    int agent = (texel.y - slot * u_target_layout.y) * u_target_layout.x + texel.x;
    slot -= u_target_layout.z;
    ivec2 from = ivec2(agent % u_source_layout.x,
                       slot * u_source_layout.y + agent / u_source_layout.x);
    o_texel = agent < u_source_layout.z ? texelFetch(u_source, from, 0) : vec4(0.0);
    o_texel.xy = clamp(o_texel.xy * u_move.xy + u_move.zw, -FARTHEST, FARTHEST);
}
