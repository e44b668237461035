from .as_json import finding_as_dict, lesson_as_dict, report_as_dict, write_json
from .figures import Figures
from .files import ReportError, report_error, require_report_file, write_report
from .junit import write_junit
from .summary import add_job_summary, summary_of

__all__ = [
    "Figures",
    "ReportError",
    "add_job_summary",
    "finding_as_dict",
    "lesson_as_dict",
    "report_as_dict",
    "report_error",
    "require_report_file",
    "summary_of",
    "write_json",
    "write_junit",
    "write_report",
]
