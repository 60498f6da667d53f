"""Files of results: one for each run."""

import json
import pathlib
import shlex

from keras_lt.atomic import write_atomically
from keras_lt.runs import RunFolder
from reproduction.jobs import Job

CURVES = ("loss", "accuracy", "test_accuracy", "val_accuracy")


def path(folder: pathlib.Path, job: Job, seed: int) -> pathlib.Path:
    """File of one run's result."""
    return folder / f"{job.name}-seed{seed}.json"


def command(job: Job) -> str:
    """The command of a training, with DIR and RUN in place of folders."""
    arguments = job.arguments("RUN")
    return shlex.join(["python", "experiments/train.py", *arguments])


def keep(folder: pathlib.Path, job: Job, seed: int, run: RunFolder) -> dict:
    """Copy a run's `result.json`, without the folders of this machine."""
    result = run.result()
    result["command"] = f"{command(job)} --seed={seed} --data_dir=DIR"
    if job.needs:
        source = f"{job.needs}-seed{job.needed_seed(seed)}"
        result["init_from"] = result["init_from"] and source
        own = result["hyperparameters"]
        if own.get("distill_from"):
            own["distill_from"] = source
    result["curves"] = _curves(run.epochs(), result["stages"])
    lines = [f'"{name}": {json.dumps(value)}' for name, value in result.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    write_atomically(path(folder, job, seed), text.encode())
    return result


def _curves(lines, stages) -> dict[str, dict]:
    """Of each stage one value an epoch, None where there is none, by name."""
    curves = {}
    for stage in stages:
        own = [line for line in lines if line["stage"] == stage]
        if own:
            curves[stage] = {
                name: [_short(line.get(name)) for line in own]
                for name in CURVES
                if any(name in line for line in own)
            }
    return curves


def _short(value):
    return None if value is None else float(f"{value:.4g}")


def read(folder: pathlib.Path, job: Job) -> list[dict]:
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
