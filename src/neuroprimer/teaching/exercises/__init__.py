"""Exercises: what is asked, how an answer is checked, and the proof that the check is right."""
