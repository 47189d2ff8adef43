#version 330
// Some of the nodes, evenly spread, to be read back: texts about a surface need no more.
#include "lib/critic_contract.glsl"

layout(location = 0) out vec4 o_value;

void main() {
    // The target has a grid of its own, of the size in u_critic_cells.
    vec2 part = floor(gl_FragCoord.xy) / vec2(u_critic_cells);
    vec2 nodes = vec2(textureSize(u_critic_values, 0) - 1);
    o_value = texelFetch(u_critic_values, ivec2(part * nodes + 0.5), 0);
}
