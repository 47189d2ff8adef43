// Shared by the HUD's shaders. Pixels count from the picture's top left corner; each quad is
// six vertices, known by gl_VertexID alone:
//
//     0 *-----* 2,3     (0,0) *-----* (1,0)
//       |   / |               |     |
//       | /   |               |     |
//   1,4 *-----* 5       (0,1) *-----* (1,1)

vec2 hud_corner() {
    int vertex = gl_VertexID % 6;
    return vec2(vertex == 2 || vertex == 3 || vertex == 5 ? 1.0 : 0.0,
                vertex == 1 || vertex == 4 || vertex == 5 ? 1.0 : 0.0);
}

vec4 hud_texel(sampler2D data, int index) {
    int columns = textureSize(data, 0).x;
    return texelFetch(data, ivec2(index % columns, index / columns), 0);
}

vec4 hud_position(vec2 pixel) {
    return vec4(pixel / u_hud_viewport * vec2(2.0, -2.0) + vec2(-1.0, 1.0), 0.0, 1.0);
}

// A colour is one number, 0xRRGGBB: exact in a float.
vec3 hud_colour(float packed_colour) {
    int rgb = int(packed_colour);
    return vec3(rgb >> 16, (rgb >> 8) & 255, rgb & 255) / 255.0;
}
