"""Files of results, and the page that shows them."""

import json
import pathlib
import shlex
import statistics

import studies

GROUPS = ("overall", "many", "medium", "few")
NAMES = {"cifar10_lt": "CIFAR-10-LT", "cifar100_lt": "CIFAR-100-LT"}
HEAD = """# Results

Written by `python experiments/reproduce.py table` from the files beside this
page, one for each run. Accuracy on the test images in %, of the last epoch,
mean ± standard deviation over the seeds (3, unless another number is given).
No setting and no epoch was chosen by test images. Many: classes with more than
100 training images; few: with less than 20. *Epochs* are those up to the end
of the stage; *seconds* and *images/s* (training alone) are those of the whole
run, in the mean.

`python experiments/reproduce.py list` shows what is missing, and

```bash
python experiments/reproduce.py run --study=STUDY --data_dir=DIR
```

trains it; stopped at any point, the same command goes on.
"""
FULL = """
Published recipes at full size. † Published for the epoch that was best on the
test images; *best* is ours in the same way, of every fifth epoch.
"""
REDUCED = """
**Not comparable with published numbers**: a ResNet-8 and few epochs, so that a
CPU finishes all of it in less than an hour (BUILD.md). Every method gets the
same network, images, crops and flips, and 12 epochs for each network that it
trains; WB's classifier, RIDE's routers and SSD's factors get one to four more.
The settings are the published ones but for what so few epochs need: a warm-up
of one, rates that drop to a tenth at a time, RIDE's class weights from two
thirds on, SSD's key encoder that follows by 0.99, and WB's rates, decay and
loss. What was compared, was compared on held-out training images.
"""


def path(folder: pathlib.Path, job: studies.Job, seed: int) -> pathlib.Path:
    """File of one run's result."""
    return folder / f"{job.name}-seed{seed}.json"


def command(job: studies.Job) -> str:
    """The command of a training, with DIR and RUN in place of folders."""
    arguments = job.arguments("RUN")
    return shlex.join(["python", "experiments/train.py", *arguments])


def keep(
    folder: pathlib.Path, job: studies.Job, seed: int, run: pathlib.Path
) -> dict:
    """Copy a run's `result.json`, without the folders of this machine."""
    result = json.loads((run / "result.json").read_text())
    result["command"] = f"{command(job)} --seed={seed} --data_dir=DIR"
    if job.needs:
        source = f"{job.needs}-seed{job.needed_seed(seed)}"
        result["init_from"] = result["init_from"] and source
        own = result["hyperparameters"]
        if own.get("distill_from"):
            own["distill_from"] = source
    lines = [f'"{name}": {json.dumps(value)}' for name, value in result.items()]
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "partial"
    partial.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    partial.replace(path(folder, job, seed))
    return result


def write(folder: pathlib.Path) -> pathlib.Path:
    """Write the page of all results in a folder, and return its path.

    Raises:
        ValueError: if a file is damaged.
    """
    text = HEAD + "\n## Reduced study\n" + REDUCED
    reduced = studies.reduced()
    text += _table(folder, reduced, _over_first(folder, reduced))
    full = studies.full()
    text += "\n## Full study\n" + FULL
    for dataset, ratio in dict.fromkeys((j.dataset, j.ratio) for j in full):
        jobs = [j for j in full if (j.dataset, j.ratio) == (dataset, ratio)]
        text += f"\n### {NAMES[dataset]}, imbalance ratio {ratio}\n"
        text += _table(folder, jobs, _published)
    text += "\n## Commands\n\nRUN is the folder of the run that is named.\n"
    for job in (*reduced, *full):
        text += _details(folder, job)
    page = folder / "README.md"
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text(text)
    return page


def _table(folder, jobs, compare):
    columns = [*GROUPS, *compare(None, None), "epochs", "seconds", "images/s"]
    lines = [["", *columns, "device"]]
    lines.append(["---"] * len(lines[0]))
    for job in jobs:
        found = _read(folder, job)
        for row in job.rows:
            lines.append([row.title, *_cells(row, found, compare)])
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(row, found, compare):
    if not found:
        return ["open", "", "", "", *compare(row, found), "", "", "", ""]
    accuracies = [_accuracy(row, result) for result in found]
    cells = [_mean([100 * a[g] for a in accuracies if g in a]) for g in GROUPS]
    if len(found) != len(studies.SEEDS):
        cells[0] += f" ({len(found)} of {len(studies.SEEDS)} seeds)"
    return [
        *cells,
        *compare(row, found),
        str(_epochs(row, found[0])),
        f"{statistics.mean(r['train_seconds'] for r in found):.0f}",
        _mean([r["images_per_second"] for r in found], spread=False),
        ", ".join(sorted({r["device"] for r in found})),
    ]


def _accuracy(row, result):
    stage = result["stages"][row.stage]
    return stage[row.key] if row.key in stage else stage["views"][row.key]


def _epochs(row, result):
    """Epochs up to the end of the row's stage."""
    names = [*result["stages"]]
    before = names[: names.index(row.stage) + 1]
    return sum(result["stages"][name]["epochs"] for name in before)


def _published(row, found):
    """Cells that compare with a published number; their titles for None."""
    if row is None:
        return ["best †", "published", "difference", "source"]
    best = published = difference = ""
    looks = [result["stages"][row.stage]["best_test"] for result in found]
    flipped = any(r["flip_tta"] for r in found) and row.key == "accuracy"
    if row.best and looks and all(looks) and not flipped:
        best = _mean([100 * look["overall"] for look in looks])
    if row.published is not None:
        published = f"{row.published:.1f}{' †' * row.best}"
    if row.published is not None and found:
        ours = _group_mean(row, found, "overall")
        difference = f"{ours - row.published:+.1f}"
    return [best, published, difference, row.source]


def _over_first(folder, jobs):
    """Cells that compare with the first of the jobs."""
    base = _read(folder, jobs[0])

    def compare(row, found):
        if row is None:
            return ["over cross entropy", "few-shot over it"]
        if not base or not found:
            return ["", ""]
        return [
            f"{_group_mean(row, found, group) - reference:+.1f}"
            for group in ("overall", "few")
            for reference in [_group_mean(jobs[0].rows[0], base, group)]
        ]

    return compare


def _group_mean(row, found, group):
    return statistics.mean(100 * _accuracy(row, r)[group] for r in found)


def _details(folder, job):
    text = f"\n`{job.name}`:\n\n```bash\n{command(job)}\n```\n"
    found = _read(folder, job)
    if found:
        versions = " ".join(
            sorted(
                {f"{k} {v}" for r in found for k, v in r["versions"].items()}
            )
        )
        split = {r["split_sha256"][:16] for r in found}
        text += f"\n{found[0]['backend']}; {versions}; split {', '.join(split)}"
        text += "\n"
    return text


def _read(folder, job):
    """Results of a training, of all seeds that there are."""
    found = []
    for seed in job.seeds:
        file = path(folder, job, seed)
        if file.exists():
            try:
                found.append(json.loads(file.read_text()))
            except json.JSONDecodeError as error:
                raise ValueError(f"{file} is damaged: {error}") from error
    return found


def _mean(values, spread=True):
    if None in values or not values:
        return "–"
    text = f"{statistics.mean(values):.1f}"
    if spread and len(values) > 1:
        text += f" ± {statistics.stdev(values):.1f}"
    return text
