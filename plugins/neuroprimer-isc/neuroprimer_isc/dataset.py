"""The dataset ``film-watching``: what it is, and how its files come about.

What makes the files loads numpy and nibabel, so it runs in a process of its own, once; nothing
here does.
"""

import json
from pathlib import Path

from neuroprimer.teaching import Dataset, make_apart

# `python -m neuroprimer_isc.synthesis --record` writes it. Whoever changes what is made also
# changes the version.
DIGESTS = Path(__file__).with_name("digests.json")

FILM_WATCHING = Dataset(
    id="film-watching",
    title="Synthetic runs of 16 people who watch one film",
    description="Synthetic runs of 120 volumes, 8 mm, with a known shared signal in four regions, "
    "one region in which everybody has a signal of their own, drift, noise, and one viewer whose "
    "film began late; with a mask, the regions and the truth.",
    licence="CC0 1.0 but for the template in it: free with the notice of its makers",
    citation="Made by neuroprimer from the template of Fonov et al., NeuroImage 47 (2009) S102.",
    is_synthetic=True,
    files=json.loads(DIGESTS.read_bytes()),
    size_mb=6.6,
    version="2",
)


make_film_watching = make_apart(
    "neuroprimer_isc.synthesis",
    problem=f"The dataset {FILM_WATCHING.id!r} could not be made",
    hint="Is there room on the disk?",
)
