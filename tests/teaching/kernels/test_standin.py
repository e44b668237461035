"""What modules are told when they ask for the shell before there is one."""

import builtins
import sys
from textwrap import dedent

import IPython.core.interactiveshell
import pytest

from neuroprimer.teaching.kernels.hiding import HiddenModules
from neuroprimer.teaching.kernels.standin import standing_in


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write modules and import them, as a server would, while somebody stands in for the shell."""
    monkeypatch.syspath_prepend(tmp_path)
    visible = set(sys.modules)
    modules = HiddenModules(visible=visible)
    sys.meta_path.insert(0, modules)

    def load(statement: str, **files: str) -> HiddenModules:
        for name, code in files.items():
            (tmp_path / f"{name}.py").write_text(dedent(code))
        with standing_in(modules):
            assert modules.load(statement) == ""
        return modules

    yield load
    sys.meta_path.remove(modules)
    for name in set(sys.modules) - visible:
        del sys.modules[name]


WAYS_OF_ASKING_FOR_A_NOTEBOOK = {
    "its kernel": "hasattr(get_ipython(), 'kernel')",
    "its name": "get_ipython().__class__.__name__ == 'ZMQInteractiveShell'",
    "its type in words": "'zmqshell' in str(type(get_ipython()))",
}


@pytest.mark.parametrize("way", WAYS_OF_ASKING_FOR_A_NOTEBOOK)
def test_module_is_told_that_it_is_in_a_notebook(load, way):
    modules = load("import asks", asks=f"ANSWER = {WAYS_OF_ASKING_FOR_A_NOTEBOOK[way]}")

    assert modules.hidden["asks"].ANSWER is True


WAYS_OF_USING_THE_SHELL = {
    "by its name": "get_ipython().events",
    "through IPython": "from IPython import get_ipython\nget_ipython()",
    "as a singleton": "from IPython.core.interactiveshell import InteractiveShell as I\n"
    "I.initialized()",
    "in a try": "try:\n    get_ipython().config['IPKernelApp']\nexcept Exception:\n    pass",
}


@pytest.mark.parametrize("way", WAYS_OF_USING_THE_SHELL)
def test_module_that_uses_the_shell_is_executed_by_whoever_imports_it(load, way):
    uses = WAYS_OF_USING_THE_SHELL[way]

    modules = load(
        "import uses", uses=f"try:\n    exec({uses!r})\nexcept AttributeError:\n    pass"
    )

    assert "uses" not in modules.hidden
    assert "uses" not in sys.modules


def test_module_that_needs_one_that_uses_the_shell_is_left_to_the_lesson_too(load):
    uses = "from IPython import get_ipython\nSHELL = get_ipython()"

    modules = load(
        "import needs", uses=uses, needs="from uses import SHELL\nimport bystands", bystands=""
    )

    assert {"needs", "uses", "bystands"} & set(modules.hidden) == {"bystands"}


def test_warm_up_that_uses_the_shell_leaves_nothing_out(load):
    modules = load("import draws; draws.warm_up()", draws="def warm_up():\n    str(get_ipython())")

    assert "draws" in modules.hidden


def test_nobody_stands_in_when_nothing_is_imported(load):
    load("import solo", solo="")

    assert not hasattr(builtins, "get_ipython")
    assert "initialized" not in vars(IPython.core.interactiveshell.InteractiveShell)
