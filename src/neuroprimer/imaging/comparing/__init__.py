"""How an answer differs from what was expected, in words that do not give the expected away."""
