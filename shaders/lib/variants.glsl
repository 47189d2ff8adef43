// The built-in variants, each a macro: `--define NAME=VALUE` chooses. Generated from
// calf_viz/render/variants.py by `python -m calf_viz.render.variants`; do not edit.

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
