"""Where agents and surfaces come from: everything that a picture can be of."""
