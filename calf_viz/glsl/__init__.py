"""The shaders' text: read, expanded, checked, compiled; and the contract with those who draw."""
