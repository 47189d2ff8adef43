"""What is written over the scene: panels, a colour bar, axes; at most two draws a frame."""
