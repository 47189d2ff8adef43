// Trails of finished episodes fade out, and do not hang on until they are a trail's length old.

const float FADE_STEPS = 50.0;  // after the next episode's first sample, nothing is left of any

// The age that a trail's colour and width have, 0 to 1 or beyond; ended: steps since the next episode
// began, 0 if there is none.
float faded_age(float age, int ended) { return age + float(ended) * (1.0 / FADE_STEPS); }

// Half width of a trail that trail_width.glsl makes `width` wide: beyond an age of 1 it shrinks to
// nothing, whatever opacity trail_colour.glsl gives it.
float faded_width(float width, float age) {
    return mix(width, -0.5, clamp(2.0 * age - 2.0, 0.0, 1.0));
}
