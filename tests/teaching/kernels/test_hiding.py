"""Modules imported ahead: out of sight, and brought back by the import that would load them."""

import contextlib
import importlib
import importlib.util
import io
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType

import pytest

from neuroprimer.teaching.kernels.hiding import HiddenModules

WriteModules = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteModules:
    """Write modules that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files: Mapping[str, str] = MappingProxyType({}), **modules: str) -> None:
        for name, code in {**files, **modules}.items():
            file = tmp_path / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(code))

    return write


@pytest.fixture
def modules() -> Iterator[HiddenModules]:
    visible = set(sys.modules)
    modules = HiddenModules(visible=visible)
    sys.meta_path.insert(0, modules)
    yield modules
    sys.meta_path.remove(modules)
    for name in set(sys.modules) - visible:
        del sys.modules[name]


@pytest.fixture
def write_package(write: WriteModules) -> Callable[[], None]:
    """Write a package that imports `own` of its modules itself, and `other` not."""
    return lambda: write({"pkg/__init__": "from . import own", "pkg/own": "", "pkg/other": ""})


# ---------------------------------------------------------------------- out of sight


def test_loaded_module_is_not_among_the_modules(modules, write):
    write(solo="")

    modules.load("import solo")

    assert "solo" not in sys.modules


def test_loaded_submodule_is_no_attribute_of_its_package(modules, write_package):
    write_package()
    import pkg

    modules.visible |= {"pkg"}
    modules.load("import pkg.other")

    assert not hasattr(pkg, "other")


def test_visible_module_stays_in_sight(modules):
    modules.load("import json")

    assert "json" in sys.modules


# ---------------------------------------------------------------------- revealed


def test_import_gives_the_loaded_module_without_executing_it_again(modules, write):
    write(solo="")
    modules.load("import solo")
    loaded = modules.hidden["solo"]

    import solo

    assert solo is loaded
    assert sys.modules["solo"] is loaded


def test_import_brings_what_its_own_import_brought(modules, write_package):
    write_package()
    modules.load("import pkg")

    import pkg

    assert sys.modules["pkg.own"] is pkg.own


@pytest.mark.parametrize(
    "statement", ["import pkg.other", "from pkg import other", "import user", "import late_user"]
)
def test_submodule_loaded_for_somebody_else_stays_hidden(modules, write_package, write, statement):
    write_package()
    write(user="import pkg.other", late_user="def use():\n    import pkg.other\nuse()")
    modules.load(statement)

    import pkg

    with pytest.raises(AttributeError, match="other"):
        _ = pkg.other
    assert "pkg.other" not in sys.modules


def test_import_of_a_submodule_reveals_its_packages_and_not_its_siblings(modules, write):
    write({"a/__init__": "", "a/b/__init__": "", "a/b/c": "", "a/b/d": ""})
    modules.load("import a.b.c")
    modules.load("import a.b.d")

    import a.b.c

    assert {name for name in sys.modules if name.split(".")[0] == "a"} == {"a", "a.b", "a.b.c"}
    assert not hasattr(a.b, "d")


WAYS_OF_IMPORTING = {
    "import": "import needed.part",
    "from": "from needed import part",
    "inside a function": "def f():\n    import needed.part\nf()",
    "import_module": "import importlib\nimportlib.import_module('needed.part')",
    "relative import_module": "import importlib\nimportlib.import_module('.part', 'needed')",
    "kept import_module": "from importlib import import_module\nimport_module('needed.part')",
    "star": "from needed import *",
    "code without a name": "exec('import needed.part', {})",
    "attribute that loads it": "import needed\nneeded.lazy",
}


@pytest.mark.parametrize("way", WAYS_OF_IMPORTING)
def test_what_a_module_imported_is_revealed_with_it(modules, write, way):
    lazy = "def __getattr__(name):\n    import needed.part\n    return needed.part"
    write({"needed/__init__": f"__all__ = ['part']\n{lazy}", "needed/part": ""})
    write(user=WAYS_OF_IMPORTING[way])
    modules.load("import needed.part")  # it has long been there when the user imports it
    modules.load("import user")

    import user  # noqa: F401

    assert "needed.part" in sys.modules


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("pkg.user", "from . import part"),
        ("pkg.user", "from .part import __doc__"),
        ("pkg.inner.user", "from .. import part"),
    ],
)
def test_relative_import_is_followed(modules, write, user, statement):
    write({"pkg/__init__": "", "pkg/part": "", "pkg/inner/__init__": ""})
    write({user.replace(".", "/"): statement})
    modules.load("import pkg.part")
    modules.load(f"import {user}")

    importlib.import_module(user)

    assert "pkg.part" in sys.modules


def test_what_a_compiled_module_imports_is_revealed_with_it():
    script = """
    import sys
    from neuroprimer.teaching.kernels.hiding import HiddenModules
    modules = HiddenModules(visible=set(sys.modules))
    sys.meta_path.insert(0, modules)
    modules.load("import _zoneinfo")
    modules.load("import zoneinfo")
    import _zoneinfo
    print("zoneinfo._common" in sys.modules, "zoneinfo._tzpath" in sys.modules)
    """

    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "True True\n"


def test_function_that_a_package_calls_like_its_module_stays_the_function(modules, write):
    write({"pkg/__init__": "from .draw import draw", "pkg/draw": "def draw():\n    return 7"})
    modules.load("import pkg")

    import pkg.draw

    assert pkg.draw() == 7


def test_module_that_fails_is_left_to_whoever_imports_it(modules, write):
    write(broken="import needed\nraise OSError('no scanner')", needed="")

    problem = modules.load("import broken")

    assert problem == "OSError: no scanner"
    assert "broken" not in modules.hidden
    with pytest.raises(OSError, match="no scanner"):
        import broken  # noqa: F401


def test_module_that_exits_is_left_to_whoever_imports_it(modules, write):
    write(script="import sys\nsys.exit('usage: script FILE')")

    assert modules.load("import script") == "SystemExit: usage: script FILE"


# ---------------------------------------------------------------------- as if just imported


def test_spec_of_a_revealed_module_is_its_own(modules, write, tmp_path):
    write(solo="BEFORE = __spec__")
    modules.load("import solo")

    import solo

    assert solo.__spec__ is solo.BEFORE
    assert solo.__spec__.origin == str(tmp_path / "solo.py")


def test_find_spec_tells_the_true_place_of_a_hidden_module(modules, write, tmp_path):
    write({"pkg/__init__": ""})
    modules.load("import pkg")

    spec = importlib.util.find_spec("pkg")

    assert spec.origin == str(tmp_path / "pkg" / "__init__.py")
    assert spec.submodule_search_locations == [str(tmp_path / "pkg")]
    assert "pkg" not in sys.modules


def test_hidden_module_can_be_run_as_a_script(modules, write):
    write(script="WHO = __name__")
    modules.load("import script")

    assert runpy.run_module("script", run_name="__main__")["WHO"] == "__main__"


def test_reload_executes_a_revealed_module_again(modules, write):
    write(solo="STAMP = object()")
    modules.load("import solo")
    import solo

    before = solo.STAMP
    importlib.reload(solo)

    assert solo.STAMP is not before


# ---------------------------------------------------------------------- what modules say


def test_nothing_is_said_ahead_of_time(modules, write, capsys):
    write(speaks="import sys\nprint('hello')\nprint('oh', file=sys.stderr)")

    modules.load("import speaks")

    assert capsys.readouterr() == ("", "")


def test_module_says_on_import_what_it_said_when_loaded(modules, write, capsys):
    write(speaks="import sys\nprint('hello')\nprint('oh', file=sys.stderr)")
    modules.load("import speaks")

    import speaks  # noqa: F401

    assert capsys.readouterr() == ("hello\n", "oh\n")


def test_module_says_it_once(modules, write, capsys):
    write(speaks="print('hello')", user="import speaks")
    modules.load("import speaks")
    modules.load("import user")

    import speaks
    import user  # noqa: F401

    assert capsys.readouterr().out == "hello\n"
    assert speaks


def test_module_says_it_though_another_preload_has_imported_it_since(modules, write, capsys):
    write(speaks="print('hello')", user="import speaks")
    modules.load("import speaks")
    modules.load("import user")

    import speaks  # noqa: F401

    assert capsys.readouterr().out == "hello\n"


def test_modules_speak_in_the_order_of_their_imports(modules, write, capsys):
    write(**{f"n{n}": f"print({n})" for n in range(8)})
    write(speaker="import n3, n1, n4, n0, n5, n2, n7, n6\nprint('last')")
    modules.load("import speaker")

    import speaker  # noqa: F401

    assert capsys.readouterr().out.split() == [*"31405276", "last"]


def test_module_that_fails_says_it_only_for_itself(modules, write, capsys):
    write(broken="print('hello')\n1 / 0")
    modules.load("import broken")

    with pytest.raises(ZeroDivisionError):
        import broken  # noqa: F401

    assert capsys.readouterr().out == "hello\n"


def test_kept_stream_writes_to_the_stream_of_the_day(modules, write):
    write(
        logs="""
        import logging
        log = logging.getLogger("of a test")
        log.addHandler(logging.StreamHandler())
        """
    )
    modules.load("import logs")
    import logs

    with contextlib.redirect_stderr(io.StringIO()) as said:
        logs.log.warning("later")

    assert said.getvalue() == "later\n"


def test_module_finds_an_encoding_at_its_stream(modules, write):
    write(careful="import sys\nENCODING = sys.stdout.encoding.lower()")

    assert modules.load("import careful") == ""


# ---------------------------------------------------------------------- what they warn of


def test_warning_of_an_import_is_shown_on_import(modules, write, tmp_path):
    write(old="import warnings\nwarnings.warn('it is old')")
    modules.load("import old")

    with pytest.warns(UserWarning, match="it is old") as caught:
        import old  # noqa: F401

    assert (caught[0].filename, caught[0].lineno) == (str(tmp_path / "old.py"), 2)


@pytest.mark.parametrize(("action", "shown"), [("ignore", 0), ("always", 1)])
def test_filters_of_the_importer_decide_whether_a_warning_is_shown(modules, write, action, shown):
    write(old="import warnings\nwarnings.warn('it is old', DeprecationWarning)")
    modules.load("import old")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        import old  # noqa: F401

    assert len(caught) == shown


def test_warning_about_the_importer_names_the_line_of_the_import(modules, write):
    write(old="import warnings\nwarnings.warn('it is old', DeprecationWarning, stacklevel=2)")
    modules.load("import old")

    with pytest.warns(DeprecationWarning, match="it is old") as caught:
        import old  # noqa: F401

    assert caught[0].filename == __file__


def test_filter_that_a_module_sets_holds_from_its_import_on(modules, write):
    write(calm="import warnings\nwarnings.filterwarnings('ignore', message='of this test')")
    before = list(warnings.filters)

    with warnings.catch_warnings():
        modules.load("import calm")
        loaded = list(warnings.filters)
        import calm  # noqa: F401

        imported = list(warnings.filters)

    assert loaded == before
    assert imported[1:] == before
    assert imported[0][0] == "ignore"


def test_filter_that_a_module_sets_for_a_few_lines_is_not_set_on_import(modules, write):
    write(
        calm="""
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
        """
    )
    modules.load("import calm")
    before = list(warnings.filters)

    import calm  # noqa: F401

    assert warnings.filters == before


# ---------------------------------------------------------------------- what they set


def test_variable_that_a_module_sets_is_set_on_import(modules, write, monkeypatch):
    monkeypatch.setenv("A_COLOUR", "to be put back")
    monkeypatch.delenv("A_COLOUR")
    write(sets="import os\nos.environ.setdefault('A_COLOUR', 'grey')")
    modules.load("import sets")
    loaded = os.environ.get("A_COLOUR")

    import sets  # noqa: F401

    assert (loaded, os.environ["A_COLOUR"]) == (None, "grey")


def test_variable_that_the_importer_has_set_stays(modules, write, monkeypatch):
    write(sets="import os\nos.environ.setdefault('A_COLOUR', 'grey')")
    modules.load("import sets")
    monkeypatch.setenv("A_COLOUR", "green")

    import sets  # noqa: F401

    assert os.environ["A_COLOUR"] == "green"
