"""Pictures: slices of images, drawn where they are in the world."""
