// Trails rise with age.
uniform float u_rise;           // @slider 0..6 step 0.1 = 4 "rise"

float trail_lift(float age) {
    return u_rise * age;
}
