"""JSON: the outcome for programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuroprimer.teaching.model import Finding, Lesson
from neuroprimer.teaching.reports.figures import Figures
from neuroprimer.teaching.reports.files import write_report


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON-ready values, with its fix and documentation page."""
    return {
        "rule": finding.rule,
        "title": finding.definition.title,
        "subject": finding.subject,
        "cell": finding.cell,
        "message": finding.message,
        "fix": finding.definition.fix,
        "page": finding.definition.page,
    }


def lesson_as_dict(lesson: Lesson, *, brought_by: str) -> dict[str, Any]:
    """Return what a lesson says of itself as JSON-ready values."""
    return {
        "id": lesson.id,
        "title": lesson.title,
        "description": lesson.description,
        "plugin": brought_by,
        "objectives": list(lesson.objectives),
        "questions": list(lesson.questions),
        "key_points": list(lesson.key_points),
        "prerequisites": list(lesson.prerequisites),
        "datasets": list(lesson.datasets),
        "level": lesson.level,
        "teaching_min": lesson.teaching_min,
        "exercise_min": lesson.exercise_min,
        "authors": list(lesson.authors),
    }


def report_as_dict(figures: Figures) -> dict[str, Any]:
    """Return one lesson's outcome as JSON-ready values; units stand in the names.

    Parameters
    ----------
    figures : Figures
        The outcome, and what to hold it against.
    """
    report, result = figures.report, figures.result
    return {
        "lesson": report.lesson.id,
        "passed": report.passed,
        "cached": result.cached,
        "reason": result.reason,
        "start_s": round(result.start_s, 3),
        "duration_s": round(result.duration_s, 3),
        "cpu_s": round(result.cpu_s, 3),
        "peak_bytes": result.peak_bytes,
        "declared_min": figures.declared_min,
        "budget_s": figures.budget_s,
        "usual_s": None if figures.usual_s is None else round(figures.usual_s, 3),
        "cells_run": len(result.cell_durations_s),
        "slowest_cells": [
            {"cell": number, "duration_s": round(seconds, 3)}
            for number, seconds in figures.slowest_cells
        ],
        "cell_durations_s": {
            str(number): round(seconds, 3) for number, seconds in result.cell_durations_s.items()
        },
        "proof_s": round(result.proof_s, 3),
        "exercises": [asdict(proof) for proof in result.proofs],
        "findings": [finding_as_dict(finding) for finding in report.findings],
    }


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a report as JSON, whole or not at all."""
    write_report(file, json.dumps(content, indent=2) + "\n")
