"""The older designs, as well written as they can be, for comparison with the program's own.

    gpu        hosts/panda/strip.py  samples in a texture, every vertex made on the GPU, one draw
    batched    batched.py             heights in one NumPy call, all trails in one mesh
    per_agent  per_agent.py           heights in a Python loop, a mesh for each trail and marker

They draw the same scene: all share the fragment shader and its hooks, the ribbons' arithmetic
(shaders/lib/expand.glsl) and the host. The meshes pass through every sample, and lie on the newest
critic's surface: they do not morph, show no past steps, and do not use an overlay's height.glsl.
"""
