"""The doctor finds what is wrong with a machine, names it and the mend, and never falls ill itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tl_core.base.messages import LANGUAGES, say
from tl_core.cli import doctor
from tl_core.compute import device
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.models.weights import locate
from tl_core.models.weights.sources import SOURCES

ROOT = Path(__file__).parents[3]
NO_SERVER = "http://127.0.0.1:9"
GIB = 2**30


@pytest.fixture(autouse=True)
def healthy(tmp_path, monkeypatch) -> None:
    """A machine with memory and disk to spare, no network and no weights but the built-in ones."""
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HEADSWAP_TORCHVISION_URL", NO_SERVER)
    monkeypatch.setenv("HF_ENDPOINT", NO_SERVER)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    memory = namedtuple("memory", "available total")
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: memory(8 * GIB, 16 * GIB))
    monkeypatch.setattr(device, "CGROUP", tmp_path)
    set_disk(monkeypatch, 50 * GIB)


def set_disk(monkeypatch, free: int) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(device.shutil, "disk_usage", lambda place: usage(100 * GIB, 0, free))


def test_a_healthy_machine_has_no_problem_and_everything_is_told():
    found = doctor.examine()
    assert found["problems"] == []
    assert found["machine"].keys() == device.describe().keys()
    assert found["machine"]["device"] == device.pick_device()
    assert found["machine"]["precision"] in ("fp32", "bf16", "fp16")
    assert found["versions"] == device.versions()
    assert [item["source"] for item in found["weights"]] == list(SOURCES)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_backbone_is_listed_with_the_weights_that_are_here(language):
    found = doctor.examine(language)
    here = {one["name"]: one["here"] for one in found["backbones"]}
    assert list(here) == list(ARCHITECTURES)
    assert here["tf_efficientnet_lite0"] == ["imagenet-lite0"] and here["efficientnet_b0"] == ["formula"]
    assert here["resnet18"] == []
    missing = say("doctor.not_here", language, hub=ARCHITECTURES["resnet18"].hub_repo)
    (line,) = (line for line in doctor.text(found, language).splitlines() if line.startswith("  resnet18 "))
    assert missing in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_source_that_cannot_be_used_says_why_in_the_persons_language(language):
    sources = {item["source"]: item for item in doctor.examine(language)["weights"]}
    assert doctor.examine(language)["auto"] == "imagenet-lite0"
    assert sources["formula"]["is_usable"] and sources["formula"]["message"] == ""
    assert sources["formula"]["detail"] == str(locate.FORMULA)
    assert sources["imagenet"]["reason"] == sources["imagenet-torchvision"]["reason"] == "no_network"
    assert sources["vggface2"]["reason"] == "user_download"
    assert sources["vggface2"]["message"].endswith(str(locate.vggface2_paths()[0]))
    for item in sources.values():
        if not item["is_usable"]:
            assert item["message"] == say(f"reason.{item['reason']}", language, detail=item["detail"])


def test_too_little_memory_is_named_also_where_only_a_container_limits_it(tmp_path, monkeypatch):
    for name, content in (("max", f"{2 * GIB}"), ("current", f"{1 * GIB}"), ("stat", "inactive_file 0")):
        (tmp_path / f"memory.{name}").write_text(content, encoding="utf-8")
    assert doctor.examine()["problems"] == [say("doctor.low_memory", free="1.0")]


def test_too_little_disk_is_named_for_each_place(monkeypatch):
    set_disk(monkeypatch, GIB // 2)
    found = doctor.examine()
    places = [found["machine"][f"{name}_dir"] for name in ("runs", "cache")]
    assert found["problems"] == [say("doctor.low_disk", free="0.5", path=path) for path in places]


@pytest.mark.parametrize("variable", ["HEADSWAP_RUNS", "HEADSWAP_CACHE"])
@pytest.mark.parametrize("below", ["a file/runs", "a file/runs/deeper", "x" * 300])
def test_a_folder_that_cannot_be_made_is_named_with_the_variable_that_moves_it(
    tmp_path, monkeypatch, below, variable
):
    (tmp_path / "a file").write_text("", encoding="utf-8")
    path = tmp_path / below
    monkeypatch.setenv(variable, str(path))
    assert doctor.examine()["problems"] == [say("doctor.not_writable", path=path, variable=variable)]
    assert variable in doctor.examine("ko")["problems"][0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o555)
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path / "locked" / "runs"))
    assert "HEADSWAP_RUNS" in " ".join(doctor.examine()["problems"])


def test_looking_leaves_nothing_in_the_runs_folder(tmp_path):
    (tmp_path / "runs").mkdir()
    doctor.examine()
    assert list((tmp_path / "runs").iterdir()) == []


def test_without_any_pretrained_weights_transfer_is_said_to_be_impossible(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "FORMULA", tmp_path / "none.safetensors")
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    found = doctor.examine()
    assert found["problems"] == [say("doctor.no_pretrained")]
    usable = [item["source"] for item in found["weights"] if item["is_usable"]]
    assert usable == ["random"]


@pytest.mark.parametrize("name", ["safetensors", "torch"])
def test_a_library_that_is_missing_is_named_and_torch_is_not_asked(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    found = doctor.examine()
    assert found["problems"] == [say("doctor.not_installed", name=name)]
    assert found["machine"]["device"] == device.guess_device()


def test_libraries_of_different_builds_are_named_by_a_doctor_that_still_answers(tmp_path):
    """What `pip install` of two builds does: torchvision raises at import, and so does timm."""
    stub = "raise RuntimeError('operator torchvision::nms\\n does not exist.')\n"
    (tmp_path / "stubs").mkdir()
    (tmp_path / "stubs" / "torchvision.py").write_text(stub, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path / "stubs"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "tl_core", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": path, "HEADSWAP_LANG": "en"},
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    problems = json.loads(done.stdout)["problems"]
    expected = say(
        "doctor.import_failed", name="torchvision", detail="operator torchvision::nms does not exist"
    )
    assert expected in problems
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_for_a_person_holds_every_finding_and_no_bare_key(language, monkeypatch):
    set_disk(monkeypatch, GIB // 2)
    found = doctor.examine(language)
    text = doctor.text(found, language)
    assert all(problem in text for problem in found["problems"]) and found["problems"]
    lines = [line.split() for line in text.splitlines() if line.strip()]
    for item in found["weights"]:
        assert any(line[0] == item["source"] for line in lines)
        assert item["message"] in text
    for name, version in found["versions"].items():
        assert [name, version] in lines
    assert "doctor." not in text and "{" not in text and "None" not in text
    assert say("doctor.no_problems", language) not in text
    assert say("doctor.no_problems", language) in doctor.text({**found, "problems": []}, language)


def test_the_text_tells_cards_with_their_memory_and_an_unmeasured_processor(monkeypatch):
    found = doctor.examine()
    machine = {**found["machine"], "device": "cuda", "precision": "bf16", "gpus": ["A 100", "B 200"],
               "gpu_memory_mib": [8192, 81920]}  # fmt: skip
    text = doctor.text({**found, "machine": machine})
    assert "A 100, 8 GiB, B 200, 80 GiB" in text and "measured" not in text
    machine = {**found["machine"], "device": "cpu", "precision": None, "frozen_precision": None}
    lines = doctor.text({**found, "machine": machine}).splitlines()
    assert [line.split() for line in lines if line.strip().startswith("precision")] == [["precision", "?"]]


def test_a_version_that_is_missing_is_said_in_words():
    found = doctor.examine()
    text = doctor.text({**found, "versions": {"timm": None}})
    assert ["timm", "not", "installed"] in [line.split() for line in text.splitlines()]
