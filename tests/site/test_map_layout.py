"""The map of the lessons: whatever the course, no box and no line is hidden by another box."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.teaching.publish.map_layout import HEIGHT, WIDTH, lay_out, layers_of
from neuroprimer.teaching.publish.prerequisite_map import direct_only


@st.composite
def courses(draw):
    """Draw which lesson builds on which, without circles."""
    count = draw(st.integers(1, 12))
    return {
        str(number): tuple(
            str(one) for one in sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))
        )
        if number
        else ()
        for number in range(count)
    }


@given(courses(), st.integers(1, 4))
def test_every_lesson_has_a_box_below_all_it_builds_on_and_boxes_do_not_overlap(course, columns):
    boxes = lay_out(course, columns=columns).boxes

    assert set(boxes) == set(course)
    for id_, before in course.items():
        assert all(boxes[one][1] + HEIGHT < boxes[id_][1] for one in before)
    for (x, y), (other_x, other_y) in combinations(boxes.values(), 2):
        assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT


@given(courses(), st.integers(1, 4))
def test_no_line_passes_behind_a_box(course, columns):
    layout = lay_out(course, columns=columns)

    for line in layout.lines:
        for (x, y), (_, to_y) in list(pairwise(line))[1::2]:  # where it passes a row
            for left, top in layout.boxes.values():
                passes = max(y, top) < min(to_y, top + HEIGHT)
                assert not (passes and left < x < left + WIDTH)


@given(courses())
def test_what_is_left_of_the_prerequisites_leads_to_all_of_them(course):
    def everything_before(id_, prerequisites):
        return {
            other
            for one in prerequisites[id_]
            for other in (one, *everything_before(one, prerequisites))
        }

    direct = direct_only(course)
    for id_ in course:
        assert everything_before(id_, direct) == everything_before(id_, course)


def test_circle_is_drawn_all_the_same():
    circle = {"a": ("b",), "b": ("a",), "c": ("b",)}

    assert layers_of(circle) == (("a",), ("b",), ("c",))
    assert set(lay_out(circle, columns=2).boxes) == {"a", "b", "c"}


def test_many_lessons_that_build_on_all_before_are_laid_out_at_once():
    course = {str(n): tuple(str(one) for one in range(max(0, n - 2), n)) for n in range(80)}

    assert len(layers_of(course)) == 80
