"""Kernels: a fresh process for each lesson, forked from one that has its libraries in memory."""
