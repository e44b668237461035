"""Resampling: images onto other grids."""
