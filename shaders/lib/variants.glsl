// The built-in variants, each a macro: `--define NAME=VALUE` chooses. Generated from
// calf_viz/glsl/variants.py by `python -m calf_viz.glsl.variants`; do not edit.

// TRAILS
//   1: trails are drawn
//   0: markers alone
#ifndef TRAILS
#define TRAILS 1
#endif

// CONTOURS
//   1: contours on the surface
//   0: none
#ifndef CONTOURS
#define CONTOURS 1
#endif

// TRAIL_COLOUR
#define BY_MODE 0    // trails tell the rule that chose each step
#define BY_AGE 1    // how long ago it was
#define BY_SPEED 2    // how fast the agent moved
#define BY_CERTIFICATE 3    // whether the critic would certify the chosen agent's actor there
#ifndef TRAIL_COLOUR
#define TRAIL_COLOUR BY_MODE
#endif

// What trails are coloured with: entries of the palette's second row, a row of it, and
// steps over the plane of an agent of middling speed.
const int TRAIL_CERTIFIED = 0, TRAIL_REFUSED = 4;
const int TRAIL_RAMP_ROW = 3;
const float TRAIL_FAST = 400.0;
