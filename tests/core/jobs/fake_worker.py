"""A worker whose work is to count: the real locks, queue, signals and status, but no network.

    python fake_worker.py RUN

The run's configuration says how: epochs, seconds (per epoch), fail ("message" or "").
"""

import sys
import time

from tl_core.base.errors import NonFiniteLoss
from tl_core.base.events import EpochEnd, RunEnded, RunStopped, StageStarted
from tl_core.jobs import worker
from tl_core.runs.run_folder import EventWriter, write_atomic


def execute(folder, *, should_stop, on_event):
    config = folder.read_config()
    last = folder.models / "last.pt"
    done = int(last.read_text()) if last.exists() else 0
    with EventWriter(folder.events_path) as writer:

        def say(event):
            on_event(writer.write(event))

        say(
            StageStarted(
                stage="head",
                epochs=config["epochs"],
                learning_rate=1e-3,
                trainable_parts=["classifier"],
                frozen_parts=[],
                num_trainable=2562,
                num_parameters=2562,
                feed="plain",
                feed_why="",
                views=0,
                parameters={},
            )
        )
        for epoch in range(done + 1, config["epochs"] + 1):
            ready = time.monotonic() + config["seconds"]
            while time.monotonic() < ready:
                if should_stop():
                    say(RunStopped(epoch=epoch - 1))
                    return "stopped"
                time.sleep(0.01)
            if config.get("fail") == "tl":
                raise NonFiniteLoss(stage="head", epoch=epoch, learning_rate=0.1)
            if config.get("fail"):
                raise ZeroDivisionError(config["fail"])
            say(
                EpochEnd(
                    stage="head",
                    epoch=epoch,
                    epochs=config["epochs"],
                    train_loss=1.0 / epoch,
                    train_accuracy=0.5,
                    val_loss=1.0 / epoch,
                    val_accuracy=0.5,
                    learning_rate=1e-3,
                    epoch_seconds=config["seconds"],
                    images_per_second=1.0,
                )
            )
            write_atomic(last, str(epoch))
        say(RunEnded(final_stage="head", run_seconds=1.0))
    return "finished"


if __name__ == "__main__":
    sys.exit(worker.main(execute=execute))
