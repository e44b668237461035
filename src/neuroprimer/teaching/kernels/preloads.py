"""What plugins want to have ready before a lesson runs."""

import pluggy

from neuroprimer.teaching.plugins import ask_each


def statements_of_plugins(manager: pluggy.PluginManager) -> tuple[str, ...]:
    """Return what plugins want to have ready, as statements; what is none is passed over."""
    found = []
    for _, answer in ask_each(manager, "register_preloads").values:
        for wanted in answer if isinstance(answer, list) else ():
            module, _, function = str(wanted).partition(":")
            if not all(part.isidentifier() for part in module.split(".")):
                continue
            found.append(f"import {module}")
            if function.isidentifier():
                found.append(f"from {module} import {function} as warm_up; warm_up()")
    return tuple(dict.fromkeys(found))
