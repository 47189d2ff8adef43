"""Pictures to files: videos, animations, single pictures. Knows nothing of what they show."""
