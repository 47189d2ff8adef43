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
#define BY_MODE 0    // trails show the rule that chose each step
#define BY_AGE 1    // how long ago it was
#define BY_SPEED 2    // how fast the agent moved
#define BY_CERTIFICATE 3    // whether the critic would certify the chosen agent's actor there; of a loop that gives margins: whether the step's was negative
#ifndef TRAIL_COLOUR
#define TRAIL_COLOUR BY_MODE
#endif

// MODE_BITS: determined by the view
//   2: bits of a mode, for up to 4 modes
//   3: for up to 8
#ifndef MODE_BITS
#define MODE_BITS 2
#endif

// PERIODIC: determined by the view
//   0: no axis of the plane wraps
//   1: one does, or both
#ifndef PERIODIC
#define PERIODIC 0
#endif

// MARGINS: determined by the view
//   0: steps have no margins
//   1: the highest bit of a mode: its step's was negative
#ifndef MARGINS
#define MARGINS 0
#endif

// DEVIATIONS: determined by the view
//   0: a value that is not finite is marked
//   1: values are deviations from zero; where there is none, it is grey
#ifndef DEVIATIONS
#define DEVIATIONS 0
#endif

// PICKING: determined by the program
//   0: colours are drawn
//   1: numbers of agents, in what the mouse reads
#ifndef PICKING
#define PICKING 0
#endif

// Steps between drawn samples, so that the modes of a segment fit an int; samples whose
// modes a texel tells.
const int LONGEST_STRIDE = 30 / MODE_BITS, MODES_EACH = 10 / MODE_BITS;
const int MODE_MASK = (1 << MODE_BITS) - 1;

// Entries of the palette's second row, after those of the modes: the first of the
// same for the agent in training (twice as far on, those of circles, and thrice, the
// same for the agent with a ring), and those of trails by certificate; a row of it; and
// steps over the plane of an agent of medium speed.
const int TRAINEE_COLOURS = 8;
const int TRAIL_CERTIFIED = 18, TRAIL_REFUSED = 19;
const int TRAIL_RAMP_ROW = 3;
const float TRAIL_FAST = 400.0;
