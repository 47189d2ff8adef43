"""What both hosts share: the contract with the shaders, ring layout, camera, level of detail."""
