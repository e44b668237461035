from .addresses import owed_pages
from .archive import write_archive
from .catalogue_pages import datasets_in
from .jupyter_book import require_config
from .launch import write_notebooks
from .manifest import forget_site, is_up_to_date, record_site, site_inputs, site_sources
from .other_tools import export_course, require_export_folder
from .pages import lesson_page
from .places import RUN_FOLDER, SITE_FOLDER, TOOLS, PublishError, clean_output, require_output
from .printing import PrintError, print_lesson
from .serve import ServeError, serve_site
from .site import keep_run, publish_course, publishing_notes
from .verify import verify_site

__all__ = [
    "RUN_FOLDER",
    "SITE_FOLDER",
    "TOOLS",
    "PrintError",
    "PublishError",
    "ServeError",
    "clean_output",
    "datasets_in",
    "export_course",
    "forget_site",
    "is_up_to_date",
    "keep_run",
    "lesson_page",
    "owed_pages",
    "print_lesson",
    "publish_course",
    "publishing_notes",
    "record_site",
    "require_config",
    "require_export_folder",
    "require_output",
    "serve_site",
    "site_inputs",
    "site_sources",
    "verify_site",
    "write_archive",
    "write_notebooks",
]
