"""The page "Your progress": what a reader has done, as far as this browser knows.

The page itself is the same for everybody. The script of our pages fills it with what the browser
keeps, and writes and reads the files that the command line exchanges.
"""

from collections.abc import Mapping
from html import escape

from neuroprimer.teaching.model import Course, Lesson
from neuroprimer.teaching.progress.exchange import FORMAT, FORMAT_VERSION
from neuroprimer.teaching.publish.exercise_blocks import Tasks
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.plain_titles import plain_title

PROGRESS_PAGE = "my-progress"


def progress_page(course: Course, tasks: Mapping[str, Tasks]) -> str:
    """Return the source of the page.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    tasks : mapping of str to Tasks
        What there is to do in each lesson, by its id.
    """
    rows = "\n".join(_row(lesson, tasks.get(lesson.id, Tasks())) for lesson in course.lessons)
    n_tasks = sum(len(tasks.get(lesson.id, ())) for lesson in course.lessons)
    return f"""# Your progress

What you have marked as done, and the quizzes that you have answered on the pages of this site. Your
browser keeps it for you. **Nothing leaves your browser** unless you export it.

```{{raw}} html
<div class="neuroprimer-progress" data-format="{FORMAT}" data-version="{FORMAT_VERSION}">
<table class="table">
<thead><tr><th scope="col">Lesson</th><th scope="col">Done</th></tr></thead>
<tbody>
{rows}
</tbody>
<tfoot><tr><th scope="row">All lessons</th><td>{_count(n_tasks)}</td></tr></tfoot>
</table>
<p class="neuroprimer-buttons" hidden>
<button type="button" data-action="export">Export</button>
<button type="button" data-action="import">Import</button>
<button type="button" data-action="clear">Clear</button>
<input type="file" accept=".json,application/json" aria-label="File to import" hidden>
</p>
<p class="neuroprimer-said" role="status">This page needs JavaScript.</p>
</div>
```

## Take it with you

*Export* gives you a file. Read it in another browser with *Import*, or on your own machine:

```console
$ neuroprimer progress import neuroprimer-progress.json
```

*Import* also reads what `neuroprimer progress export FILE.json` has written, and marks here what
you have solved there. It never takes a mark away. A mark of your own says that you are done with an
exercise; it is no checked answer and earns no points.
"""


def _row(lesson: Lesson, tasks: Tasks) -> str:
    title = escape(plain_title(lesson.title))
    head = f'<th scope="row"><a href="{LESSONS_FOLDER}/{lesson.id}.html">{title}</a></th>'
    if not tasks:
        return f"<tr>{head}<td>nothing to mark</td></tr>"
    return (
        f'<tr data-lesson="{lesson.id}" data-exercises="{" ".join(tasks.exercises)}" '
        f'data-quizzes="{" ".join(tasks.quizzes)}">{head}<td>{_count(len(tasks))}</td></tr>'
    )


def _count(n_tasks: int) -> str:
    return f'<span class="neuroprimer-done">{n_tasks} to do</span>'
