"""CALF's training: the algorithm's loop, runs on disk, what is measured and drawn of them."""
