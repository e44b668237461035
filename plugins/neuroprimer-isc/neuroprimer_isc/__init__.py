"""Inter-subject correlation: a lesson, its data, and the few functions that it calls."""
