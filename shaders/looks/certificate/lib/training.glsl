// The agent in training as ever; the chosen agent, whose certificate is shown, has room for a ring,
// and both are above all others.

const float TRAINING_MARKER = 1.35;   // size of its marker
const float CHOSEN_MARKER = 1.8;      // up to the outside of the ring

int trainee(int agent) { return agent == u_training_agent ? 1 : 0; }

int marker_colour(int mode, int agent) { return agent == u_training_agent ? TRAINEE_COLOURS : mode; }

float marker_radius(int agent) {
    float size = agent == u_training_agent ? TRAINING_MARKER : 1.0;
    return u_marker_radius * (agent == u_chosen ? CHOSEN_MARKER : size);
}

// The ring is larger than what lies on the surface: it must not sink where that curves.
int depth_agent(int agent) {
    return agent == u_chosen ? 6 * u_agents : agent == u_training_agent ? u_agents : agent;
}
