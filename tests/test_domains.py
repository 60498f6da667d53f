"""Bad input, made of what is declared: one line, naming what was typed."""

import dataclasses
import math
import typing

import programs
import pytest

from keras_lt.cli import (
    arguments,
    demo,
    evaluate,
    export,
    importing,
    inspect,
    pack,
    predict,
    report,
    train,
)
from keras_lt.domains import Domain, misfits
from keras_lt.methods import METHODS
from keras_lt.methods.following import THEN
from keras_lt.methods.settings.domains import DOMAINS, domain_of
from keras_lt.runs import assignments
from keras_lt.runs.flags import check_domains

pytestmark = programs.once("tensorflow")
PROGRAMS = (train, evaluate, export, importing, inspect, pack, predict)
PROGRAMS += (report, demo)
GROUPS = {group for program in PROGRAMS for group in program.GROUPS}
FIELDS = [
    pytest.param(group, field, id=f"{group.__name__}-{field.name}")
    for group in sorted(GROUPS, key=lambda group: group.__name__)
    for field in dataclasses.fields(group)
]
LONG = "x" * 60_000
NUMBERS = ("", "0", "-1", "1" + "0" * 30, "1" * 6000, "inf", "nan", "-inf")
TEXTS = ("", "\u00e4\U0001f600", "\0", LONG, "a b", "[]", "None", "1e999")


def bad_texts(hint, domain):
    """What may be typed for an option, and makes no sense."""
    kind = str(hint)
    if "str" not in kind and "bool" not in kind:
        for text in (*NUMBERS, *TEXTS, "1.5"):
            try:
                value = float(text) if "float" in kind else int(text)
            except ValueError:
                yield text
                continue
            except OverflowError:
                yield text
                continue
            if domain.wrong(value):
                yield text
    elif "bool" in kind:
        yield from ("2", "maybe", LONG, "\u00e4", "\0")
    else:
        for text in (*NUMBERS, *TEXTS):
            if domain.wrong(text):
                yield text


@pytest.mark.parametrize(("group", "field"), FIELDS)
def test_every_flag_names_itself(group, field):
    """Before anything else happens: the line is parsed, no more."""
    flag = field.name.rstrip("_")
    hint = typing.get_type_hints(group)[field.name]
    texts = [*bad_texts(hint, field.metadata["domain"])]
    if field.metadata["commas"]:
        texts = [text for text in texts if text]
    for text in texts:
        with pytest.raises(ValueError) as error:
            arguments.parse(["program", f"--{flag}={text}"], [group])
        message = str(error.value)
        assert flag in message, message[:200]
        assert "\n" not in message and len(message) < 2100


@pytest.mark.parametrize(("group", "field"), FIELDS)
def test_every_option_has_a_type(group, field):
    made = group()
    check_domains(made)
    for wrong in (object(), 1j, b"text", {}, [float("nan")], (1, 2)):
        changed = dataclasses.replace(made, **{field.name: wrong})
        with pytest.raises(ValueError, match=f"^--{field.name.rstrip('_')} "):
            check_domains(changed)


HYPERPARAMETERS = [
    pytest.param(method, name, id=f"{key}-{name}")
    for key, method in METHODS.items()
    for name in method.hints
] + [
    pytest.param(METHODS["ce"].then([stage]), name, id=f"{stage}-{name}")
    for stage in THEN
    for name in METHODS["ce"].then([stage]).hints
    if name.startswith(f"{stage}_")
]


@pytest.mark.parametrize(("method", "name"), HYPERPARAMETERS)
def test_every_hyperparameter_names_itself(method, name):
    hint = str(method.hints[name])
    domain = domain_of(name, method.after)
    texts = ["", "\0", LONG]
    if "str" not in hint or "Literal" in hint:
        texts += ["{[]: 1}", "(" * 3000, "[1, 2", "1j", "b'a'"]
        texts += ["\u00e4", "inf", "nan", "1e999", "-1e999", "'1'", "1" * 6000]
        texts += ["object", "2.5" if "float" not in hint else "-1e300"]
    texts += [str(n) for n in (0, -1, 10**30) if domain.wrong(n)]
    known = [text for text in texts if not _accepted(method, name, text)]
    assert len(texts) - len(known) <= 1  # -1e300 of what may be negative
    for text in known:
        with pytest.raises(ValueError) as error:
            assignments.parse(method, [f"{name}={text}"])
        message = str(error.value)
        assert f"--set: {name} must be" in message
        assert len(message) < 500


def _accepted(method, name, text):
    try:
        value = assignments.parse(method, [f"{name}={text}"])[name]
    except ValueError:
        return False
    return value == -1e300 and domain_of(name, method.after).low == -math.inf


@pytest.mark.parametrize(("method", "name"), HYPERPARAMETERS)
def test_every_number_has_a_domain(method, name):
    """And published values are in it."""
    hint = str(method.hints[name])
    if "int" in hint.replace("Hint", "") or "float" in hint:
        bare = {name, *(name.removeprefix(f"{s}_") for s in method.after)}
        assert bare & DOMAINS.keys()
    values = [method.defaults[name]]
    values += [p[name] for p in method.presets.values() if name in p]
    for variants in method.variants.values():
        values += [v.values[name] for v in variants if name in v.values]
    for value in values:
        assert domain_of(name, method.after).wrong(value) is None


@pytest.mark.parametrize(
    ("domain", "good", "bad"),
    [
        (Domain(0, 1), (0, 1, 0.5, True, None, (0.2, 1)), (-0.1, 1.1, (0, 2))),
        (Domain(0, 1, above=True, below=True), (0.5,), (0, 1)),
        (Domain(), (-1e300, "a"), (math.nan, math.inf, 10**400, "", "\0")),
        (Domain(known=("a", "b")), ("a", None), ("c", "", "A")),
        (Domain(empty=True), ("",), ("\0", LONG)),
    ],
    ids=str,
)
def test_domains(domain, good, bad):
    assert [domain.wrong(value) for value in good] == [None] * len(good)
    for value in bad:
        assert domain.wrong(value).startswith("must be ")


def test_types():
    assert not misfits(1, float) and not misfits(None, int | None)
    assert misfits(True, int) and misfits(1, bool) and misfits(1.0, int)
    assert not misfits(("a",), tuple[str, ...]) and misfits("a", tuple[str])


def test_the_flag_is_named_as_it_was_typed(capsys):
    def say(text):
        with pytest.raises(SystemExit):
            arguments.checked(_raise, text)
        return capsys.readouterr().err

    assert say("`data_dir`: a") == "error: --data_dir: a\n"
    assert say("`kind` must") == "error: --input must\n"
    assert say("`lr` must") == "error: `lr` must\n"
    assert len(say(LONG)) < 2100


def _raise(text):
    raise ValueError(text)
