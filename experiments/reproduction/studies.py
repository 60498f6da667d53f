"""What is reproduced: every training, and the published numbers beside it."""

from reproduction.jobs import Job, Row
from reproduction.own_images import own
from reproduction.published import C10, C100, PUBLISHED
from reproduction.small_studies import ablation, middle, reduced, stages

MAIN = 9  # of the trainings of a data set, those that come first


def full() -> list[Job]:
    """The published recipes at full size, what matters most first."""
    groups = [
        _published(dataset, ratio)
        for dataset in (C100, C10)
        for ratio in (100, 50, 10)
    ]
    return [
        *(job for jobs in groups for job in jobs[:MAIN]),
        *(job for jobs in groups for job in jobs[MAIN:]),
    ]


def _published(dataset: str, ratio: int) -> list[Job]:
    def row(title, stage, key="accuracy", known=""):
        published = PUBLISHED.get(known, {}).get((dataset, ratio), ())
        return Row(title, stage, key, *published)

    def job(name, method, flags, *rows, **options):
        name = f"{dataset}-{ratio}-{name}"
        if "needs" in options:
            options["needs"] = f"{dataset}-{ratio}-{options['needs']}"
        return Job(name, dataset, ratio, method, flags, rows, **options)

    def with_and_without_flip(title, stage, known):
        return (
            row(title, stage, "accuracy_without_flip", known),
            row(f"{title}, flip", stage, "accuracy", f"{known}-flip"),
        )

    def weight_balancing(backbone, title, known):
        flags = (
            "--subset=first",
            f"--set=backbone={backbone}",
            "--flip_tta",
        )
        tau = ("--set=epochs=(320,0)", "--set=tau=1.9", "--from_stage=tau")
        return (
            job(
                f"wb-{backbone}",
                "wb",
                (*flags, "--test_freq=5"),
                *with_and_without_flip(
                    f"{title}, stage 1", "features", f"{known}-stage1"
                ),
                *with_and_without_flip(
                    f"{title}, stage 2", "classifier", f"{known}-stage2"
                ),
            ),
            job(
                f"wb-{backbone}-tau",
                "wb",
                (*flags, *tau, "--init_from={needs}"),
                *with_and_without_flip(
                    f"{title}, stage 1, tau 1.9", "tau", f"{known}-tau"
                ),
                needs=f"wb-{backbone}",
            ),
        )

    def experts(number, distilled=False):
        name, title = f"ride{number}", f"RIDE, {number} experts"
        flags = (f"--set=num_experts={number}",)
        options = {}
        if distilled:
            name, title = f"{name}-distilled", f"{title}, taught by 6"
            flags = (*flags, "--set=distill_from={needs}")
            options = {"needs": "ride6", "needs_seed": 0}
        return job(
            name,
            "ride",
            flags,
            row(title, "reweighted", known=name),
            row(f"{title}, routed", "router", known=f"{name}-routed"),
            **options,
        )

    resnet34, resnet34_tau = weight_balancing("resnet34", "WB, ResNet-34", "wb")
    resnet32 = weight_balancing("resnet32", "WB, ResNet-32", "")
    return [
        job(
            "ce",
            "ce",
            ("--test_freq=5",),
            row("Cross entropy", "train", known="ce"),
        ),
        job(
            "reslt",
            "reslt",
            ("--test_freq=5",),
            row("ResLT", "train", known="reslt"),
        ),
        experts(3),
        job(
            "ldam",
            "ldam",
            ("--test_freq=5",),
            row("LDAM-DRW", "reweighted", known="ldam"),
        ),
        job(
            "ssd",
            "ssd",
            (),
            row("SSD, hard head", "distill", "hard"),
            row("SSD, soft head", "distill", "soft"),
            row("SSD, hard head rescaled", "rescale", known="ssd-rescaled"),
        ),
        *resnet32,
        resnet34,
        resnet34_tau,
        experts(2),
        experts(4),
        job(
            "ride6",
            "ride",
            ("--set=num_experts=6", "--set=router=False"),
            row("RIDE, 6 experts", "reweighted", known="ride6"),
        ),
        *(experts(number, distilled=True) for number in (2, 3, 4)),
    ]


def check() -> list[Job]:
    """Two epochs at full size: whether the machinery works, no result."""
    row = Row("Cross entropy, 2 epochs", "train")
    flags = ("--set=epochs=(2,)", "--test_freq=1")
    return [Job("check-ce", C100, 100, "ce", flags, (row,), seeds=(0,))]


STUDIES = {
    "reduced": reduced,
    "stages": stages,
    "middle": middle,
    "ablation": ablation,
    "own": own,
    "full": full,
    "check": check,
}
