#version 330
// What a look makes of the palette's colours, for the legend. The scene's fragment shader draws trails
// and markers of every colour, each in a cell, and the program takes the means:
//
//     +---+---+--- ... ---+---+--- ... ---+
//     |   |   | markers   |               |      one column for each entry of the palette's second row,
//     +---+---+--- ... ---+---+--- ... ---+      then RAMP_SWATCHES of the ramp from low to high
//     |   |   |   trails  |   | ramp      |
//     +---+---+--- ... ---+---+--- ... ---+
//
// A trail lies along its cell, which is as high as the trail is wide.
#include "lib/contract.glsl"
#include "lib/variants.glsl"

const int ENTRIES = 4 * TRAINEE_COLOURS, RAMP_SWATCHES = 16, COLUMNS = ENTRIES + RAMP_SWATCHES;
const float CELL = 16.0;        // px

flat out ivec4 v_id;            // as in field.vert
out vec4 v_data;
flat out vec4 v_tone;
#if TRAIL_COLOUR >= BY_SPEED
out float v_measure;
#endif

void main() {
    int cell = gl_VertexID / 6, vertex = gl_VertexID % 6, column = cell % COLUMNS;
    vec2 corner = vec2(vertex == 2 || vertex == 3 || vertex == 5 ? 1.0 : 0.0,
                       vertex == 1 || vertex == 4 || vertex == 5 ? 1.0 : 0.0);
    vec2 pixel = (corner - 0.5) * CELL;
    bool marker = cell >= COLUMNS, ramp = column >= ENTRIES;
    int entry = ramp ? 0 : column;
    float part = float(column - ENTRIES) / float(RAMP_SWATCHES - 1);
    gl_Position = vec4((vec2(column, marker ? 1 : 0) + corner) / vec2(COLUMNS, 2) * 2.0 - 1.0, 0.0, 1.0);
    // Below 0, as of circles: neither age nor speed, but a colour of its own.
    float ago = ramp ? (1.0 - part) * float(u_trail) : -1.0;
    int whose = entry / TRAINEE_COLOURS;
    v_id = marker ? ivec4(2, u_marker_shape, 0, 0)
                  : ivec4(1 | 1 << 2 | 128 << 22 | whose << 30, entry % TRAINEE_COLOURS, 0, 0);
    v_data = marker ? vec4(pixel, 0.5 * CELL, float(entry)) : vec4(ago, 0.0, pixel.y, 0.5 * CELL);
    v_tone = vec4(-1.0, 0.0, 0.0, 1.0);
#if TRAIL_COLOUR >= BY_SPEED
    v_measure = ramp ? part : -1.0;
#endif
}
