"""Recordings: what agents did, and the critic of then, in a folder of Arrow streams."""
