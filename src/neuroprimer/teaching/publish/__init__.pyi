from .pages import lesson_page
from .serve import ServeError, serve_site
from .site import SITE_FOLDER, PublishError, publish_course, remove_site
from .verify import verify_site

__all__ = [
    "SITE_FOLDER",
    "PublishError",
    "ServeError",
    "lesson_page",
    "publish_course",
    "remove_site",
    "serve_site",
    "verify_site",
]
