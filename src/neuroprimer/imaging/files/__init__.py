"""Files: images on disk, and what they look like in memory."""
