// The agent in training: in a colour of its own, larger, and above all others.

const float TRAINING_MARKER = 1.35;   // size of its marker

// Modes, 2 bits each, as they are drawn of an agent: certified steps of the one in training have
// the palette's fourth colour. (What is not drawn needs no colour, so 3 is free here.)
int drawn_modes(int modes, int agent) {
    int certified = ~(modes | modes >> 1) & 0x15555555;
    return agent == u_training_agent ? modes | certified * 3 : modes;
}

float marker_radius(int agent) {
    return u_marker_radius * (agent == u_training_agent ? TRAINING_MARKER : 1.0);
}

// Which agent's depth it takes: later agents lie nearer.
int depth_agent(int agent) { return agent == u_training_agent ? u_agents : agent; }
