"""The engine: threads, compiled loops, and what every function asks of its options."""
