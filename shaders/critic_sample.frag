#version 330
// Some of the nodes, evenly spread, to be read back: what is written about a surface needs no more.
#include "lib/critic_contract.glsl"

layout(location = 0) out vec4 o_value;

void main() {
    // The target is as large as u_critic_cells says, in cells of its own.
    vec2 part = floor(gl_FragCoord.xy) / vec2(u_critic_cells);
    vec2 nodes = vec2(textureSize(u_critic_values, 0) - 1);
    o_value = texelFetch(u_critic_values, ivec2(part * nodes + 0.5), 0);
}
