"""Sources of agents and surfaces: everything that can be shown."""
