// How far above the surface a trail passes, in units of the scene. (Hook.)
// in  age  0 at the agent, 1 at the trail's end; give 0 there, or the marker leaves its trail
float trail_lift(float age) {
    return 0.0;
}
