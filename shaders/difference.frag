#version 330
// The difference of two pictures of the same size, amplified; black where they agree.
uniform sampler2D u_a;
uniform sampler2D u_b;
uniform float u_gain;
layout(location = 0) out vec4 o_colour;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    vec3 apart = abs(texelFetch(u_a, pixel, 0).rgb - texelFetch(u_b, pixel, 0).rgb);
    o_colour = vec4(min(u_gain * apart, 1.0), 1.0);
}
