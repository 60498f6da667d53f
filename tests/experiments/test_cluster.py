"""Launch recipes, as far as that goes without a cluster."""

import json
import os
import re
import subprocess

import programs
import pytest

FOLDER = programs.ROOT / "experiments" / "cluster"
FLAGS = (programs.ROOT / "experiments" / "train.py").read_text()
STUBS = {
    # Prints its words, one a line.
    "python": 'printf "%s\\n" "$@"',
    "scontrol": 'printf "%s\\n" node7 node8',
    # Each task of a job, in turn.
    "srun": """shift
for task in 0 1; do SLURM_NTASKS=2 SLURM_PROCID=$task "$@"; done""",
}


def launch(command, folder, **environment):
    """Run a command where a cluster's programs are stubs; one list a start."""
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
    return [start.splitlines() for start in starts]


def assert_flags_exist(words):
    for word in words:
        name = re.fullmatch(r"--(\w+)(=.+)?", word).group(1)
        assert f'"{name}"' in FLAGS, word


def test_one_machine(tmp_path):
    script = FOLDER / "one_machine.sh"
    (words,) = launch(["/bin/bash", script, "--method=ride"], tmp_path)
    assert words[-1] == "--method=ride"
    assert "--strategy=data_parallel" in words
    assert_flags_exist(words)


def test_slurm(tmp_path):
    command = ["/bin/bash", FOLDER / "slurm.sbatch", "--set=a=b c"]
    starts = launch(command, tmp_path, SLURM_JOB_NODELIST="node[7-8]")
    assert len(starts) == 2
    for number, words in enumerate(starts):
        assert_flags_exist(words)
        assert "--coordinator=node7:12355" in words
        assert "--num_processes=2" in words
        assert f"--process_id={number}" in words
        assert words[-1] == "--set=a=b c"


@pytest.mark.parametrize("index", [0, 1])
def test_kubernetes(index, tmp_path):
    jobset = json.loads((FOLDER / "jobset.json").read_text())
    name = jobset["metadata"]["name"]
    (job,) = jobset["spec"]["replicatedJobs"]
    spec = job["template"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    environment = {e["name"]: e["value"] for e in container["env"]}
    first = f"{name}-{job['name']}-0-0.{jobset['spec']['network']['subdomain']}"
    assert environment["COORDINATOR"] == f"{first}:12355"
    assert spec["completionMode"] == "Indexed"
    assert spec["parallelism"] == spec["completions"]
    assert environment["PROCESSES"] == str(spec["completions"])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    command = ["/bin/bash", *container["command"][1:]]
    environment["JOB_COMPLETION_INDEX"] = str(index)
    (words,) = launch(command, tmp_path, **environment)
    assert_flags_exist(words)
    assert f"--process_id={index}" in words
    path = f"--workdir={container['volumeMounts'][0]['mountPath']}"
    assert any(word.startswith(path) for word in words)
