"""The built-in course: lessons on images and the space they lie in."""
