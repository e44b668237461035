"""The cache: what a run depended on, the runs that were kept, and why a lesson ran again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
