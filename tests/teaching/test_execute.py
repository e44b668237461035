"""Execution in real kernels: what comes out, what is kept apart, what is left behind."""

import os
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from neuroprimer.teaching import Limits, execute_lessons
from neuroprimer.teaching.kernels.workshop import FOLDER_PREFIX

pytestmark = pytest.mark.kernel


def text_of(result, number: int = 0) -> str:
    return result.notebook.cells[number + 1].outputs[0].text


def kernels_of_this_test() -> list[psutil.Process]:
    """Return the kernels that this process started and that still run."""
    mine = []
    for process in psutil.Process().children(recursive=True):
        try:
            is_plain = "ipykernel_launcher" in " ".join(process.cmdline())
            if is_plain or process.name() == "np-kernel":
                mine.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return mine


def test_outputs_are_those_of_the_code(make_lesson):
    lesson = make_lesson("print(6 * 7)", "1 / 4")

    (result,) = execute_lessons([lesson])

    assert result.failure is None
    assert text_of(result) == "42\n"
    assert result.notebook.cells[2].outputs[0].data["text/plain"] == "0.25"
    assert [cell.execution_count for cell in result.notebook.cells[1:]] == [1, 2]
    assert set(result.cell_durations_s) == {1, 2}
    assert 0 < result.start_s < result.duration_s


def test_results_keep_the_order_of_lessons_whatever_ends_first(make_lesson):
    slow = make_lesson("import time; time.sleep(1)", lesson_id="slow")
    quick = make_lesson("1", lesson_id="quick")
    ended = []

    results = execute_lessons(
        [slow, quick],
        jobs=2,
        on_event=lambda event: ended.append(event.lesson.id) if event.result else None,
    )

    assert [result.lesson.id for result in results] == ["slow", "quick"]
    assert ended == ["quick", "slow"]


def test_no_more_kernels_than_jobs(make_lesson):
    lessons = [make_lesson("import time; time.sleep(.3)", lesson_id=f"n{i}") for i in range(3)]
    running, most = set(), 0

    def count(event):
        nonlocal most
        (running.discard if event.result else running.add)(event.lesson.id)
        most = max(most, len(running))

    execute_lessons(lessons, jobs=1, on_event=count)

    assert most == 1


def test_lessons_do_not_see_each_other_or_the_caller(make_lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = """
    import os, pathlib
    print(os.environ.get("LEFT"), len(list(pathlib.Path().iterdir())), "x" in globals())
    os.environ["LEFT"], x = "here", 1
    pathlib.Path("litter").touch()
    """
    lessons = [make_lesson(code, lesson_id=name) for name in ("one", "two")]

    results = execute_lessons(lessons, jobs=1)

    assert [text_of(result) for result in results] == ["None 0 False\n"] * 2
    assert not (tmp_path / "litter").exists()


def test_temporary_files_of_a_lesson_are_gone_with_it(make_lesson):
    lesson = make_lesson(
        "import tempfile, pathlib; f = tempfile.mkdtemp(); print(pathlib.Path(f).parent.parent)"
    )

    (result,) = execute_lessons([lesson])
    folder = Path(text_of(result).strip())

    assert folder.parent.name.startswith(FOLDER_PREFIX)
    assert not folder.parent.exists()


def test_kernels_get_the_variables_they_are_given(make_lesson):
    lesson = make_lesson("import os; print(os.environ['COLOUR'])")

    (result,) = execute_lessons([lesson], variables={"COLOUR": "grey"})

    assert text_of(result) == "grey\n"


def test_stored_outputs_do_not_survive(make_lesson, tmp_path):
    stale = new_output("stream", name="stdout", text="stale\n")
    notebook = new_notebook(cells=[new_code_cell("pass", outputs=[stale])])
    file = tmp_path / "lesson.ipynb"
    nbformat.write(notebook, file)

    (result,) = execute_lessons([replace(make_lesson("1"), path=file)])

    assert result.notebook.cells[0].outputs == []


def test_tagged_error_is_shown_and_the_lesson_goes_on(make_lesson):
    lesson = make_lesson("---\ntags: [raises-exception]\n---\n1 / 0", "print('on')")

    (result,) = execute_lessons([lesson])

    assert result.failure is None
    assert result.notebook.cells[1].outputs[0].ename == "ZeroDivisionError"
    assert text_of(result, 1) == "on\n"


def test_failed_lesson_keeps_what_it_did_and_stops_no_other(make_lesson):
    bad = make_lesson("print('before')", "raise ValueError('no')", "3", lesson_id="bad")
    good = make_lesson("print('good')", lesson_id="good")

    first, second = execute_lessons([bad, good], jobs=2)

    assert first.failure.rule == "NP301"
    assert first.failure.cell == 2
    assert first.failure.message == "ValueError: no at `raise ValueError('no')`"
    assert text_of(first) == "before\n"
    assert first.notebook.cells[3].execution_count is None
    assert second.failure is None


def test_question_that_nobody_can_answer_is_an_error_at_once(make_lesson):
    (result,) = execute_lessons([make_lesson("input('name? ')")])

    assert result.failure.rule == "NP301"
    assert "StdinNotImplementedError" in result.failure.message


def test_one_long_line_holds_nobody_up(make_lesson):
    began = time.monotonic()

    (result,) = execute_lessons([make_lesson("print('x' * 1_000_000)")])

    assert len(text_of(result)) == 1_000_001
    assert time.monotonic() - began < 15  # a pattern that backtracks takes minutes


def test_long_words_of_an_error_are_cut(make_lesson):
    (result,) = execute_lessons([make_lesson("raise ValueError('z ' * 100_000)")])

    assert len(result.failure.message) < 500


def test_own_time_limit_of_a_lesson_goes_before_the_course(make_lesson):
    patient = make_lesson("import time; time.sleep(.5)", lesson_id="patient", cell_timeout_s=30)
    hurried = make_lesson("import time; time.sleep(.5)", lesson_id="hurried")

    results = execute_lessons([patient, hurried], limits=Limits(cell_timeout_s=0.1))

    assert [r.failure and r.failure.rule for r in results] == [None, "NP302"]


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import subprocess; subprocess.Popen(['sleep', '4321']).wait()",
    ],
    ids=["loops", "ignores signals", "waits for a child"],
)
def test_nothing_runs_on_after_a_breach_of_time(make_lesson, code):
    lesson = make_lesson(code)
    began = time.monotonic()

    (result,) = execute_lessons([lesson], limits=Limits(cell_timeout_s=0.5))

    assert result.failure.rule == "NP302"
    assert time.monotonic() - began < 15
    assert kernels_of_this_test() == []
    assert not [p for p in psutil.process_iter(["cmdline"]) if "4321" in (p.info["cmdline"] or ())]


@pytest.mark.parametrize("in_own_session", [False, True])
def test_child_that_a_lesson_leaves_behind_is_killed(make_lesson, in_own_session):
    lesson = make_lesson(
        "import subprocess\n"
        f"child = subprocess.Popen(['sleep', '4322'], start_new_session={in_own_session})\n"
        "print(child.pid)"
    )

    (result,) = execute_lessons([lesson])

    assert result.failure is None
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(text_of(result))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(text_of(result)))


def test_error_of_ours_reaches_the_caller_and_leaves_no_kernel(make_lesson):
    def explode(event):
        if event.cell:
            raise RuntimeError("a bug of ours")

    with pytest.raises(ExceptionGroup, match="unhandled") as caught:
        execute_lessons([make_lesson("1")], on_event=explode)

    assert caught.group_contains(RuntimeError, match="a bug of ours")
    assert kernels_of_this_test() == []


def test_same_lesson_gives_the_same_run(make_lesson):
    lesson = make_lesson(
        "import uuid; from IPython.display import HTML; HTML(f'<i id={uuid.uuid4().hex}>x</i>')",
        "object()",
        "print({hash('a'), hash('b')})",
    )

    first, second = (execute_lessons([lesson])[0] for _ in range(2))

    assert first.notebook == second.notebook


def test_interactive_viewer_is_the_same_in_every_run(make_lesson):
    lesson = make_lesson(
        """
        import warnings
        warnings.simplefilter("ignore")  # nilearn's own
        from nilearn import datasets, plotting
        plotting.view_img(datasets.load_sample_motor_activation_image(), threshold=3)
        """
    )

    first, second = (execute_lessons([lesson])[0] for _ in range(2))

    assert "<iframe" in first.notebook.cells[1].outputs[0].data["text/html"]
    assert first.notebook == second.notebook


def test_environment_of_the_caller_is_unchanged(make_lesson):
    before = dict(os.environ)

    execute_lessons([make_lesson("1")], variables={"COLOUR": "grey"})

    assert dict(os.environ) == before
