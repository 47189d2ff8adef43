#version 330
// Texels of u_heightfield: heights shown so far, and the new critic's, normalised. A value that
// is not finite becomes the highest one, stored as -8 - height (see height.glsl).
#include "lib/critic_contract.glsl"

layout(location = 0) out vec4 o_heights;

float plain(float height) { return height < -4.0 ? -8.0 - height : height; }

void main() {
    ivec2 node = ivec2(gl_FragCoord.xy);
    vec2 value = texelFetch(u_critic_values, node, 0).xy;
    vec2 range = texelFetch(u_critic_range, ivec2(0), 0).xy;
    float span = range.y > range.x ? range.y - range.x : 1.0;
    bool bad = value.y != 0.0;
    float height = ((bad ? range.y : value.x) - range.x) / span;
    float current = bad ? -8.0 - height : height;
    vec2 last = texelFetch(u_critic_last, node, 0).xy;
    float shown = u_critic_morph >= 1.0 ? last.y : mix(plain(last.x), plain(last.y), u_critic_morph);
    o_heights = vec4(u_critic_morph < 0.0 ? current : shown, current, 0.0, 1.0);
}
