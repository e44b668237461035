from .pages import lesson_page
from .serve import ServeError, serve_site
from .site import SITE_FOLDER, PublishError, clean_output, publish_course
from .verify import verify_site

__all__ = [
    "SITE_FOLDER",
    "PublishError",
    "ServeError",
    "clean_output",
    "lesson_page",
    "publish_course",
    "serve_site",
    "verify_site",
]
