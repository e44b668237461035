"""Lessons on the workers of a Dask cluster; loaded only when one is used."""
