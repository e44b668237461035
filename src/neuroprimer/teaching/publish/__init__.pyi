from .addresses import owed_pages
from .jupyter_book import require_config
from .manifest import forget_site, is_up_to_date, record_site, site_inputs, site_sources
from .other_tools import export_course
from .pages import lesson_page
from .places import RUN_FOLDER, SITE_FOLDER, TOOLS, PublishError, clean_output, require_output
from .serve import ServeError, serve_site
from .site import keep_run, publish_course
from .verify import verify_site

__all__ = [
    "RUN_FOLDER",
    "SITE_FOLDER",
    "TOOLS",
    "PublishError",
    "ServeError",
    "clean_output",
    "export_course",
    "forget_site",
    "is_up_to_date",
    "keep_run",
    "lesson_page",
    "owed_pages",
    "publish_course",
    "record_site",
    "require_config",
    "require_output",
    "serve_site",
    "site_inputs",
    "site_sources",
    "verify_site",
]
