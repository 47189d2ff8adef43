"""The HUD over the scene: panels, a colour bar, axes; one draw per frame."""
