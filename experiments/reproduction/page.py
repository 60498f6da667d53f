"""The page of results, made of their files alone."""

import importlib.util
import pathlib
import statistics

from keras_lt.atomic import write_atomically
from reproduction import matrix, own_images, studies, tables

GROUPS = ("overall", "many", "medium", "few")
NAMES = {"cifar10_lt": "CIFAR-10-LT", "cifar100_lt": "CIFAR-100-LT"}
HEAD = """# Results

Written by `python experiments/reproduce.py table` from the files beside this
page, one for each run. Accuracy on the test images in %, of the last epoch; of
several seeds mean ± standard deviation. No setting and no epoch was chosen by
test images. Many: classes with more than 100 training images; few: with less
than 20. *Epochs* are those up to the end of the stage; *seconds* are those of
the whole run.

```bash
python experiments/reproduce.py run --study=STUDY --data_dir=DIR
```

trains what is missing; stopped at any point, the same command goes on.
"""
TEXTS = {
    "full": """
## Full size

The published recipes. † Published for the epoch that was best on the test
images; *best* is ours in the same way, of every fifth epoch.
""",
    "middle": """
## Middle study

ResNet-32 and a quarter of the published epochs, for an evening and no GPU
(`--study=middle`). WB has the settings of the reduced study.
""",
    "ablation": """
## Record and its parts

ResNet-32 (of the record and SHIKE with projections in its shortcuts), a
quarter of the published epochs (`--study=ablation`), and each ingredient of
`record` left out in turn. *Policies*: AutoAugment and Cutout.
""",
    "reduced": """
## Reduced study

**Not comparable with published numbers**: a ResNet-8 and few epochs, so that a
CPU finishes all of it in less than an hour (BUILD.md). Every method gets the
same network, images, crops and flips, and 12 epochs for each network that it
trains; the second stages of WB, MiSLAS, SHIKE and the record, RIDE's routers
and SSD's factors get one to four more. SHIKE and the record go without
AutoAugment and Cutout, and MiSLAS mixes with alpha 0.2.
The settings are the published ones but for what so few epochs need: a warm-up
of one, rates that drop to a tenth at a time, RIDE's class weights from two
thirds on, SSD's key encoder that follows by 0.99, and WB's rates, decay and
loss. What was compared, was compared on held-out training images.
""",
    "stages": """
### Stages that follow

Overall / few-shot accuracy of methods of the reduced study alone, and with one
more stage (`--study=stages`), which trains for four epochs or not at all.
""",
}
TEXTS["own"] = """
## Own images

`--method=auto` beside cross entropy and the published methods, on two sets with
a natural tail: photographs of solar cells (8 classes, package `elpv-dataset`)
and CIFAR-100 cut to 500 images and less of a class by a power of its rank
(ratio 25; all test images). ResNet-8, 32 pixels, defaults of own images;
every network gets the epochs of the table, what follows a tenth of them. A
fifth of each class is held out, by which `auto` chooses. Pretrained features
are those of EfficientNet-Lite0 at 128 pixels. *Overall* weighs the classes as
in training. *Head, body, tail*: the classes with each third of the images.

```bash
python experiments/reproduce.py images --data_dir=DIR
python experiments/reproduce.py run --study=own --data_dir=DIR
```
"""
NOT_YET = """
## Not yet run

Published numbers that wait for a run, with the name that `--only` takes:

```bash
python experiments/reproduce.py run --study=full --data_dir=DIR --only=NAME
```

"""


def write(folder: pathlib.Path) -> pathlib.Path:
    """Write the page of all results in a folder, and return its path.

    Where matplotlib is installed, a picture of each study is drawn anew.

    Raises:
        ValueError: if a file is damaged.
    """
    text, commands = HEAD, "\n## Commands\n\nRUN: the folder of a needed run.\n"
    missing, shown = [], set()
    for name, introduction in TEXTS.items():
        jobs = studies.STUDIES[name]()
        found = {job.name: tables.read(folder, job) for job in jobs}
        measured = [job for job in jobs if found[job.name]]
        new = [job for job in measured if job.name not in shown]
        if new:
            text += introduction
            if name == "stages":
                text += matrix.table(found)
            elif name == "own":
                text += own_images.table(measured, found)
            else:
                text += _table(name, measured, found)
                text += _picture(folder, name, measured, found)
            commands += "".join(_details(j, found[j.name]) for j in new)
            shown |= {job.name for job in new}
        if name == "full":
            missing = [job for job in jobs if not found[job.name]]
    page = folder / "README.md"
    write_atomically(page, (text + _not_yet(missing) + commands).encode())
    return page


def _table(study, jobs, found):
    if study == "full":
        names = ["best †", "published", "difference"]
    else:
        names = ["over cross entropy", "few-shot over it"]
    columns = ["data set", *GROUPS, *names, "epochs", "seconds", "seeds"]
    lines = [["", *columns, "device", "commit"]]
    lines.append(["---"] * len(lines[0]))
    base = found[jobs[0].name] if jobs[0].method == "ce" else None
    for job in jobs:
        runs = found[job.name]
        for row in job.rows:
            compared = (
                _published(row, runs)
                if study == "full"
                else _over(row, runs, jobs[0].rows[0], base)
            )
            dataset = f"{NAMES[job.dataset]}, {job.ratio}"
            cells = _cells(row, runs, compared)
            lines.append([row.title, dataset, *cells])
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(row, runs, compared):
    accuracies = [_accuracy(row, result) for result in runs]
    seconds = statistics.mean(result["train_seconds"] for result in runs)
    commits = {(result.get("commit") or "")[:7] for result in runs}
    return [
        *(_mean([100 * a[g] for a in accuracies if g in a]) for g in GROUPS),
        *compared,
        str(_epochs(row, runs[0])),
        f"{seconds:.0f}",
        str(len(runs)),
        ", ".join(sorted({result["device"] for result in runs})),
        ", ".join(sorted(commits - {""})),
    ]


def _accuracy(row, result):
    stage = result["stages"][row.stage]
    return stage[row.key] if row.key in stage else stage["views"][row.key]


def _epochs(row, result):
    """Epochs up to the end of the row's stage."""
    names = [*result["stages"]]
    before = names[: names.index(row.stage) + 1]
    return sum(result["stages"][name]["epochs"] for name in before)


def _published(row, runs):
    """Cells that compare with a published number."""
    best = published = difference = ""
    looks = [result["stages"][row.stage]["best_test"] for result in runs]
    flipped = any(r["flip_tta"] for r in runs) and row.key == "accuracy"
    if row.best and all(looks) and not flipped:
        best = _mean([100 * look["overall"] for look in looks])
    if row.published is not None:
        published = f"{row.published:.1f}{' †' * row.best} ({row.source})"
        ours = _group_mean(row, runs, "overall")
        difference = f"{ours - row.published:+.1f}"
    return [best, published, difference]


def _over(row, runs, first, base):
    """Cells that compare with cross entropy in the same study."""
    if not base:
        return ["", ""]
    return [
        f"{_group_mean(row, runs, g) - _group_mean(first, base, g):+.1f}"
        for g in ("overall", "few")
    ]


def _group_mean(row, runs, group):
    return statistics.mean(100 * _accuracy(row, r)[group] for r in runs)


def _picture(folder, study, jobs, found):
    """Draw the last rows of all methods on the first data set."""
    shown = [j for j in jobs if _set(j) == _set(jobs[0])]
    name = f"{study}.png"
    if importlib.util.find_spec("matplotlib"):
        from keras_lt.runs import plots

        plots.study(
            folder / name,
            {job.rows[-1].title: found[job.name][0] for job in shown},
        )
    where = f"{NAMES[jobs[0].dataset]}, ratio {jobs[0].ratio}"
    return f"\n![Accuracy and curves on {where}]({name})\n"


def _set(job):
    return job.dataset, job.ratio


def _not_yet(jobs):
    lines = [
        f"* `{job.name}`: {row.title}, {row.published:.1f} ({row.source})\n"
        for job in jobs
        for row in [r for r in job.rows if r.published is not None][-1:]
    ]
    return NOT_YET + "".join(lines) if lines else ""


def _details(job, runs):
    text = f"\n`{job.name}`:\n\n```bash\n{tables.command(job)}\n```\n"
    packages = {f"{k} {v}" for r in runs for k, v in r["versions"].items()}
    split = sorted({result["split_sha256"][:16] for result in runs})
    about = (runs[0]["backend"], " ".join(sorted(packages)), *split)
    return f"{text}\n{'; '.join(about[:2])}; split {', '.join(split)}\n"


def _mean(values):
    if None in values or not values:
        return "–"
    text = f"{statistics.mean(values):.1f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.1f}"
    return text
