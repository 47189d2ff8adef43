"""What is written over the scene: panels, a colour bar, axes; one draw a frame."""
