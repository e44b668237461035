"""Reports: the outcome of a build for programs, for CI jobs and for the readers of a site."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
