"""Exercises proven in the kernel of their lesson, which must not notice."""

from dataclasses import asdict
from textwrap import dedent

import psutil
import pytest

from neuroprimer.teaching import execute_lessons, load_lesson, validate_run
from neuroprimer.teaching.exercises import proving
from neuroprimer.teaching.proofs import ProofOutcome

pytestmark = pytest.mark.kernel

HEAD = "import neuroprimer; lesson = neuroprimer.lesson('a-lesson')"

# An exercise whose answer is a list that the lesson shares with it.
CELL = """
    ### BEGIN SOLUTION
    total = sum(numbers)
    ### END SOLUTION
    lesson.check("total", total)
"""

FILE = """
    from neuroprimer.teaching import Exercise, Incorrect, WrongAnswer

    def check(answer, data):
        if not isinstance(answer, (int, float)) or isinstance(answer, bool):
            raise Incorrect("A sum is a number.")
        if answer == 3:
            raise Incorrect("That is how many there are.")
        if answer != 60:
            raise Incorrect("Add all of them.")

    EXERCISES = [
        Exercise(
            id="total",
            prompt="What do the numbers add up to?",
            check=check,
            hints=("There is a function for it.",),
            wrong_answers=(
                WrongAnswer(code="total = len(numbers)", message="how many there are"),
                WrongAnswer(code="total = numbers[0]", message="Add all of them"),
                {more}
            ),
            {options}
        ),
    ]
"""


@pytest.fixture
def prove(write_lesson, course_folder):
    """Run a lesson with one exercise, and return its result."""
    assert course_folder.exists()  # its plugin brings the lesson

    def run(more="", options="", file=FILE, cells=(HEAD, "numbers = [10, 20, 30]", CELL), **kwargs):
        lesson = write_lesson(*cells, exercises="exercises.py")
        text = dedent(file).replace("{more}", more).replace("{options}", options)
        lesson.with_name("exercises.py").write_text(text)
        variables = {"NEUROPRIMER_PLUGINS_DIR": str(lesson.parent)}
        (result,) = execute_lessons([load_lesson(lesson)], variables=variables, **kwargs)
        return result

    return run


def rules_of(result):
    return [finding.rule for finding in validate_run(result).findings]


def wrong(code, message):
    return f"WrongAnswer(code={dedent(code).strip()!r}, message={message!r}),"


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "plain"])
def test_exercise_is_proven_three_ways(prove, forks):
    result = prove(forks=forks)

    (proof,) = result.proofs
    assert rules_of(result) == []
    assert (proof.exercise_id, proof.cell) == ("total", 3)
    assert proof.stub.state == "missing"
    assert proof.reference.state == "right"
    assert [one.verdict.message for one in proof.wrong] == [
        "That is how many there are.",
        "Add all of them.",
    ]
    assert {one.name for one in proof.mutants} >= {"sign", "one more", "missing", "not a number"}
    assert all(one.verdict.state == "wrong" for one in proof.mutants)
    assert "✓ total: That is right." in str(result.notebook.cells[3].outputs)


def test_proof_survives_json(prove):
    (proof,) = prove().proofs

    assert ProofOutcome.from_dict(asdict(proof)) == proof


def test_proof_that_another_version_has_kept_is_read():
    content = asdict(ProofOutcome(exercise_id="total", cell=1))
    del content["hints"]

    assert ProofOutcome.from_dict({**content, "n_hints": 2}).hints == ()


DISTURBING = (
    wrong("numbers.clear(); total = 1", "Add all"),
    wrong("import os; os.chdir('/'); os.environ['X'] = '1'; total = 2", "Add all of"),
    wrong("import random; random.seed(1); total = random.random()", "Add all of th"),
    wrong("import numpy; numpy.random.seed(1); total = 4", "Add all of the"),
    wrong("print('noise'); import sys; print('noise', file=sys.stderr); total = 5", "Add al"),
    wrong("import os; os.write(1, b'noise'); os.system('echo noise'); total = 6", "Add a"),
    wrong("del lesson.check", "FrozenInstanceError"),
    wrong("total = 1; raise SystemExit", "SystemExit"),
    wrong("import os; os._exit(0)", "its process ended"),
    wrong(
        "display('noise'); get_ipython().run_cell('1 + 1', store_history=True); total = 7", "Add"
    ),
)


def test_run_is_the_same_with_and_without_the_proof(prove, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # for its sake ipykernel does not watch descriptors
    cells = (
        HEAD,
        "import os, random, numpy as np; numbers = [10, 20, 30]",
        CELL,
        "print(numbers, os.path.basename(os.getcwd()), os.environ.get('X'), _)",
        "print(random.random(), np.random.rand(), In[-2:], sorted(Out))",
    )

    proven = prove(more="\n".join(DISTURBING), cells=cells)
    unproven = prove(more="\n".join(DISTURBING), cells=cells, proves=False)

    assert len(proven.proofs[0].wrong) == 2 + len(DISTURBING)
    assert validate_run(proven).findings == ()
    assert unproven.proofs == ()
    assert proven.notebook == unproven.notebook
    assert set(proven.imported) == set(unproven.imported)


def test_wrong_answer_that_never_ends_is_cut_off(prove, monkeypatch):
    more = wrong("import subprocess; subprocess.Popen(['sleep', '1234']); total = 1", "Add all")
    more += wrong("while True: pass", "still running")
    monkeypatch.setenv(proving.TIMEOUT_VARIABLE, "0.5")

    result = prove(more=more)

    assert [one.verdict.state for one in result.proofs[0].wrong][2:] == ["wrong", "endless"]
    assert rules_of(result) == []
    assert result.failure is None
    assert not [
        one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "1234"]
    ]


@pytest.mark.parametrize(
    ("options", "rule", "words"),
    [
        ({"more": wrong("total = 60", "Add")}, "NP319", "passes"),
        ({"more": wrong("total = 59", "Nobody says this")}, "NP319", "Nobody says this"),
        ({"more": wrong("total = 1 / 0", "division")}, None, ""),
        ({"more": wrong("total = 59", "how many there are")}, "NP319", "told the same"),
        ({"file": FILE.replace("answer != 60", "answer < 60")}, "NP320", "one more"),
        ({"file": FILE.replace("!= 60", "!= 61")}, "NP318", "does not pass"),
        (
            {"file": FILE.replace("if not isinstance", "if answer < 0 or not isinstance")},
            "NP321",
            "TypeError",
        ),
        ({"options": "points=2, harmless={'sign': 'no reason'}"}, None, ""),
        (
            {"file": FILE.replace("There is a function for it.", "sum(numbers) does.")},
            "NP207",
            "sum",
        ),
        ({"file": FILE.replace("There is a function for it.", "It is 60.")}, "NP207", "60"),
        ({"file": FILE.replace("{more}", "][:1] + [")}, "NP204", "SyntaxError"),
        ({"file": FILE.replace('id="total"', 'id="sum"')}, "NP204", "no exercise 'total'"),
        ({"file": "EXERCISES = 3"}, "NP204", "no list EXERCISES"),
        (
            {"cells": (HEAD, "numbers = [10, 20, 30]", "lesson.check('total', 60)")},
            "NP205",
            "marks",
        ),
        ({"cells": (HEAD,)}, "NP205", "no cell checks an exercise"),
    ],
)
def test_fault_of_an_exercise_is_found(prove, options, rule, words):
    result = prove(**options)

    findings = validate_run(result).findings
    assert [one.rule for one in findings] == ([rule] * len(findings) if rule else [])
    assert bool(findings) == bool(rule)
    assert all(one.subject == "a-lesson" for one in findings)
    assert words in " ".join(one.message for one in findings)


def test_hidden_test_that_refuses_an_answer_hides_no_feedback(prove):
    hidden = "    ### BEGIN HIDDEN TESTS\n    assert total == 60\n    ### END HIDDEN TESTS\n"

    result = prove(cells=(HEAD, "numbers = [10, 20, 30]", CELL + hidden))

    assert rules_of(result) == []


def test_exercise_with_one_wrong_answer_is_a_finding(prove):
    file = FILE.replace('WrongAnswer(code="total = numbers[0]", message="Add all of them"),', "")

    assert rules_of(prove(file=file)) == ["NP206"]


def test_check_that_takes_the_stub_for_an_answer_is_a_finding(prove):
    cell = CELL.replace("total)", "len(str(total)))")
    file = FILE.replace("answer != 60", "answer not in (2, 8)").replace("== 3", "== 1")

    result = prove(cells=(HEAD, "numbers = [10, 20, 30]", cell), file=file)

    assert "NP317" in rules_of(result)


def test_exercise_that_no_cell_checks_is_a_finding(prove):
    second = FILE[FILE.index("        Exercise(") : FILE.rindex("    ]")]
    file = FILE.replace("    ]\n", second.replace('"total"', '"other"') + "    ]\n")

    (finding,) = validate_run(prove(file=file)).findings

    assert (finding.rule, finding.message) == ("NP205", "other: no cell checks it.")


def test_check_without_a_file_of_exercises_is_a_finding(make_lesson):
    lesson = make_lesson("class lesson:\n    check = print", CELL.replace("sum(numbers)", "1"))

    (result,) = execute_lessons([lesson])

    assert rules_of(result) == ["NP205"]


def test_markers_that_do_not_belong_together_are_a_finding(prove):
    cell = CELL.replace("### END SOLUTION", "")

    result = prove(cells=(HEAD, cell))

    assert result.failure.rule == "NP205"
    assert "### END SOLUTION" in result.failure.message


def test_what_a_lesson_has_used_of_openmp_does_not_hang_its_proof(prove):
    cells = (
        HEAD,
        "from sklearn.cluster import KMeans; import numpy as np; numbers = [10, 20, 30]",
        "labels = KMeans(2, n_init=1, random_state=0).fit(np.eye(4)).labels_",
        CELL,
    )
    more = wrong("KMeans(2, n_init=1, random_state=0).fit(np.eye(4)); total = 1", "Add all")

    result = prove(more=more, cells=cells)

    assert rules_of(result) == []
    assert result.proofs[0].wrong[-1].verdict.state == "wrong"


def test_nothing_is_left_of_a_proof(prove):
    before = {one.pid for one in psutil.Process().children(recursive=True)}

    prove()

    assert {one.pid for one in psutil.Process().children(recursive=True)} <= before


READING = """
    import os
    from functools import cache
    from pathlib import Path
    from neuroprimer.teaching import Exercise, Incorrect, WrongAnswer

    @cache
    def read():
        with Path("READ").open("a") as file:
            print(os.getpid(), file=file)
        return 60

    def check(answer, data):
        if not isinstance(answer, int) or answer != read():
            raise Incorrect(f"Add all of them, not {answer}.")

    EXERCISES = [
        Exercise(
            id="total",
            prompt="What do the numbers add up to?",
            check=check,
            hints=("There is a function for it.",),
            wrong_answers=tuple(
                WrongAnswer(code=f"total = {number}", message=f"them, not {number}")
                for number in range(20, 25)
            ),
        ),
    ]
"""


def test_what_a_check_keeps_is_read_once_for_all_wrong_answers(prove, tmp_path):
    read = tmp_path / "read.txt"

    result = prove(file=READING.replace("READ", str(read)))

    assert rules_of(result) == []
    # for the solution and its mutants, for all wrong answers, and in the lesson itself
    assert len(read.read_text().split()) == 3


def test_answer_that_cannot_be_pickled_is_proven_like_any_other(prove):
    answer = "type('Sum', (int,), {'__reduce__': None})(sum(numbers))"

    result = prove(cells=(HEAD, "numbers = [10, 20, 30]", CELL.replace("sum(numbers)", answer)))

    assert rules_of(result) == []
    assert [one.verdict.state for one in result.proofs[0].wrong] == ["wrong", "wrong"]
