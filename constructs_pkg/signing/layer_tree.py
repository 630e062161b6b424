"""Is this the tree of a layer? Lambda unpacks it to ``/opt``, and runtimes look in certain folders of that only."""

import re
from collections.abc import Collection

__all__ = ["layer_problems"]

# "Layer paths for each Lambda runtime" (Lambda developer guide, packaging-layers), and of all runtimes "bin" (PATH) and
# "lib" (LD_LIBRARY_PATH); "extensions" (runtimes-extensions-api), "bootstrap" (runtimes-custom).
_FOLDERS = re.compile(
    r"(?:python/"
    r"|nodejs/(?:node[0-9]+/)?node_modules/"
    r"|java/lib/"
    r"|ruby/(?:gems/[0-9.]+|lib)/"
    r"|bin/|lib/|extensions/)."
)
_BOOTSTRAP = "bootstrap"
_SIGNATURE = "META_INF/"
_NAMED = 3
_LISTED = (
    "python/, nodejs/node_modules/, java/lib/, ruby/gems/VERSION/, ruby/lib/, bin/, lib/, extensions/, or the file "
    "'bootstrap' of a custom runtime"
)

_MISTAKES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"node_modules/"), "Node.js looks in nodejs/node_modules/: move node_modules below nodejs/"),
    (re.compile(r"nodejs/(?!(?:node[0-9]+/)?node_modules/)"), "Node.js looks in nodejs/node_modules/ only"),
    (re.compile(r"[^/]+\.jar"), "Java looks in java/lib/: move the JARs there"),
    (re.compile(r"java/(?!lib/)"), "Java looks in java/lib/ only"),
    (
        re.compile(r"(?:lib/python3\.[0-9]+/)?site-packages/|lib/python3\."),
        "Python looks in python/ and python/lib/python3.N/site-packages/: put the tree below python/",
    ),
    (re.compile(r"[^/]+\.(?:py|so)|[^/]+\.dist-info/"), "Python looks in python/: move the packages below it"),
    (re.compile(r"[^/]+\.m?js"), "Node.js looks in nodejs/node_modules/: make it a package there"),
    (re.compile(r"gems/|ruby/(?!gems/[0-9.]+/|lib/)"), "Ruby looks in ruby/gems/VERSION/ and ruby/lib/"),
)


def layer_problems(entry_names: Collection[str]) -> tuple[str, ...]:
    """Say what keeps the entries of an archive from being a layer; nothing where they are one.

    A tree that has anything where a runtime looks is a layer, whatever else it holds: functions read files of their own
    below ``/opt``. It does *not* look into files, nor compare with the runtimes that a layer is published for.

    Args:
        entry_names: The names of the archive's entries.
    """
    names = sorted(name for name in entry_names if not name.startswith(_SIGNATURE))
    if any(name == _BOOTSTRAP or _FOLDERS.match(name) for name in names):
        return ()
    wrapping = {name.partition("/")[0] for name in names}
    inner = [name.partition("/")[2] for name in names]
    if len(wrapping) == 1 and any(name == _BOOTSTRAP or _FOLDERS.match(name) for name in inner):
        folder = wrapping.pop()
        return (f"everything lies below {folder}/: package what is in {folder}/, not {folder} itself",)
    problems: list[str] = []
    for pattern, remedy in _MISTAKES:
        found = [name for name in names if pattern.match(name)]
        if found:
            problems.append(f"{_listed(found)}: {remedy}")
            names = [name for name in names if name not in found]
    return (*problems, f"nothing lies where a runtime looks: {_LISTED}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
