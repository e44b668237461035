"""A lesson on first-level models, and what compares designs and contrasts."""
