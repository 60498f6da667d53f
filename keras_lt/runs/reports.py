"""Results for people: tables on the terminal, and plots."""

import importlib.util
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt import stats
from keras_lt.data import ImageDataset
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.options import DataOptions

GROUPS = ("overall", "balanced", "many", "medium", "few")
SHOWN = 5  # classes at either end
ROUTING = {"mean_experts": "experts", "macs": "operations", "time": "time"}


def print_dataset(dataset: ImageDataset) -> None:
    """Print splits, classes, shot groups and files that are left out."""
    counts, names = dataset.class_counts, dataset.class_names
    for split in ("train", "validation", "test"):
        _, labels = getattr(dataset, split) or ((), ())
        if len(labels):
            own = stats.count_classes(labels, len(names))
            print(f"{split}: {len(labels):,} images, {_range(own)} a class")
    ratio = max(counts) / min(counts)
    print(f"classes: {len(names):,}, imbalance ratio {ratio:.4g}")
    groups = stats.shot_groups(counts)
    for group, title in zip(groups, groups._fields, strict=True):
        print(f"  {title}: {len(group):,}")
    order = sorted(range(len(names)), key=lambda c: -counts[c])
    for title, part in (("largest", order[:SHOWN]), ("rarest", order[-SHOWN:])):
        shown = ", ".join(f"{names[c]} ({counts[c]:,})" for c in part)
        print(f"{title}: {shown}")
    folders = [name for name in dataset.ignored if name.endswith("/")]
    if folders:
        print(f"ignored, as hidden folders: {', '.join(folders)}")
    files = [name for name in dataset.ignored if name not in folders]
    if files:
        print(
            f"ignored, as no image by the ending: {len(files):,} files, the "
            f"first is {files[0]}"
        )


def print_shares(data: DataOptions) -> None:
    """Print what test and validation images are, if shares of each class."""
    if data.test_share:
        print(
            f"test images: where there is no split of that name, "
            f"{data.test_share:.0%} of each class, of four images or more at "
            "least two (--test_share)"
        )
    if data.validation_share:
        print(
            f"validation images: where there is no split of that name, "
            f"{data.validation_share:.0%} of what is left of each class, "
            "never trained on (--validation_share)"
        )


def _range(counts):
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


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
    title = f"{result['method']}, seed {result['seed']}"
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
    print_accuracies(dict(order), "on held-out images")
    print(
        f"chosen by the balanced accuracy on held-out training images: "
        f"{choice['chosen']}; below on the test images",
        flush=True,
    )


def print_accuracies(
    accuracies: Mapping[str, Mapping[str, float]], title: str = ""
) -> None:
    """Print a table of accuracies by shot group in %, a line a name."""
    _print_row(title, GROUPS)
    for name, accuracy in accuracies.items():
        _print_row(f"  {name}", _percentages(accuracy))


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
    columns = [*ROUTING.values()] if routed else []
    _print_row("method", [*GROUPS, *columns])
    for variant, mine in _by_variant(results).items():
        cells = []
        for group in GROUPS:
            values = [r["accuracy"].get(group) for r in mine]
            cells.append(_mean([v and 100 * v for v in values], 1))
        for name in ROUTING if routed else ():
            cells.append(
                _mean([(r.get("routing") or {}).get(name) for r in mine], 2)
            )
        _print_row(variant, cells)


def print_matrix(results: Sequence[Mapping[str, Any]]) -> None:
    """Print methods against the stages that follow them, if these differ."""
    methods = dict.fromkeys(result["method"] for result in results)
    columns = dict.fromkeys(map(_following, results))
    if len(columns) < 2:
        return
    for group in ("overall", "few"):
        print(f"\nThe same by stages that follow, {group}:")
        _print_row("method", columns)
        for method in methods:
            cells = []
            for then in columns:
                values = [
                    r["accuracy"].get(group)
                    for r in results
                    if (r["method"], _following(r)) == (method, then)
                ]
                cells.append(_mean([v and 100 * v for v in values], 1))
            _print_row(method, cells)


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


def _mean(values: list, digits: int) -> str:
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.{digits}f} ±{deviation:.{digits}f}"


def _percentages(accuracy: Mapping[str, float]) -> list[str]:
    return [
        f"{100 * accuracy[g]:.1f}" if g in accuracy else "-" for g in GROUPS
    ]


def _print_row(title, cells) -> None:
    print(f"{title:<24}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


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
    from keras_lt.runs import plots

    lines = {}
    for variant, mine in _by_variant(results).items():
        last = [[*r["stages"].values()][-1]["class_accuracy"] for r in mine]
        lines[variant] = [
            statistics.mean(values) for values in zip(*last, strict=True)
        ]
    data = results[0]
    title = f"Test accuracy on {data['dataset']}, ratio "
    title += f"{data['imbalance_ratio']:g}, mean over the seeds"
    plots.by_rank(folder / "comparison.png", lines, data["class_counts"], title)
