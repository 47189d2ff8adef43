// What the shaders are given. Generated from calf_viz/glsl/contract.py by
// `python -m calf_viz.glsl.contract`; do not edit.

uniform sampler2D u_ring;         // rgba32f: ring of samples; see shaders/lib/ring.glsl
uniform sampler2D u_heightfield;  // rg32f: levels (last, current critic) at nodes: scaled values
uniform sampler2D u_palette;      // rgba8: row 0: the surface from low to high; row 1: the modes, then those named in lib/variants.glsl; row 2: as row 0, for a second look; row 3: trails by age and speed, from low to high. Alpha of rows 0 and 2: where contours are; see lib/contours.glsl; of rows 1 and 3: grey of outlines around that colour
uniform sampler2D u_values;       // rg32f: critic values (last, current critic) at levels from 0 to 1, evenly
const int PALETTE_COLOURS = 256;  // texels in a row of u_palette
uniform mat4 u_view_projection;   // scene units and scaled height to clip space
uniform vec2 u_viewport;          // size of the picture [px]
uniform float u_line_scale;       // factor on the width of lines: 1 up to 1152 x 720 px, more in larger or averaged pictures
uniform vec4 u_plane;             // corners of the plane: lo.xy, hi.xy [state units]
uniform vec4 u_corners;           // the same corners in the scene [scene units]
uniform vec4 u_frame;             // centre of the plane, and a unit of the scene along its axes [state units]
uniform vec2 u_periods;           // period of each axis, 0 if it is not periodic [scene units]
uniform vec4 u_grid;              // grid lines per unit of the scene, and the position of zero between two of them
uniform ivec2 u_cells;            // cells of the heightfield along each axis
uniform float u_morph;            // 0: last critic, 1: current critic
uniform float u_height_scale;     // height of level 1 [scene units]
uniform vec2 u_value_range;       // critic values at levels 0 and 1
uniform vec3 u_light;             // unit vector towards the light
uniform int u_surface_instances;  // instances that draw the surface, before the agents'
uniform int u_vertices;           // vertices of each instance
uniform int u_agents;             // agents drawn
uniform int u_training_agent;     // agent being trained, in a colour of its own; -1: none
uniform int u_highlighted;        // agent with a double ring and a wider trail, above all; -1: none
uniform vec4 u_goal;              // the goal's region: its centre and semi-axes [scene units]
uniform vec2 u_goal_copy;         // from there to its copies over the edges of periodic axes, 0 if none is needed [scene units]
uniform float u_goal_depth;       // how much nearer its circle is than it lies, so that slopes right before it do not hide it [NDC]
uniform ivec2 u_circles;          // circles drawn behind the surface: of the goal, and all; two for each
uniform vec2 u_circle_radii;      // least of the goal's circle, that of the inner ring [px]
uniform int u_ring_rows;          // texture rows of one slot of the ring
uniform int u_ring_slots;         // slots of the ring
uniform int u_head;               // slot of the newest sample shown
uniform int u_head_step;          // simulation step of the newest sample shown
uniform int u_trail;              // steps that a trail reaches back
uniform int u_stride;             // steps between drawn samples (level of detail)
uniform float u_trail_width;      // width of a trail, less in a crowd [px]
uniform float u_marker_radius;    // radius of a marker, less in a crowd [px]
uniform int u_marker_shape;       // 0: sphere, 1: arrow along the heading
uniform float u_casing;           // width of a trail's outline, less in a crowd [px]; fragments get it in `v_tone`
uniform vec2 u_opacity;           // factors on the opacity of trails, of markers: less in a crowd
uniform vec4 u_depth_bias;        // towards the viewer: for all; per agent, of markers, of trails; of a trail's newest part, more than of its oldest [NDC]
uniform int u_chosen;             // agent that u_q_plus belongs to
uniform vec2 u_q_plus;            // q+ of the chosen agent's last certified triple; 1: there is one
uniform vec3 u_certificate;       // constants of the certificate: nu_bar, C_low, C_up
uniform float u_hidden_square;    // sum of the squares of the states not shown
