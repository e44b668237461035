"""Publishing: exactly the runs that passed become a site, which is checked before it is shown."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
