"""The scene as numbers: ring, camera, level of detail, colours, the shaders' inputs."""
