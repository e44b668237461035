"""Synthesis: the course's own data, made by a program whose truth is known.

The same bytes come out on every machine: random numbers are whole numbers of a generator whose
stream is promised not to change, all else is of double precision, and what is written is rounded to
steps that are a million times coarser than what processors may disagree about.
"""
