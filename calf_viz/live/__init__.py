"""Training that is watched: a trainer in a process of its own, and what the viewer sees of it."""
