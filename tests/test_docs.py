"""What the documents show runs: doctests, blocks of README, BUILD.md, docs/."""

import doctest
import importlib
import json
import os
import pathlib
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import programs
import pytest

import keras_lt
from keras_lt.cli import arguments

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(keras_lt.__path__, "keras_lt.")
)
README = (programs.ROOT / "README.md").read_text()
RESULTS = "experiments/results/README.md"
DOCUMENTS = {
    path.relative_to(programs.ROOT).as_posix(): path.read_text()
    for name in ("*.md", "docs/**/*.md", RESULTS, "keras_lt/CHANGELOG.md")
    for path in sorted(programs.ROOT.glob(name))
}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.M)


def all_blocks(language):
    """Each block that some document shows, once, with the document's name.

    But for the results, which have many commands of the same two programs.
    """
    found = {
        code: pytest.param(code, id=f"{name}-{number}")
        for name, text in DOCUMENTS.items()
        if name != RESULTS
        for number, code in enumerate(blocks(text, language))
    }
    return [*found.values()]


FLOAT = re.compile(r"-?\d+\.\d*(?:e[-+]?\d+)?")


class ByValue(doctest.OutputChecker):
    """Compares numbers by value: their last digits depend on the CPU."""

    def check_output(self, want, got, optionflags):
        pair = [FLOAT.sub("number", " ".join(x.split())) for x in (want, got)]
        numbers = [[*map(float, FLOAT.findall(x))] for x in (want, got)]
        if pair[0] != pair[1] or not numbers[0]:
            return super().check_output(want, got, optionflags)
        return numbers[1] == pytest.approx(numbers[0], rel=1e-4, abs=1e-6)


def run_doctest(test):
    """Number of its examples that fail."""
    return doctest.DocTestRunner(ByValue()).run(test).failed


@pytest.mark.slow
@programs.once("tensorflow")
@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    tests = doctest.DocTestFinder().find(importlib.import_module(name))
    assert not sum(map(run_doctest, tests))


@pytest.mark.parametrize(
    ("example", "failed"),
    [
        (">>> [0.5, 0.1 ** 2]\n[0.5, 0.01]", 0),
        (">>> [0.5, 0.1 ** 2]\n[0.5, 0.0102]", 1),
        (">>> [0.5, 0.1 ** 2]\n(0.5, 0.01)", 1),
        (">>> 0.1 ** 2", 1),
        (">>> 2\n2.0", 1),
    ],
)
def test_doctests_compare_numbers_by_value(example, failed, capsys):
    parser = doctest.DocTestParser()
    test = parser.get_doctest(example, {}, "example", None, 0)
    assert run_doctest(test) == failed


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    module = importlib.import_module("keras_lt.stats")
    assert sum(len(test.examples) for test in finder.find(module)) >= 2


# Stands in for programs: installs and trains nothing, but fails for an extra,
# module, program or flag that does not exist.
STUB = """#!{python}
import importlib, json, pathlib, re, sys, tomllib
root = pathlib.Path({root!r})
sys.path[:0] = [str(root), str(root / "experiments")]
name, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]

def check(module, words):
    from keras_lt.cli import arguments
    program = importlib.import_module(module)
    if "--help" not in words:
        arguments.parse([name, *words], program.GROUPS, program.NAMES)

if name == "pip":
    assert words[0] in ("install", "download"), words
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    for word in words:
        for named in re.findall(r"\\[(.*)\\]", word):
            assert set(named.split(",")) <= extras, named
elif words[:2] == ["-m", "venv"]:
    folder = pathlib.Path(words[2]) / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text("")
elif words[:2] == ["-m", "tests"]:
    assert (root / "tests" / "__main__.py").exists()
    for word in words[2:]:
        assert word.startswith(("--all", "--backends")) or (
            root / word
        ).exists(), word
elif name == "mkdocs":
    assert words in (["build"], ["serve"]) and (root / "mkdocs.yml").exists()
elif name == "keras-lt":
    from keras_lt.cli.main import COMMANDS
    check("keras_lt.cli." + COMMANDS[words[0]], words[1:])
else:
    assert (root / words[0]).exists(), words[0]
    if words[0].endswith(".py"):
        modules = json.loads({modules!r})
        check(modules[pathlib.Path(words[0]).name], words[1:])
"""


@pytest.fixture
def stubs(tmp_path):
    folder = tmp_path / "stubs"
    folder.mkdir()
    text = STUB.format(
        python=sys.executable,
        root=str(programs.ROOT),
        modules=json.dumps(programs.MODULES),
    )
    for name in ("pip", "python", "bash", "keras-lt", "mkdocs"):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def shell(code, folder, stubs):
    path = f"{stubs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "-euc", code],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("code", all_blocks("bash"))
def test_commands_of_the_documents_run(code, tmp_path, stubs):
    done = shell(code, tmp_path, stubs)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize(
    "code",
    [
        'pip install -e ".[tensorfloww]"',
        "python experiments/trian.py",
        "python experiments/train.py --metod=wb",
        "python experiments/evaluate.py",
        "keras-lt trian",
        "keras-lt train --metod=wb",
    ],
)
def test_a_wrong_command_would_be_found(code, tmp_path, stubs):
    assert shell(code, tmp_path, stubs).returncode != 0


@programs.once("jax")
def test_commands_of_the_results_are_understood():
    codes = blocks(DOCUMENTS[RESULTS], "bash")
    lines = "".join(codes).replace("\\\n", " ").splitlines()
    assert len(lines) >= len(codes) > 20
    for line in lines:
        python, program, *words = shlex.split(line)
        assert python == "python", line
        name = program.removeprefix("experiments/")
        module = importlib.import_module(programs.MODULES[name])
        arguments.parse([name, *words], module.GROUPS, module.NAMES)


@pytest.mark.slow
@programs.once("tensorflow")
def test_python_of_the_documents_runs(tmp_path):
    codes = [each.values[0] for each in all_blocks("python")]
    assert len(codes) > 5
    # One after the other, none seeing the names of those before.
    every = f"for code in {codes!r}: exec(code, {{'__name__': '__main__'}})"
    done = subprocess.run(
        [sys.executable, "-c", every],
        cwd=tmp_path,
        env=programs.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_ci_runs_the_commands_of_the_readme_in_their_order():
    train, tests, *_ = blocks(README, "bash")
    assert "python -m tests" in tests
    lines = (programs.ROOT / ".ci" / "run").read_text().splitlines()
    every = f"{tests.strip()} --all"
    assert lines.index(train.strip()) < lines.index(every)


@pytest.mark.slow
def test_ci_sets_earlier_runs_aside(tmp_path, stubs):
    """The commands see none, and what was there is there again."""
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(programs.ROOT / ".ci" / "run", folder / ".ci")
    (folder / "runs" / "mine").mkdir(parents=True)
    for name in ("pip", "ruff", "mypy"):
        (stubs / name).write_text("#!/bin/sh\n")
        (stubs / name).chmod(0o755)
    # Training makes a folder, as it does in earnest; then the tests fail.
    (stubs / "python").write_text(
        "#!/bin/sh\n"
        '[ "$1" = -m ] && exit 7\n'
        "mkdir runs && mkdir runs/theirs && touch trained\n"
    )
    code = "export VIRTUAL_ENV=here; /bin/bash .ci/run"
    assert shell(code, folder, stubs).returncode == 7
    assert (folder / "trained").exists()
    assert {path.name for path in (folder / "runs").iterdir()} == {"mine"}
    left = {path.name for path in folder.iterdir()}
    assert left == {".ci", "runs", "trained"}


@programs.once("jax")
def test_blocks_are_of_languages_that_tests_know():
    for name, text in DOCUMENTS.items():
        languages = re.findall(r"^ *```(\w*)", text, re.MULTILINE)[::2]
        assert {*languages} <= {"bash", "python", "json"}, name
        assert not re.search(r"^ +```", text, re.MULTILINE), name  # not run
        for code in blocks(text, "json"):
            json.loads(code)


def test_the_readme_is_short():
    assert README.count("\n") <= 150


def test_version_is_in_the_changelog():
    changelog = pathlib.Path(keras_lt.__file__).with_name("CHANGELOG.md")
    assert f"## {keras_lt.__version__} (20" in changelog.read_text()
    project = tomllib.loads((programs.ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]


def test_the_parts_that_are_listed_exist():
    text = DOCUMENTS["docs/how-to/fit.md"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    for package in ("losses", "layers", "constraints", "callbacks"):
        part = getattr(keras_lt, package)
        listed = set(re.findall(r"`(\w+)`", rows[package]))
        assert listed <= set(part.__all__)
        if package != "layers":  # some of which only models use
            assert listed == set(part.__all__)


def test_goldens_cite_the_cards_that_exist():
    folder = programs.ROOT / "tests"
    texts = [path.read_text() for path in folder.rglob("test_*.py")]
    cited = {name for x in texts for name in re.findall(r"cards/(\w+)\.md", x)}
    assert cited == {path.stem for path in (folder / "cards").glob("*.md")}
