from .build import BuildReport, build_course, require_current_site, validate_lessons
from .catalogue import Catalogue, load_catalogue
from .classroom import OpenLesson, lesson
from .contents import content_digest
from .course import course_of_all, find_course, load_course, require_lessons
from .datasets import dataset_files
from .downloads import download, load_json
from .event_log import EventLog
from .events import LessonEvent
from .execute import execute_lessons
from .exercises.model import CheckOutcome, Exercise, FindData, Incorrect, WrongAnswer
from .exercises.quizzes import Choice, NumericQuiz, Quiz, check_quiz
from .hookspecs import API_VERSION, hookimpl
from .kept_data import DatasetError, keep_dataset
from .lesson_files import load_lesson
from .makers import make_apart
from .model import (
    Course,
    Dataset,
    ExecutionResult,
    Finding,
    Lesson,
    Limits,
    Part,
    ValidationReport,
    Variant,
)
from .plugins import hook_names
from .publish import publish_course
from .reports import (
    add_job_summary,
    finding_as_dict,
    lesson_as_dict,
    require_report_file,
    summary_of,
    write_junit,
    write_report,
)
from .rules import RULES, Rule
from .transfers import DownloadError, Patience
from .validate import validate_run

__all__ = [
    "API_VERSION",
    "RULES",
    "BuildReport",
    "Catalogue",
    "CheckOutcome",
    "Choice",
    "Course",
    "Dataset",
    "DatasetError",
    "DownloadError",
    "EventLog",
    "ExecutionResult",
    "Exercise",
    "FindData",
    "Finding",
    "Incorrect",
    "Lesson",
    "LessonEvent",
    "Limits",
    "NumericQuiz",
    "OpenLesson",
    "Part",
    "Patience",
    "Quiz",
    "Rule",
    "ValidationReport",
    "Variant",
    "WrongAnswer",
    "add_job_summary",
    "build_course",
    "check_quiz",
    "content_digest",
    "course_of_all",
    "dataset_files",
    "download",
    "execute_lessons",
    "find_course",
    "finding_as_dict",
    "hook_names",
    "hookimpl",
    "keep_dataset",
    "lesson",
    "lesson_as_dict",
    "load_catalogue",
    "load_course",
    "load_json",
    "load_lesson",
    "make_apart",
    "publish_course",
    "require_current_site",
    "require_lessons",
    "require_report_file",
    "summary_of",
    "validate_lessons",
    "validate_run",
    "write_junit",
    "write_report",
]
