"""Launch recipes, as far as that goes without a cluster."""

import importlib
import json
import os
import re
import subprocess
import time

import programs
import pytest

from keras_lt.cli import arguments, train

pytestmark = pytest.mark.slow

FOLDER = programs.ROOT / "experiments" / "cluster"
FLAGS = arguments.flag_names(train.GROUPS)
STUBS = {
    # Prints its words, one a line, and the job's description.
    "python": 'printf "%s\\n" "$@" "${TF_CONFIG:-}"',
    "scontrol": 'printf "%s\\n" node7 node8',
    # Each task of a job, in turn.
    "srun": """shift
for task in 0 1; do SLURM_NTASKS=2 SLURM_PROCID=$task "$@"; done""",
}


def launch(command, folder, **environment):
    """Run a command where a cluster's programs are stubs.

    Returns:
        Flags and `TF_CONFIG` of each start of `train.py`.
    """
    for name, text in STUBS.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        command,
        cwd=programs.ROOT,
        env={"PATH": f"{folder}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    starts = done.stdout.split("experiments/train.py\n")[1:]
    lines = [start.removesuffix("\n").split("\n") for start in starts]
    return [(words, job and json.loads(job)) for *words, job in lines]


def assert_flags_exist(words):
    for word in words:
        name = re.fullmatch(r"--(\w+)(=.+)?", word).group(1)
        assert name in FLAGS, word


@pytest.mark.parametrize(
    ("backend", "strategy"),
    [("jax", "data_parallel"), ("tensorflow", "mirrored")],
)
def test_one_machine(backend, strategy, tmp_path):
    command = ["/bin/bash", FOLDER / "one_machine.sh", "--method=ride"]
    ((words, _),) = launch(command, tmp_path, KERAS_BACKEND=backend)
    assert words[-1] == "--method=ride"
    assert f"--backend={backend}" in words
    assert f"--strategy={strategy}" in words
    assert_flags_exist(words)


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_slurm(backend, tmp_path):
    command = ["/bin/bash", FOLDER / "slurm.sbatch", "--set=a=b c"]
    starts = launch(
        command,
        tmp_path,
        SLURM_JOB_NODELIST="node[7-8]",
        KERAS_BACKEND=backend,
    )
    assert len(starts) == 2
    for number, (words, job) in enumerate(starts):
        assert_flags_exist(words)
        assert f"--backend={backend}" in words
        assert words[-1] == "--set=a=b c"
        if backend == "jax":
            assert "--strategy=data_parallel" in words
            assert "--coordinator=node7:12355" in words
            assert "--num_processes=2" in words
            assert f"--process_id={number}" in words
        else:
            assert "--strategy=multi_worker" in words
            workers = ["node7:12355", "node8:12355"]
            assert job["cluster"] == {"worker": workers}
            assert job["task"] == {"type": "worker", "index": number}


def test_slurm_warns_a_training_and_puts_it_back(tmp_path):
    text = (FOLDER / "slurm.sbatch").read_text()
    assert "#SBATCH --signal=USR1@60\n" in text
    for status, calls in ((75, ["requeue 7"]), (1, [])):
        folder = tmp_path / str(status)
        folder.mkdir()
        stub = (
            '#!/bin/bash\nif [ "$1" = show ]; then echo node7; '
            f"else echo $* >> {folder}/calls; fi\n"
        )
        for name, content in (
            ("scontrol", stub),
            ("srun", f"#!/bin/bash\nexit {status}\n"),
        ):
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)
        done = subprocess.run(
            ["/bin/bash", FOLDER / "slurm.sbatch"],
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "SLURM_JOB_NODELIST": "node7",
                "SLURM_JOB_ID": "7",
            },
        )
        assert done.returncode == status
        made = folder / "calls"
        assert (made.read_text().splitlines() if calls else []) == calls
        assert made.exists() == bool(calls)


def first_minutes(folder, python, **environment):
    """Run `gpu_first.sh` with a stand-in for Python.

    Returns:
        The command lines that it was started with.
    """
    stub = folder / "python"
    stub.write_text(f'#!/bin/bash\necho "$*" >> {folder}/calls\n{python}\n')
    stub.chmod(0o755)
    subprocess.run(
        ["bash", FOLDER.parent / "gpu_first.sh", folder / "out"],
        env={"PATH": f"{folder}:{os.environ['PATH']}", **environment},
        capture_output=True,
        check=True,
    )
    return [
        line.split()
        for line in (folder / "calls").read_text().splitlines()
        if line.startswith("experiments/")
    ]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_first_minutes_on_a_gpu(tmp_path):
    """A step that fails does not stop the others; their flags exist."""
    python = """echo '{"figure": 1}'
echo no figure
[[ "$*" != *--method=ride* ]]"""
    calls = first_minutes(
        tmp_path, python, FLAGS="--backbone=resnet8 --steps=2", DATA_DIR="."
    )
    steps = lines(tmp_path / "out" / "steps.jsonl")
    failed = [step["step"] for step in steps if step["status"]]
    assert failed == ["ride"] and len(steps) == 7
    for step in steps:
        assert lines(tmp_path / "out" / f"{step['step']}.jsonl") == [
            {"figure": 1}
        ]
    whats = [what for _, what, *_ in calls]
    assert whats == ["overhead"] + 5 * ["train"] + ["run"]
    for (path, *words), step in zip(calls, steps[1:] + [None], strict=True):
        program = importlib.import_module(programs.MODULES[path.split("/")[1]])
        given = arguments.parse([path, *words], program.GROUPS, program.NAMES)
        asked = given[program.GROUPS[0]]
        if step:
            assert 60 * asked.minutes < step["limit"]
            assert asked.steps == 2
        else:
            assert 7 < asked.minutes <= 8  # nothing took any


def test_first_minutes_end_in_time(tmp_path):
    """Each step has its share, and leaves over what it does not need."""
    python = """echo '{"figure": 1}'
[[ "$*" == *" overhead "* ]] && exec sleep 60"""
    begin = time.monotonic()
    first_minutes(tmp_path, python, MINUTES="1")
    assert time.monotonic() - begin < 40
    _, overhead, train, *_ = lines(tmp_path / "out" / "steps.jsonl")
    assert overhead["status"] == 124
    assert overhead["limit"] == pytest.approx(60 * 15 / 95, abs=2)
    assert lines(tmp_path / "out" / "overhead.jsonl") == [{"figure": 1}]
    assert train["limit"] == pytest.approx(
        (60 - overhead["seconds"]) * 20 / 80, abs=2
    )


def assert_mounts(pod):
    """The container's volumes exist, and runs go to one of them."""
    (container,) = pod["containers"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    path = f"--workdir={container['volumeMounts'][0]['mountPath']}"
    assert path in container["command"][-1]
    return container


def test_kubeflow(tmp_path):
    job = json.loads((FOLDER / "tfjob.json").read_text())
    (workers,) = job["spec"]["tfReplicaSpecs"].values()
    container = assert_mounts(workers["template"]["spec"])
    assert container["name"] == "tensorflow"  # gets TF_CONFIG
    command = ["/bin/bash", *container["command"][1:]]
    ((words, _),) = launch(command, tmp_path)
    assert_flags_exist(words)
    assert "--strategy=multi_worker" in words


@pytest.mark.parametrize("index", [0, 1])
def test_kubernetes(index, tmp_path):
    jobset = json.loads((FOLDER / "jobset.json").read_text())
    name = jobset["metadata"]["name"]
    (job,) = jobset["spec"]["replicatedJobs"]
    spec = job["template"]["spec"]
    pod = spec["template"]["spec"]
    container = assert_mounts(pod)
    environment = {e["name"]: e["value"] for e in container["env"]}
    first = f"{name}-{job['name']}-0-0.{jobset['spec']['network']['subdomain']}"
    assert environment["COORDINATOR"] == f"{first}:12355"
    assert spec["completionMode"] == "Indexed"
    assert spec["parallelism"] == spec["completions"]
    assert environment["PROCESSES"] == str(spec["completions"])
    command = ["/bin/bash", *container["command"][1:]]
    environment["JOB_COMPLETION_INDEX"] = str(index)
    ((words, _),) = launch(command, tmp_path, **environment)
    assert_flags_exist(words)
    assert f"--process_id={index}" in words
