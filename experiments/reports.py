"""Results for people: tables on the terminal, and plots."""

import importlib.util
import json
import pathlib
import statistics

GROUPS = ("overall", "many", "medium", "few")


def print_stages(result: dict) -> None:
    """Print a table of accuracies, a line for each stage of a run."""
    title = f"{result['method']}, seed {result['seed']}"
    stages = result["stages"].items()
    print_accuracies({k: stage["accuracy"] for k, stage in stages}, title)


def print_accuracies(accuracies: dict[str, dict], title: str = "") -> None:
    """Print a table of accuracies by shot group in %, a line a name."""
    _print_row(title, GROUPS)
    for name, accuracy in accuracies.items():
        _print_row(f"  {name}", _percentages(accuracy))


def print_means(results: list[dict]) -> None:
    """Print mean and deviation over the seeds, a line for each method."""
    print("\nMean accuracy over the seeds, with standard deviation, in %:")
    _print_row("method", GROUPS)
    for method in dict.fromkeys(result["method"] for result in results):
        mine = [r["accuracy"] for r in results if r["method"] == method]
        cells = []
        for group in GROUPS:
            values = [100 * a[group] for a in mine if group in a]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            mean = statistics.mean(values) if values else None
            cells.append("-" if mean is None else f"{mean:.1f} ±{spread:.1f}")
        _print_row(method, cells)


def _percentages(accuracy: dict) -> list[str]:
    return [
        f"{100 * accuracy[g]:.1f}" if g in accuracy else "-" for g in GROUPS
    ]


def _print_row(title, cells) -> None:
    print(f"{title:<20}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


def draw(folder: pathlib.Path, result: dict) -> None:
    """Draw the plots of a run, or say why not."""
    if not importlib.util.find_spec("matplotlib"):
        print("no plots: pip install 'keras_lt[plots]' brings matplotlib")
        return
    import plots

    lines = (folder / "metrics.jsonl").read_text().splitlines()
    plots.draw(folder / "plots", result, [json.loads(line) for line in lines])


def draw_comparison(folder: pathlib.Path, results: list[dict]) -> None:
    """Draw the mean class accuracies of several methods."""
    if not importlib.util.find_spec("matplotlib"):
        return
    import plots

    lines = {}
    for method in dict.fromkeys(result["method"] for result in results):
        mine = [r for r in results if r["method"] == method]
        last = [[*r["stages"].values()][-1]["class_accuracy"] for r in mine]
        lines[method] = [
            statistics.mean(values) for values in zip(*last, strict=True)
        ]
    data = results[0]
    title = f"Test accuracy on {data['dataset']}, ratio "
    title += f"{data['imbalance_ratio']:g}, mean over the seeds"
    plots.by_rank(folder / "comparison.png", lines, data["class_counts"], title)
