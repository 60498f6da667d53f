"""What files may not do, as functions from their text to what is wrong.

Paths are of files in a package, relative to it.
"""

import ast
import graphlib
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

# Things with a `name` that are no layers; more are added here, by the name of
# the variable that holds them.
NOT_LAYERS = {"dataset", "e", "entry", "file", "folder", "path", "stage"}
NOT_LAYERS |= {"each", "error", "f", "field", "member", "variable"}
# Python gives these names to everybody.
PUBLIC = {"_asdict", "_exit", "_fields", "_make", "_replace"}
BY_STRING = {"delattr", "getattr", "hasattr", "setattr"}
PATTERNS = {"findall", "fullmatch", "match", "search", "sub"}


def sources(root: pathlib.Path) -> dict[str, str]:
    """Text of every Python file below a folder, by its path."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*.py"))
    }


def broken(
    rule: Callable[[str, str], Any], sources: Mapping[str, str]
) -> dict[str, Any]:
    """What a rule says of the files of which it says something."""
    said = {path: rule(path, source) for path, source in sources.items()}
    return {path: wrong for path, wrong in said.items() if wrong}


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """Dotted names that are imported, and whether at module level."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node in tree.body


def part(path: str) -> str:
    """Package or single file that a file belongs to, at the top."""
    return pathlib.PurePath(path).parts[0].removesuffix(".py")


def not_down(
    path: str, source: str, floors: Iterable, package: str = "keras_lt"
) -> list[str]:
    """Imports of the package that go up, or to a neighbour.

    Single files of the lowest floor may import each other.
    """
    floor = {name: i for i, names in enumerate(floors) for name in names}
    own, wrong = part(path), []
    if own not in floor:
        return [f"{own} has no floor"]
    for name, _ in imports(source):
        root, *rest = name.split(".")
        if root != package or rest[0] == own:
            continue
        theirs = floor.get(rest[0], len(floor))
        if theirs >= floor[own] and (theirs or floor[own]):
            wrong.append(name)
    return wrong


def of_other_methods(path: str, source: str, shared: set[str]) -> list[str]:
    """Imports of a method from other files than the shared ones."""
    folder = pathlib.PurePath(path).parts[0]
    if path == f"{folder}/__init__.py":
        return []
    return [
        name
        for name, _ in imports(source)
        if f".{folder}." in f"{name}."
        and name.split(f".{folder}.")[-1].split(".")[0] not in shared
    ]


def circle(sources: Mapping[str, str], package: str = "keras_lt") -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    names = {_module(path, package): text for path, text in sources.items()}

    def module(name):
        while name and name not in names:
            name = name.rpartition(".")[0]
        return name

    graph = {
        name: {module(other) for other, _ in imports(text)} - {""}
        for name, text in names.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def _module(path, package):
    parts = pathlib.PurePath(path).with_suffix("").parts
    return ".".join((package, *parts)).removesuffix(".__init__")


def shadows(path: str, source: str, neighbours: Iterable[str]) -> list[str]:
    """Names of an `__init__.py` that hide a module beside it.

    Args:
        path: Of the file.
        source: Its text.
        neighbours: Names of modules and packages in its folder.
    """
    folder = ".".join(pathlib.PurePath(path).parent.parts)
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            if not f".{node.module}".endswith(f".{folder}"):
                found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return sorted(found & set(neighbours))


def look_ups(source: str) -> list[str]:
    """Expressions that find a layer by its name, or read meaning into it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="get_layer")):
                asked = True
            case ast.Call(func=ast.Attribute(attr=attr), args=arguments):
                asked = _is_name(node.func.value) or (
                    attr in PATTERNS and any(map(_is_name, arguments))
                )
            case ast.Compare(left=left, comparators=others):
                asked = any(map(_is_name, (left, *others)))
            case ast.SetComp(elt=made) | ast.DictComp(key=made):
                asked = _is_name(made)
            case ast.Subscript(slice=index, ctx=ast.Load()):
                asked = _is_name(index)
            case _:
                asked = False
        if asked:
            found.append(ast.unparse(node))
    return found


def _is_name(node) -> bool:
    """Whether it is `x.name`, and `x` may be a layer."""
    if not (isinstance(node, ast.Attribute) and node.attr == "name"):
        return False
    owner = ast.unparse(node.value).rpartition(".")[-1]
    return owner not in NOT_LAYERS


def private_names(source: str) -> list[str]:
    """Private names of others: attributes, imports, and all of `keras.src`."""
    found = [
        name
        for name, _ in imports(source)
        if f"{name}.".startswith("keras.src.") or _is_private(name)
    ]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=owner, attr=name):
                pass
            case ast.Call(
                func=ast.Name(id=function),
                args=[owner, ast.Constant(value=str(name)), *_],
            ) if function in BY_STRING:
                pass
            case _:
                continue
        text = ast.unparse(owner)
        if text not in ("self", "cls") and _is_private(name):
            found.append(f"{text}.{name}")
        if (text, name) == ("keras", "src"):
            found.append("keras.src")
    return found


def _is_private(name: str) -> bool:
    name = name.rpartition(".")[-1]
    return bool(re.match(r"_[^_]", name)) and name not in PUBLIC


def own_private_names(source: str) -> set[str]:
    """Private names that the classes of a text define, or use on `self`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                found.add(node.attr)
    return set(filter(_is_private, found))
