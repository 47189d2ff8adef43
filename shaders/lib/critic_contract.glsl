// What the critic's passes are given. Generated from calf_viz/glsl/critic_contract.py by
// `python -m calf_viz.glsl.critic_contract`; do not edit.

uniform sampler2D u_critic_weights;  // rgba32f: the networks; see calf_viz/scene/critic.py
uniform sampler2D u_critic_values;   // rgba32f: critic at each node: value, 1 where not finite
uniform sampler2D u_critic_columns;  // rgba32f: per column: lowest, highest, good, bad nodes
uniform sampler2D u_critic_range;    // rgba32f: of all nodes: lowest, highest, good, bad nodes
uniform sampler2D u_critic_knots;    // rgba32f: the scale: warped values, and their levels
uniform sampler2D u_critic_last;     // rgba32f: the heightfield shown until now
uniform vec4 u_critic_plane;         // corners of the plane: lo.xy, hi.xy [state units]
uniform ivec2 u_critic_cells;        // cells of the grid along each axis
uniform vec3 u_critic_scale;         // how values are warped; lowest value; threshold of symlog
uniform float u_critic_morph;        // position of the morph; < 0: there is no last surface
