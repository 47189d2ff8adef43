"""What a recorded critic promised, minus the return that really followed."""
