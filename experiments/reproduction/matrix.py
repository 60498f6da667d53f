"""First stages beside what goes on from them, as one table."""

import statistics
from collections.abc import Mapping

from reproduction.small_studies import FOLLOWED, FOLLOWING


def table(found: Mapping[str, list[dict]]) -> str:
    """A line for each method, a column for each stage.

    Args:
        found: Results of every seed, by names of trainings; of those that go
            on from another, "NAME+STAGE".

    Returns:
        Text for the page.
    """
    lines = [["", "alone", *FOLLOWING], ["---"] * (2 + len(FOLLOWING))]
    for method in FOLLOWED:
        name = f"reduced-{method}"
        names = [name, *(f"{name}+{stage}" for stage in FOLLOWING)]
        lines.append([f"`{method}`", *(_cell(found.get(n)) for n in names)])
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(results):
    if not results:
        return "–"
    means = [
        statistics.mean(100 * result["accuracy"][group] for result in results)
        for group in ("overall", "few")
    ]
    return " / ".join(f"{mean:.1f}" for mean in means)
