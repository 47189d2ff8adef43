"""What is drawn, as numbers: ring, camera, level of detail, colours, the shaders' inputs."""
