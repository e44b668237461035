"""Golden cells: their outputs are held against what an author has approved."""
