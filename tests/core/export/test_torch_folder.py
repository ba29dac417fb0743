"""`torch`: the library's own names, a loader without our package, and the whole model as torch.export's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import load_file

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.export import workflow
from tl_core.export.formats import torch_folder
from tl_core.export.formats.record import Format
from tl_core.export.subject import Subject
from tl_core.runs.execution import workflow as running


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory) -> workflow.Exported:
    return workflow.export(finished, "torch", tmp_path_factory.mktemp("torch") / "out")


def test_both_files_answer_as_the_run_does(made, finished):
    assert made.passed, made.card["check"]
    assert {path.name for path in made.models} == {"model.safetensors", "model.pt2"}
    squares = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    whole = torch.export.load(str(made.path / "model.pt2")).module()
    with torch.inference_mode():
        found = whole(torch.from_numpy(squares)).numpy()
    np.testing.assert_allclose(found, Subject.of(finished).answers(squares), atol=1e-5)


def test_the_weights_are_timms_own_and_say_what_they_are(made):
    import timm

    network = timm.create_model("efficientnet_b0", num_classes=2)
    network.load_state_dict(load_file(made.path / "model.safetensors"))
    with safetensors.safe_open(made.path / "model.safetensors", "pt") as opened:
        about = json.loads(opened.metadata()["headswap"])
    assert about["classes"] == ["dots", "stripes"] and about["image_px"] == 32


def test_the_loader_is_short_and_knows_nothing_of_ours(made):
    text = (made.path / "load.py").read_text(encoding="utf-8")
    assert "tl_core" not in text and len(text.splitlines()) < 60


def test_the_same_run_gives_the_same_bytes_without_a_trace_of_the_machine(made, finished):
    subject = Subject.of(finished)
    again = torch_folder._whole(subject)
    assert again == (made.path / "model.pt2").read_bytes()
    for trace in (str(Path.home()), "site-packages", str(Path(torch_folder.__file__).parent), ".py\\n"):
        assert trace.encode() not in again


def test_two_files_that_disagree_are_no_export(made, finished, monkeypatch):
    form: Format = torch_folder.FORMAT
    monkeypatch.setattr(torch_folder, "APART", -1.0)
    with pytest.raises(workflow.ExportFailed, match="model.pt2"):
        workflow._guarded(lambda: form.answer(made.path, _few(finished)))


def _few(run):
    from tl_core.export.pictures import CheckPictures

    squares = np.zeros((2, 32, 32, 3), np.uint8)
    return CheckPictures([], squares, np.zeros(2), np.zeros(2), np.zeros(2, bool), "")


@pytest.mark.parametrize(
    "library, backbone",
    [("timm", "resnet18"), ("timm", "vit_tiny_patch16_224"), ("torchvision", "efficientnet_b0")],
)
def test_every_family_is_loaded_under_its_librarys_names(tmp_path, library, backbone):
    data = write_classes(tmp_path / "data", {"dots": 12, "stripes": 12})
    config = preset(
        "casting", weights="random", backbone=backbone, library=library, image_px=64, augment=False,
        target_per_class=0, views=1, precision="fp32", device="cpu", unfreeze_blocks=1,
        head={"epochs": 1}, finetune={"epochs": 0}, val_fraction=0.25, test_fraction=0.25,
    )  # fmt: skip
    run = running.create_run(data, tmp_path / "run", config)
    assert running.execute(run) == "finished"
    subject = Subject.of(run)
    from safetensors.torch import save

    (tmp_path / "model.safetensors").write_bytes(
        save(torch_folder.library_weights(subject), {"headswap": json.dumps(subject.about())})
    )
    from tl_core.export.handout import load

    squares = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    with torch.inference_mode():
        found = load.load(tmp_path / "model.safetensors")(torch.from_numpy(squares)).numpy()
    np.testing.assert_allclose(found, subject.answers(squares), atol=1e-5)
