"""Studies with fewer epochs: of all methods, and of what they are made of."""

import dataclasses

from reproduction.jobs import Job, Row
from reproduction.published import C100


def reduced() -> list[Job]:
    """All methods on CIFAR-100-LT, with a small network and few epochs."""
    plain = "epochs=(12,) warmup_epochs=1 factor=0.1"
    return [  # the longest ones early: several processes end together then
        _reduced("ce", plain, Row("Cross entropy", "train")),
        _reduced(
            "record",
            "epochs=(12,4) warmup_epochs=1 ema=0.99 autoaugment=False cutout=0",
            Row("Record, stage 1", "experts"),
            Row("Record", "heads"),
        ),
        _reduced(
            "shike",
            "epochs=(12,4) warmup_epochs=1 autoaugment=False cutout=0",
            Row("SHIKE, stage 1", "experts"),
            Row("SHIKE", "balanced"),
        ),
        _reduced(
            "ssd",
            "epochs=(12,2,12,2) warmup_epochs=1 momentum_encoder=0.99",
            Row("SSD, hard head", "distill", "hard"),
            Row("SSD, soft head", "distill", "soft"),
            Row("SSD, hard head rescaled", "rescale"),
        ),
        _reduced(
            "ride",
            "epochs=(8,4,1) warmup_epochs=1 factor=0.1 milestones=(0.67,0.9) "
            "rotation=0.0",
            Row("RIDE, 3 experts", "reweighted"),
            Row("RIDE, 3 experts, routed", "router"),
        ),
        _reduced(
            "wb",
            "epochs=(12,4) lr=0.05 l2=5e-4 head_loss=balanced head_lr=0.05 "
            "head_l2=5e-3",
            Row("WB, stage 1", "features"),
            Row("WB, stage 2", "classifier"),
        ),
        _reduced(
            "reslt", "epochs=(12,) warmup_epochs=1", Row("ResLT", "train")
        ),
        _reduced(
            "mislas",
            "epochs=(12,) warmup_epochs=1 mixup=0.2 mislas_epochs=4",
            Row("MiSLAS, stage 1", "mixup"),
            Row("MiSLAS", "mislas"),
        ),
        _reduced("balanced_softmax", plain, Row("Balanced softmax", "train")),
        _reduced("focal", plain, Row("Focal loss", "train")),
    ]


def _reduced(method: str, settings: str, *rows: Row) -> Job:
    flags = _set(f"backbone=resnet8 {settings}")
    return Job(f"reduced-{method}", C100, 100, method, flags, rows)


def _set(settings: str) -> tuple[str, ...]:
    return tuple(f"--set={setting}" for setting in settings.split())


# What goes on from where, with which settings of the stage.
FOLLOWED = ("ce", "balanced_softmax", "ride")
FOLLOWING = {
    **{name: f"{name}_epochs=4" for name in ("crt", "lws", "mislas", "los")},
    **dict.fromkeys(("tau", "la", "ncm"), ""),
}
MEANINGLESS = {("ride", "tau")}  # in whose classifiers norms have no say


def stages() -> list[Job]:
    """The reduced study, and stages that go on from some of its runs."""
    jobs = reduced()
    alone = {job.method: job for job in jobs}
    for method in FOLLOWED:
        job = alone[method]
        jobs += [
            _followed(job, name, settings)
            for name, settings in FOLLOWING.items()
            if (method, name) not in MEANINGLESS
        ]
    return jobs


def _followed(job: Job, name: str, settings: str) -> Job:
    """What goes on from a training, with one more stage."""
    return dataclasses.replace(
        job,
        name=f"{job.name}+{name}",
        flags=(
            *(*job.flags, *_set(settings)),
            *(f"--then={name}", "--init_from={needs}"),
        ),
        rows=(Row(f"{job.rows[0].title}, then {name}", name),),
        needs=job.name,
    )


def _middle(
    name: str, method: str, settings: str, *rows: Row, more: tuple = ()
) -> Job:
    """A training with a quarter of the published epochs."""
    flags = (*_set(settings), *more, "--epochs_scale=0.25", "--test_freq=5")
    return Job(f"middle-{name}", C100, 100, method, flags, rows, seeds=(0,))


def middle() -> list[Job]:
    """All methods with ResNet-32 and a quarter of the published epochs."""

    def job(method, settings, *rows):
        settings = f"backbone=resnet32 {settings}"
        return _middle(method, method, settings, *rows)

    return [
        job("ce", "", Row("Cross entropy", "train")),
        job("reslt", "", Row("ResLT", "train")),
        job(
            "ride",
            "",
            Row("RIDE, 3 experts", "reweighted"),
            Row("RIDE, 3 experts, routed", "router"),
        ),
        job(
            "wb",
            "lr=0.05 l2=5e-4 head_loss=balanced head_lr=0.05 head_l2=5e-3",
            Row("WB, stage 1", "features"),
            Row("WB, stage 2", "classifier"),
        ),
        job("ssd", "", Row("SSD, hard head rescaled", "rescale")),
    ]


POLICIES = ("--augment=published+autoaugment+cutout",)
ABLATED = {  # what is left out of the record, and how
    "policies": ("policies", "autoaugment=False cutout=0"),
    "priors": ("adjusted logits", "tau=0.0"),
    "spread": ("differences between experts", "prior_spread=0.0"),
    "mutual": ("mutual lessons", "mutual=0.0"),
    "gates": ("gates", "gated=False"),
    "hardest": ("lessons about the hardest class", "hardest=0.0"),
    "ema": ("averages", "ema=0.0"),
}


def ablation() -> list[Job]:
    """Policies on plain methods, and the record without each ingredient."""

    def plain(method, title):
        row, settings = Row(title, "train"), "backbone=resnet32"
        with_policies = dataclasses.replace(row, title=f"{title}, policies")
        name = f"{method}-policies"
        return [
            _middle(method, method, settings, row),
            _middle(name, method, settings, with_policies, more=POLICIES),
        ]

    def record(name, title, settings):
        rows = (Row(f"{title}, stage 1", "experts"), Row(title, "heads"))
        return _middle(name, "record", settings, *rows)

    return [
        *plain("ce", "Cross entropy"),
        *plain("balanced_softmax", "Balanced softmax"),
        record("record", "Record", ""),
        *(
            record(f"record-no-{name}", f"Record without {title}", settings)
            for name, (title, settings) in ABLATED.items()
        ),
        _middle(
            "shike",
            "shike",
            "",
            Row("SHIKE, stage 1", "experts"),
            Row("SHIKE", "balanced"),
        ),
    ]
