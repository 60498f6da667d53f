"""Results for people: tables on the terminal, and plots."""

import importlib.util
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_lt.groups import ShotGroups, Thirds
from keras_lt.runs.folder import RunFolder
from keras_lt.terminal import print_table

COLUMNS = {  # of tables, by the names of `stats.shot_accuracies`
    "overall": "overall",
    "balanced": "balanced",
    "macro_f1": "macro F1",
    "worst_class": "worst",
}
RAREST = ("few", "tail")
ROUTING = {"mean_experts": "experts", "macs": "operations", "time": "time"}


def show(folder: RunFolder, *, plots: bool) -> None:
    """Print what a finished run has reached, and draw its plots."""
    result = folder.result()
    print_stages(result)
    print_seconds(result)
    if plots:
        draw(folder)


def print_stages(result: Mapping[str, Any]) -> None:
    """Print a table of accuracies, a line for each stage of a run."""
    if result.get("choice"):
        print_choice(result["choice"])
    title = f"{result['method']}, seed {result['seed']}, in %"
    stages = result["stages"].items()
    print_accuracies({k: stage["accuracy"] for k, stage in stages}, title)
    for name, stage in [*stages][::-1]:
        if stage.get("views"):
            print_accuracies(stage["views"], f"{name}, alone")
            break
    if result.get("routing"):
        print_routing(result["routing"])


def print_choice(choice: Mapping[str, Any]) -> None:
    """Print what was chosen from, best first, on which images."""
    found = choice["candidates"].items()
    order = sorted(found, key=lambda item: -item[1]["balanced"])
    for name in choice.get("diverged", {}):
        order.append((name, None))
    print_accuracies(dict(order), "on held-out images, in %")
    print(
        "chosen by balanced and overall accuracy on held-out training images: "
        f"{choice['chosen']}; below on the test images",
        flush=True,
    )


def print_accuracies(
    accuracies: Mapping[str, Mapping[str, float] | None], title: str = ""
) -> None:
    """Print a table of accuracies in %, also by group, a line a name.

    Args:
        accuracies: By name; None for what has diverged.
        title: Of the names.
    """
    columns = _columns(filter(None, accuracies.values()))
    rows = {
        name: ["diverged", *"-" * (len(columns) - 1)]
        if accuracy is None
        else [
            f"{100 * accuracy[c]:.1f}" if c in accuracy else "-"
            for c in columns
        ]
        for name, accuracy in accuracies.items()
    }
    print_table(title, columns.values(), rows.items())


def _columns(accuracies: Iterable[Mapping[str, float]]) -> dict[str, str]:
    """Titles of what is known of any of them."""
    known = {name for accuracy in accuracies for name in accuracy}
    groups = [*ShotGroups._fields, *Thirds._fields]
    titles = COLUMNS | {name: name for name in groups}
    return {name: title for name, title in titles.items() if name in known}


def experts_used(routing: Mapping[str, Any]) -> str:
    """Shares of the images that use one expert, two, and so on."""
    used, total = routing["experts_used"], sum(routing["experts_used"])
    shares = [
        f"{100 * number / total:.1f} % use {experts}"
        for experts, number in enumerate(used, 1)
    ]
    return ", ".join(shares)


def print_routing(routing: Mapping[str, Any]) -> None:
    """Print what routed experts cost."""
    mean = routing["mean_experts"]
    print(f"experts: {experts_used(routing)}; mean {mean:.2f}")
    print(
        f"operations of one plain network: {routing['macs']:.3f} routed, "
        f"{routing['macs_one_expert']:.3f} with one expert, "
        f"{routing['macs_all_experts']:.3f} with all"
    )
    print(
        f"time on the test images: {routing['seconds_gathered']:.2f} s routed, "
        f"{routing['seconds_all_experts']:.2f} s with all experts, ratio "
        f"{routing['time']:.2f}",
        flush=True,
    )


def print_seconds(result: Mapping[str, Any]) -> None:
    """Print what the time of a run went into."""
    seconds = result.get("seconds")
    if seconds:
        total = sum(seconds.values())
        shares = sorted(seconds.items(), key=lambda item: -item[1])
        parts = [f"{k} {100 * v / total:.1f} %" for k, v in shares]
        print(f"time: {total:.1f} s; {', '.join(parts)}", flush=True)


def print_means(results: Sequence[Mapping[str, Any]]) -> None:
    """Print mean and deviation over the seeds, a line for each variant."""
    print("\nMean accuracy over the seeds, with standard deviation, in %:")
    routed = [r for r in results if r.get("routing")]
    columns = _columns(result["accuracy"] for result in results)
    rows = {}
    for variant, mine in _by_variant(results).items():
        cells = [_mean(_percentages(mine, name), 1) for name in columns]
        for name in ROUTING if routed else ():
            cells.append(
                _mean([(r.get("routing") or {}).get(name) for r in mine], 2)
            )
        rows[variant] = cells
    titles = [*columns.values(), *(ROUTING.values() if routed else ())]
    print_table("method", titles, rows.items())


def print_matrix(results: Sequence[Mapping[str, Any]]) -> None:
    """Print methods against the stages that follow them, if these differ."""
    found: dict[str, dict[str, list]] = {}
    for result in results:
        row = found.setdefault(result["method"], {})
        row.setdefault(_following(result), []).append(result)
    columns = dict.fromkeys(map(_following, results))
    if len(columns) < 2:
        return
    known = _columns(result["accuracy"] for result in results)
    for group in ("overall", *(name for name in RAREST if name in known)):
        print(f"\nThe same by stages that follow, {group}:")
        rows = {
            method: [
                _mean(_percentages(row.get(c, ()), group), 1) for c in columns
            ]
            for method, row in found.items()
        }
        print_table("method", columns, rows.items())


def _following(result):
    return ",".join(result.get("then", ())) or "alone"


def _by_variant(
    results: Sequence[Mapping[str, Any]],
) -> dict[str, list[Mapping[str, Any]]]:
    groups = {}
    for result in results:
        variant = (result.get("variant") or {}).items()
        method = "+".join([result["method"], *result.get("then", ())])
        name = " ".join([method, *(f"{k}={v}" for k, v in variant)])
        groups.setdefault(name, []).append(result)
    return groups


def _percentages(results, name):
    known = [r["accuracy"] for r in results if name in r["accuracy"]]
    return [100 * accuracy[name] for accuracy in known]


def _mean(values: Iterable[float | None], digits: int) -> str:
    """Mean of what is known, and its deviation where it is of several."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = f"{statistics.mean(known):.{digits}f}"
    if len(known) < 2:
        return mean
    return f"{mean} ±{statistics.stdev(known):.{digits}f}"


def draw(folder: RunFolder) -> None:
    """Draw the plots of a finished run, or say why not."""
    if not importlib.util.find_spec("matplotlib"):
        print("no plots: pip install 'keras_lt[plots]' brings matplotlib")
        return
    from keras_lt.runs import plots

    plots.draw(folder.plots, folder.result(), folder.epochs())


def draw_comparison(
    folder: pathlib.Path, results: Sequence[Mapping[str, Any]]
) -> None:
    """Draw the mean class accuracies of several variants."""
    if not importlib.util.find_spec("matplotlib"):
        return
    from keras_lt.runs import class_plots

    lines = {}
    for variant, mine in _by_variant(results).items():
        last = [[*r["stages"].values()][-1]["class_accuracy"] for r in mine]
        lines[variant] = [
            statistics.mean(values) for values in zip(*last, strict=True)
        ]
    data = results[0]
    title = f"Test accuracy on {data['dataset']}, ratio "
    title += f"{data['imbalance_ratio']:g}, mean over the seeds"
    class_plots.by_rank(folder / "comparison.png", lines, data, title)
