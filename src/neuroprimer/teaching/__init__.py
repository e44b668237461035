"""The framework: plugins bring lessons, which are executed, validated and published."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
