// The mode's colour now, fading to a pale past; round like a tube, in a dark halo that keeps it apart
// from the trails behind it. Without the halo these would show through its soft edge in places only,
// as that hides those drawn later and not those drawn before.
const vec3 HALO = vec3(0.045, 0.04, 0.065);

vec4 trail_colour(vec3 colour, int mode, float age, float edge) {
    vec3 past = mix(colour, vec3(0.96, 0.90, 1.0), 0.75 * age);
    float tube = min(edge / 0.72, 1.0);
    float round_light = sqrt(max(1.0 - tube * tube, 0.0));
    vec3 lit = past * (0.45 + 0.55 * round_light);
    return vec4(mix(lit, HALO, smoothstep(0.62, 0.82, edge)), 1.0 - age * age * age);
}
