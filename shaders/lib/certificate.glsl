// The certificate of CALF on the surface: where would the critic certify the actor's action, if the
// chosen agent were there? (In a system with hidden states: with these at the slice.)
//
//     q - q+ >= nu_bar      and      C_low r^2 <= -q <= C_up r^2

#include "lib/values.glsl"

// q at a level: values are those of -q.
float critic_q(float level) { return -value_of(level); }

// By how much q exceeds what the first condition requires, in units of q. Before the first certified
// triple, nothing is required.
float certificate_rise(float level) {
    return u_q_plus.y > 0.0 ? critic_q(level) - u_q_plus.x - u_certificate.x : 1.0;
}

// The smaller of the distances to the two bounds, in units of q; negative outside them.
float certificate_room(vec2 point, float level) {
    float square = dot(point, point) + u_hidden_square;
    float candidate = -critic_q(level);
    return min(candidate - u_certificate.y * square, u_certificate.z * square - candidate);
}

bool certified(vec2 point, float level) {
    return u_q_plus.y == 0.0
        || (certificate_rise(level) >= 0.0 && certificate_room(point, level) >= 0.0);
}
