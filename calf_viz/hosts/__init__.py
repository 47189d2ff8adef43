"""Hosts: textures, uniforms, one draw. What they share lies in calf_viz.render."""
