"""Training: the training loop, runs on disk, their metrics and plots."""
