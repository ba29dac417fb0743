"""fastai's two stages against ours: same pictures, start, frozen part, epochs, batch and rates.

    PYTHONPATH=FOLDER python -m benchmarks.fastai_peer --data FOLDER [--pictures 400] [--epochs 15 20]

fastai goes its own way where it has one: pictures read from their files by a DataLoader, resized by it,
flipped and lit per batch, one learner, `fit` per stage. Set alike: the network and its head, Adam with
our rates and weight decay, the frozen part with its BatchNorm at rest, the same list of training
entries. See benchmarks/requirements.txt for what to install.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from benchmarks import pictures, plain_loop
from benchmarks.harness import Apart, Side, report, take_turns
from tl_core.base.config import RunConfig
from tl_core.compute import device
from tl_core.data.pixels.augment import training_entries
from tl_core.models.weights import sources


def fastai_side(path: Path, config: RunConfig, choice: sources.WeightsRecord) -> Side:
    """Yields after every epoch; returns {"val", "test"} accuracy of the last epoch's model."""
    from fastai.vision import all as fv

    model, prepared = plain_loop.network(config, choice), plain_loop.read(path, config)
    split, classes = prepared.split, prepared.dataset.classes
    entries = training_entries(prepared.labels, split.train, config.target_per_class, config.seed)
    rows = [(i, False) for i, _ in entries] + [(i, True) for i in split.val]

    def loaders_of(rows: list[tuple[int, bool]]):
        """rows: (picture, is it for validation)."""
        block = fv.DataBlock(
            blocks=(fv.ImageBlock, fv.CategoryBlock(vocab=classes)),
            get_x=lambda n: prepared.dataset.pictures[rows[n][0]].path,
            get_y=lambda n: classes[int(prepared.labels[rows[n][0]])],
            splitter=lambda _: ([n for n, r in enumerate(rows) if not r[1]],
                                [n for n, r in enumerate(rows) if r[1]]),
            item_tfms=fv.Resize(config.image_px, method="squish"),
            batch_tfms=[fv.Flip(), fv.Brightness(0.1), fv.Contrast(0.1),
                        fv.Normalize.from_stats(choice.mean, choice.std)],
        )  # fmt: skip
        positions = list(range(len(rows)))
        return block.dataloaders(positions, bs=config.batch_size, num_workers=0, device=torch.device("cpu"))

    loaders = loaders_of(rows)
    weight = [config.positive_weight if name == config.positive_class else 1.0 for name in classes]
    learner = fv.Learner(
        loaders, model, loss_func=fv.CrossEntropyLossFlat(weight=torch.tensor(weight)), metrics=fv.accuracy,
        opt_func=fv.Adam, wd=config.weight_decay, train_bn=False,
        splitter=lambda m: [[p for p in m.parameters()]],
    )  # fmt: skip
    num_done, num_epochs = 0, config.head.epochs + config.finetune.epochs
    with learner.no_bar(), learner.no_logging():
        for stage in ("head", "finetune"):
            settings = getattr(config, stage)
            model.freeze_backbone() if stage == "head" else model.unfreeze_last(config.unfreeze_blocks)
            learner.splitter = lambda m: [[p for p in m.parameters() if p.requires_grad]]
            learner.opt = None
            for _ in range(settings.epochs):
                learner.fit(1, settings.learning_rate)
                num_done += 1
                yield num_done / num_epochs
    val = float(learner.validate()[1])
    test = loaders_of([(i, False) for i in split.val[:2]] + [(i, True) for i in split.test])
    with learner.no_bar():
        return {"val": val, "test": float(learner.validate(dl=test.valid)[1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    pictures.add_arguments(parser)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, nargs=2, default=[15, 20], metavar=("HEAD", "FINETUNE"))
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device.cpu_probe()
    choice, outcomes = sources.choose("formula"), []
    with tempfile.TemporaryDirectory() as folder:
        stack = pictures.make(args.data, args.pictures, Path(folder))
        for seed in range(args.seeds):
            config = plain_loop.settings(stack.path, seed, stack.num, args.epochs, 4)
            given = (stack.path, config, choice)
            outcomes.append(
                take_turns(
                    {
                        "fastai": Apart(fastai_side, *given, threads=args.threads),
                        "ours, 4 views": plain_loop.own(args, *given),
                    }
                )
            )
            report(
                "fastai_peer",
                f"fastai, {args.threads} thread(s)",
                plain_loop.lines(stack, args.epochs, outcomes, against="fastai"),
            )


if __name__ == "__main__":
    main()
