"""A real cluster of two workers, each a process of its own with one thread."""

from collections.abc import Iterator

import pytest
from distributed import LocalCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",  # the usual one is for one cluster on a machine
        env={"ONLY_THERE": "yes"},
    ) as cluster:
        yield cluster
