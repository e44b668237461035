"""Space: affines, what they are made of and what they do, and grids."""
