"""Signs by which code in a kernel knows who runs it."""

import os

# A build gives each lesson a seed of its own; a student's kernel has none.
SEED_VARIABLE = "NEUROPRIMER_SEED"


def runs_in_a_build() -> bool:
    """Tell whether this process is a kernel of a build, and no student's."""
    return SEED_VARIABLE in os.environ
