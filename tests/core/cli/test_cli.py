"""`python -m tl_core`: what it accepts, what it prints where, and how it exits."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tl_core
from tests.core.drawn import write_classes
from tl_core.base.config import PRESETS
from tl_core.base.events import (
    EpochEnd,
    Progress,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    WarningRaised,
)
from tl_core.base.messages import LANGUAGES, say
from tl_core.cli import commands, main, probe
from tl_core.cli.progress import ProgressView
from tl_core.evaluation import linear_probe
from tl_core.evaluation.baselines import colour_histogram
from tl_core.jobs import local
from tl_core.models.weights.sources import SOURCES
from tl_core.runs import run_folder
from tl_core.synthetic.practice import SAMPLES, casting, expression

ROOT = Path(__file__).parents[3]
NO_SERVER = "http://127.0.0.1:9"
CPU = ("--device", "cpu", "--precision", "fp32")
LONG = 40
KOREAN = re.compile("[가-힣]")

FILE = """
preset = "expression"
weights = "formula"
image_px = 32
augment = false
target_per_class = 0
seed = 5
batch_size = 16
positive_weight = 1.5
views = 1
[head]
epochs = 9
learning_rate = 0.03
"""


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as one JSON object: anything else there would not parse."""
        content = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert isinstance(content, dict)
        return content

    def mistake(self) -> str:
        """The one line that a person's mistake is answered with."""
        assert self.status == 2, self.err
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert "Traceback" not in line
        return line


def run_cli(*arguments: object, encoding: str = "utf-8") -> Said:
    """The command line in this process, on streams like a shell's."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # --help and --version
            status = int(end.code or 0)
    for stream in (out, err):
        stream.flush()
    return Said(status, *(stream.buffer.getvalue().decode(encoding) for stream in (out, err)))


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """The same as a process of its own, in a session of its own: a Ctrl-C there reaches nobody else."""
    command = [sys.executable, "-m", "tl_core", *(str(argument) for argument in arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, encoding="utf-8", **{**pipes, **options}
    )  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def surroundings() -> Iterator[None]:
    """An English person with a wide terminal and no network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSWAP_LANG", "en")
        patch.setenv("HEADSWAP_TORCHVISION_URL", NO_SERVER)
        patch.setenv("PYTHONIOENCODING", "utf-8")
        patch.setenv("COLUMNS", "500")
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("data") / "내 사진", {"dots": 62, "stripes": 64})


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(pictures: Path, settings_file: Path, tmp_path_factory: pytest.TempPathFactory):
    """A run through the command line, and what that said."""
    folder = tmp_path_factory.mktemp("out") / "run"
    said = run_cli(
        "train", pictures, "--output", folder, "--json", "--config", settings_file, "--preset", "casting",
        "--seed", 7, "--stage1-epochs", 2, "--stage2-epochs", 0, *CPU,
    )  # fmt: skip
    return folder, said


# --- train, evaluate, predict


def test_training_prints_one_json_object_and_its_progress_elsewhere(trained):
    folder, said = trained
    assert said.status == 0, said.err
    content = said.json()
    assert content["run"] == str(folder) and content["state"] == "finished"
    assert content["final_stage"] == "head"
    assert content["weights"]["source"] == "formula" and content["weights"]["sha256"]
    summary = json.loads((folder / "metrics" / "summary.json").read_text(encoding="utf-8"))
    assert content["reported"] == summary["reported"]
    epochs = [line for line in said.err.splitlines() if line.startswith("head ")]
    assert [line.split(":")[0] for line in epochs] == ["head 1/2", "head 2/2"]
    assert "\r" not in said.err, "bars are for terminals"


def test_an_option_goes_before_the_file_and_the_file_before_the_preset(trained):
    folder, _ = trained
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    # options
    assert (config["preset"], config["seed"], config["device"]) == ("casting", 7, "cpu")
    # the option gives the epochs, the file leaves its rate to them
    assert config["head"] == {"epochs": 2, "learning_rate": 0.03}
    # the file
    assert (config["batch_size"], config["positive_weight"], config["weights"]) == (16, 1.5, "formula")
    # the preset
    assert (config["library"], config["dropout"]) == ("torchvision", PRESETS["casting"]["dropout"])
    assert config["finetune"] == {"epochs": 0, "learning_rate": 1e-4}


def test_evaluation_holds_every_score_that_was_promised(trained, pictures):
    folder, _ = trained
    scores = run_cli("evaluate", folder, pictures, "--json").json()
    assert (scores["run"], scores["data"]) == (str(folder), str(pictures))
    assert {"accuracy", "balanced_accuracy", "f1", "roc_auc"} <= scores.keys()
    assert {"accuracy", "balanced_accuracy", "f1", "roc_auc"} <= scores["intervals"].keys()
    for low, high in scores["intervals"].values():
        assert 0 <= low <= high <= 1
    assert scores["per_class"].keys() == {"dots", "stripes"}
    for values in scores["per_class"].values():
        assert values.keys() == {"precision", "recall", "f1", "support"}
    assert [scores["per_class"][name]["support"] for name in ("dots", "stripes")] == [62, 64]
    assert [sum(row) for row in scores["confusion_matrix"]] == [62, 64]


def test_evaluating_the_pictures_it_was_trained_on_is_said_to_be_too_good(trained, pictures, tmp_path):
    folder, _ = trained
    summary = json.loads((folder / "metrics" / "summary.json").read_text(encoding="utf-8"))
    scores = run_cli("evaluate", folder, pictures, "--json").json()
    assert scores["seen"] == 126 - summary["reported"]["metrics"]["num"]
    assert f"{scores['seen']} of these 126 pictures" in run_cli("evaluate", folder, pictures).out
    others = write_classes(tmp_path / "others", {"dots": 5, "stripes": 5}, seed=9)
    assert run_cli("evaluate", folder, others, "--json").json()["seen"] == 0
    assert "too good" not in run_cli("evaluate", folder, others).out


def test_predictions_recompute_the_evaluation(trained, pictures):
    folder, _ = trained
    files = sorted(pictures.rglob("*.png"))
    answers = run_cli("predict", folder, *files, "--json").json()["predictions"]
    assert [answer["file"] for answer in answers] == [str(path) for path in files]
    for answer in answers:
        assert answer.keys() == {"file", "label", "probabilities"}
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
    scores = run_cli("evaluate", folder, pictures, "--json").json()
    right = [answer["label"] == Path(answer["file"]).parent.name for answer in answers]
    assert scores["accuracy"] == pytest.approx(np.mean(right))


def test_answers_for_a_person_hold_the_same_figures(trained, pictures):
    folder, said = trained
    said = run_cli("evaluate", folder, pictures)
    scores = run_cli("evaluate", folder, pictures, "--json").json()
    low, high = scores["intervals"]["accuracy"]
    assert f"accuracy: {scores['accuracy']:.3f} (95 %: {low:.3f} to {high:.3f})" in said.out
    assert "Positive class: dots" in said.out
    for name, row in zip(scores["classes"], scores["confusion_matrix"], strict=True):
        assert [name, *map(str, row)] in [line.split() for line in said.out.splitlines()]
    file = min(pictures.rglob("*.png"))
    (answer,) = run_cli("predict", folder, file, "--json").json()["predictions"]
    (line,) = run_cli("predict", folder, file).out.splitlines()
    assert line.startswith(str(file))
    assert line.split()[-2:] == [answer["label"], f"{answer['probabilities'][answer['label']]:.1%}"]


def test_a_finished_run_has_nothing_to_resume_and_stays_as_it_is(trained):
    folder, _ = trained
    before = (folder / "status.json").read_bytes()
    assert "nothing to resume" in run_cli("resume", folder).mistake()
    assert (folder / "status.json").read_bytes() == before


# --- bad pictures


def test_one_bad_picture_never_stops_the_rest(trained, pictures, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    good = min(pictures.rglob("*.png"))
    said = run_cli("predict", trained[0], tmp_path / "bad.jpg", good, tmp_path / "none.png", "--json")
    assert said.status == 0
    first, second, third = said.json()["predictions"]
    assert first.keys() == third.keys() == {"file", "error"}
    assert second["label"] in ("dots", "stripes")
    assert said.err.splitlines() == [first["error"], third["error"]]
    assert "bad.jpg" in first["error"] and "none.png" in third["error"]
    plain = run_cli("predict", trained[0], tmp_path / "bad.jpg", good)
    assert plain.status == 0 and len(plain.out.splitlines()) == len(plain.err.splitlines()) == 1


def test_only_bad_pictures_exit_2_and_are_still_answered(trained, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    said = run_cli("predict", trained[0], tmp_path / "bad.jpg", tmp_path / "none.png", "--json")
    assert said.status == 2
    assert ["error" in answer for answer in said.json()["predictions"]] == [True, True]
    assert run_cli("predict", trained[0], tmp_path / "bad.jpg").out == ""


def test_a_pattern_that_the_shell_left_is_filled_in(trained, tmp_path):
    write_classes(tmp_path, {"dots": 3})
    shutil.copy(tmp_path / "dots" / "000.png", tmp_path / "dots" / "[a]*.png")
    answers = run_cli("predict", trained[0], tmp_path / "dots" / "0*.png", "--json").json()["predictions"]
    assert [Path(answer["file"]).name for answer in answers] == ["000.png", "001.png", "002.png"]
    # what is there under that very name is taken as it is
    answers = run_cli("predict", trained[0], tmp_path / "dots" / "[a]*.png", "--json").json()["predictions"]
    assert [Path(answer["file"]).name for answer in answers] == ["[a]*.png"]
    assert run_cli("predict", trained[0], tmp_path / "none*.png").status == 2


def test_json_arrives_whole_where_the_console_lacks_the_script(trained, pictures):
    file = min(pictures.rglob("*.png"))
    said = run_cli("predict", trained[0], file, "--json", encoding="ascii")
    assert said.json()["predictions"][0]["file"] == str(file)
    # and a sentence is not the end of the program
    assert run_cli("predict", trained[0], pictures / "없다.png", encoding="ascii").status == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' pipes break otherwise")
def test_a_reader_that_went_away_is_no_fault(trained, pictures, capfd):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):  # noqa: PTH123
        assert main(["predict", str(trained[0]), str(min(pictures.rglob("*.png"))), "--json"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_an_answer_that_finds_no_room_is_an_error_in_words(trained, pictures, capfd):
    with open("/dev/full", "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):  # noqa: PTH123
        assert main(["predict", str(trained[0]), str(min(pictures.rglob("*.png")))]) == 2
    said = capfd.readouterr().err
    assert "<stdout>" in said and "full" in said and len(said.splitlines()) == 1


# --- mistakes


def train(data: object, folder: object, *more: object) -> Said:
    return run_cli("train", data, "--output", folder, "--weights", "random", *CPU, *more)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "COMMAND"),
        (("tran",), "tran"),
        (("train",), "DATA"),
        (("train", "--output", "y"), "DATA"),
        (("train", "x", "--output", "y", "--speed", "9"), "--speed"),
        (("train", "x", "--output", "y", "--seed", "many"), "many"),
        (("train", "x", "--output", "y", "--preset", "cats"), "cats"),
        (("train", "x", "--output", "y", "--library", "keras"), "keras"),
        (("train", "x", "--output", "y", "--precision", "int8"), "int8"),
        (("resume",), "RUN"),
        (("evaluate", "x"), "DATA"),
        (("predict", "x"), "IMAGE"),
        (("sample-data", "cats", "x"), "cats"),
        (("doctor", "now"), "now"),
    ],
)
def test_a_command_that_cannot_be_understood_is_one_line_that_names_the_help(
    tmp_path, monkeypatch, arguments, named
):
    monkeypatch.chdir(tmp_path)
    line = run_cli(*arguments).mistake()
    assert named in line and "--help" in line
    assert not list(tmp_path.iterdir())


def test_a_run_without_a_folder_is_made_among_those_that_the_page_lists(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path / "runs"))
    options = ("--weights", "random", *CPU, "--stage1-epochs", "1", "--stage2-epochs", "0")
    said = run_cli("train", pictures, *options, "--json").json()
    (run,) = run_folder.list_runs(tmp_path / "runs")
    assert said["run"] == str(run.path) and run.read_status()["state"] == "finished"
    assert run.name.endswith(f"-{pictures.name.replace(' ', '-')}")


def test_data_that_cannot_be_trained_on_is_said_and_leaves_no_run(tmp_path):
    write_classes(tmp_path / "one", {"dots": 2})
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("text", encoding="utf-8")
    write_classes(tmp_path / "uneven" / "train", {"dots": 2, "stripes": 2})
    write_classes(tmp_path / "uneven" / "test", {"dots": 2})
    for name in ("one", "empty", "file.txt", "uneven", "none"):
        line = train(tmp_path / name, tmp_path / "out" / "run").mistake()
        assert name in line or "test" in line
        assert not (tmp_path / "out").exists(), name


@pytest.mark.parametrize(
    "options",
    [
        ("--weights", "imagenett"),
        ("--weights", "vggface2"),
        ("--weights", "file:nowhere.pth"),
        ("--weights", ""),
        ("--positive", "rings"),
        ("--batch-size", "0"),
        ("--views", "-1"),
        ("--threads", "-1"),
        ("--stage1-epochs", "-1"),
        ("--stage1-epochs", "0", "--stage2-epochs", "0"),
        ("--device", "gpu"),
        ("--device", "cuda:99"),
        ("--precision", "fp16"),
        ("--config", "nowhere.toml"),
    ],
    ids=" ".join,
)
def test_a_setting_that_cannot_be_is_said_before_a_run_is_made(pictures, tmp_path, options):
    line = train(pictures, tmp_path / "run", *options).mistake()
    assert options[1] in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("epoch = 3", "epoch"),
        ("[head]\nepoch = 3", "head.epoch"),
        ("image_px = 8", "image_px"),
        ("dropout = 'much'", ""),
        ("preset = 'cats'", "cats"),
        ("[class_weights]\nrings = 2", "rings"),
        ("image_px = = 8", "settings.toml"),
        ("library = 'keras'", "keras"),
    ],
)
def test_a_settings_file_that_cannot_be_is_said_before_a_run_is_made(pictures, tmp_path, content, named):
    (tmp_path / "settings.toml").write_text(content, encoding="utf-8")
    line = train(pictures, tmp_path / "run", "--config", tmp_path / "settings.toml").mistake()
    assert named in line
    assert not (tmp_path / "run").exists()


def test_a_settings_file_that_is_no_text_is_said(pictures, tmp_path):
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")
    assert "settings.toml" in train(
        pictures, tmp_path / "run", "--config", tmp_path / "settings.toml"
    ).mistake()  # fmt: skip
    assert str(tmp_path) in train(pictures, tmp_path / "run", "--config", tmp_path).mistake()


def test_a_folder_that_holds_something_is_left_alone(trained, pictures, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")}
    assert str(trained[0]) in train(pictures, trained[0]).mistake()
    assert {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")} == before
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert "file" in train(pictures, tmp_path / "file").mistake()
    assert "file" in train(pictures, tmp_path / "file" / "run").mistake()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_run_that_is_not_there_or_knows_other_classes_is_said(trained, pictures, tmp_path):
    for command in (("resume",), ("evaluate", pictures), ("predict", "a.png")):
        name, *rest = command
        assert "none" in run_cli(name, tmp_path / "none", *rest).mistake()
    write_classes(tmp_path, {"dots": 1, "rings": 1})
    assert "rings" in run_cli("evaluate", trained[0], tmp_path).mistake()
    assert run_cli("evaluate", trained[0], tmp_path / "none", "--json").mistake()


TOO_LONG = "가" * 300
# file systems stop at 255 bytes


@pytest.mark.parametrize(
    "command",
    [
        ("train", TOO_LONG),
        ("train", "PICTURES", "--output", TOO_LONG),
        ("train", "PICTURES", "--config", TOO_LONG),
        ("train", "PICTURES", "--weights", f"file:{TOO_LONG}"),
        ("resume", TOO_LONG),
        ("evaluate", TOO_LONG, "PICTURES"),
        ("evaluate", "RUN", TOO_LONG),
        ("predict", TOO_LONG, "a.png"),
        ("report", TOO_LONG),
        ("report", "RUN", "--output", TOO_LONG),
        ("sample-data", "casting", TOO_LONG),
    ],
    ids=lambda command: " ".join(command).replace(TOO_LONG, "LONG"),
)
def test_a_path_too_long_for_the_system_is_one_line_that_names_it(trained, pictures, command):
    places = {"PICTURES": pictures, "RUN": trained[0]}
    assert TOO_LONG in run_cli(*(places.get(word, word) for word in command)).mistake()


def test_a_picture_with_a_path_too_long_never_stops_the_rest(trained, pictures):
    good = min(pictures.rglob("*.png"))
    said = run_cli("predict", trained[0], TOO_LONG, f"{TOO_LONG}*.png", good, "--json")
    assert said.status == 0
    assert ["error" in answer for answer in said.json()["predictions"]] == [True, True, False]


def test_a_run_that_was_created_but_never_trained_has_no_model_yet(tmp_path):
    folder = run_folder.create(tmp_path / "run", {"class_to_idx": {"a": 0, "b": 1}})
    assert "no trained model" in run_cli("predict", folder.path, "a.png").mistake()


def test_a_fault_of_the_program_is_not_dressed_up_as_a_mistake(monkeypatch):
    def faulty(args, language):
        raise ZeroDivisionError

    monkeypatch.setitem(commands.COMMANDS, "doctor", faulty)
    with pytest.raises(ZeroDivisionError):
        run_cli("doctor")


def test_what_a_library_prints_stays_off_the_answer(monkeypatch):
    def chatty(args, language):
        print("hello from a library")
        return commands.CommandResult({"a": float("nan"), "b": np.float32(0.5)}, "text")

    monkeypatch.setitem(commands.COMMANDS, "doctor", chatty)
    said = run_cli("doctor", "--json")
    assert said.json() == {"a": None, "b": 0.5}
    assert said.err == "hello from a library\n"
    assert run_cli("doctor").out == "text\n"


# --- help, version, languages


def test_every_command_of_the_contract_is_there_and_has_someone_who_does_it():
    promised = {"train", "resume", "evaluate", "predict", "sample-data", "doctor", "probe"}
    assert promised <= commands.COMMANDS.keys()
    listed = run_cli("--help").out
    assert all(re.search(rf"^ +{name}\b", listed, re.MULTILINE) for name in commands.COMMANDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", sorted(commands.COMMANDS))
def test_every_command_explains_itself_and_each_option(monkeypatch, language, command):
    monkeypatch.setenv("HEADSWAP_LANG", language)
    said = run_cli(command, "--help")
    assert (said.status, said.err) == (0, "")
    assert say(f"help.{command.replace('-', '_')}", language) in said.out
    assert say("help.json", language) in said.out and say("help.help", language) in said.out
    # a missing sentence would show its key
    assert "help." not in said.out
    options = re.split(r"\n  (?=-)", said.out)[1:]
    assert len(options) >= 2
    for option in options:
        assert bool(KOREAN.search(option)) == (language == "ko"), option


def test_version_is_the_packages_own():
    said = run_cli("--version")
    assert (said.status, said.out.strip(), said.err) == (0, tl_core.__version__, "")


def test_help_names_every_weight_source_and_preset():
    text = run_cli("train", "--help").out
    assert all(name in text for name in (*SOURCES, *PRESETS, "auto", "file:PATH"))


def test_mistakes_and_answers_are_said_in_korean(trained, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_LANG", "ko")
    missing = tmp_path / "none"
    assert train(missing, tmp_path / "run").mistake() == say("error.data_not_found", "ko", path=missing)
    for command in ("train", "trian", "predict x", "train x --seed", "train x --seed many", "train x --s 3",
                    "train x --library keras", "train x --foo", "doctor --json=yes"):  # fmt: skip
        line = run_cli(*command.split()).mistake()
        before, _, after = line.partition(" — ")
        assert KOREAN.search(before) and KOREAN.search(after), line
    helped = run_cli("train", "--help").out
    assert "usage:" not in helped and "options:" not in helped and "arguments:" not in helped
    said = run_cli("predict", trained[0], missing, "--json")
    assert say("reason.vanished", "ko") in said.json()["predictions"][0]["error"]
    said = run_cli("evaluate", trained[0], pictures)
    assert say("metrics.accuracy", "ko") in said.out
    assert say("cli.positive", "ko", name="dots") in said.out
    # keys are for programs: the same in every language
    assert "accuracy" in run_cli("evaluate", trained[0], pictures, "--json").json()


def test_a_folder_stands_for_the_pictures_in_it(trained, pictures):
    folder = next(path for path in sorted(pictures.rglob("*")) if path.is_dir() and any(path.glob("*.png")))
    found = run_cli("predict", trained[0], folder, "--json").json()["predictions"]
    assert [Path(one["file"]).name for one in found] == sorted(path.name for path in folder.glob("*.png"))


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"HEADSWAP_LANG": "ko"}, "ko"),
        ({"HEADSWAP_LANG": "en", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"HEADSWAP_LANG": "KO"}, "ko"),
        ({"HEADSWAP_LANG": "", "LANG": "ko_KR"}, "ko"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_persons_choice_or_the_systems(monkeypatch, variables, language):
    for name in ("HEADSWAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert say("help.about", language) in run_cli("--help").out


# --- practice data


@pytest.fixture
def few(monkeypatch) -> None:
    """Every 20th picture only: the whole sets take seconds."""
    for module in (casting, expression):
        whole = module.shots
        monkeypatch.setattr(module, "shots", lambda seed, whole=whole: whole(seed)[::20])


def test_probe_answers_with_one_object_whose_rows_come_best_first(tmp_path):
    said = run_cli("probe", write_classes(tmp_path, {"dots": 12, "stripes": 12}, px=32), "--json")
    assert said.status == 0, said.err
    assert said.err.splitlines() == [say("probe.begins")], "a line at once, and none for each step"
    found = said.json()
    scores = [row["balanced_accuracy"] for row in found["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert {row["source"] for row in found["rows"] if row["is_baseline"]} == {"hog", "colour"}
    pretrained = [row["source"] for row in found["rows"] if row["backbone"] and row["source"] != "random"]
    assert found["recommended"] == pretrained[0]
    assert (found["num_pictures"], found["num_kept_back"]) == (24, 0)


def test_probe_says_whose_turn_it_is_on_standard_error(tmp_path, monkeypatch):
    def colours(images, *_):
        return np.stack([colour_histogram(image) for image in images])

    monkeypatch.setattr(linear_probe, "pooled_features", colours)
    said = run_cli("probe", write_classes(tmp_path, {"dots": 12, "stripes": 12}, px=32))
    first, *turns = said.err.splitlines()
    assert first == say("probe.begins") and say("probe.begins") not in said.out
    assert {"random", "hog", "colour"} <= {turn.strip(" …") for turn in turns}
    assert len(turns) == len(set(turns))


def probe_found(**changed: Any) -> dict[str, Any]:
    rows = [
        {"source": "imagenet-lite0", "backbone": "tf_efficientnet_lite0", "balanced_accuracy": 0.97},
        {"source": "random", "backbone": "efficientnet_b0", "balanced_accuracy": 0.85},
        {"source": "colour", "backbone": None, "balanced_accuracy": 0.6},
    ]
    rows = [{**row, "is_baseline": not row["backbone"], "interval": [0.5, 1.0]} for row in rows]
    found = {"rows": rows, "recommended": "imagenet-lite0", "second": "random", "points": 12.0}
    found |= {"chance": 0.001, "baseline": "colour", "points_over_baseline": 37.0, "beats_baseline": True}
    found |= {"unusable": [], "num_pictures": 40, "num_groups": 38, "num_kept_back": 8, "folds": 5}
    return {**found, **changed}


@pytest.mark.parametrize("language", LANGUAGES)
def test_probe_says_its_advice_and_what_to_doubt(language):
    def told(**changed: Any) -> str:
        return probe.text(probe_found(**changed), language)

    def advice(key: str, **values: Any) -> str:
        return say(f"probe.{key}", language, **values)

    assert advice("recommended", source="imagenet-lite0", points="12.0", second="random") in told()
    assert advice("kept_back", count=8) in told()
    assert advice("chance", p="0.40") in told(chance=0.4) and "p = " not in told()
    warned = told(beats_baseline=False, points_over_baseline=-1.0)
    name = advice("colour")
    assert advice("warning", name=name, ours="97.0 %", theirs="60.0 %") in warned
    assert advice("behind", source="imagenet-lite0", points="3.0") in told(points=-3.0)
    assert advice("none") in told(recommended=None, points=None, second=None, chance=None)
    assert "no weights" in told(unusable=[{"source": "x", "message": "no weights"}])


def test_probe_of_no_pictures_is_one_sentence(tmp_path):
    assert "nowhere" in run_cli("probe", tmp_path / "nowhere").mistake()


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_data_writes_a_set_that_can_be_trained_on(few, tmp_path, name):
    said = run_cli("sample-data", name, tmp_path / "새 폴더" / name, "--seed", 3, "--json")
    assert said.status == 0, said.err
    assert said.json() == {"name": name, "path": str(tmp_path / "새 폴더" / name), "seed": 3}
    from tl_core.data.folders import scan

    classes = {"casting": ["def_front", "ok_front"], "expression": ["non_teasing", "teasing"]}
    dataset = scan(tmp_path / "새 폴더" / name)
    assert dataset.classes == classes[name] and all(dataset.counts().values())
    assert dataset.given_splits == (("train", "test") if name == "casting" else ())


def test_sample_data_names_its_folder_and_spoils_no_other(few, tmp_path):
    assert (
        run_cli("sample-data", "casting", tmp_path / "set").out
        == say("cli.written", path=tmp_path / "set") + "\n"
    )
    before = sorted(tmp_path.rglob("*"))
    assert str(tmp_path / "set") in run_cli("sample-data", "casting", tmp_path / "set").mistake()
    assert "seed" in run_cli("sample-data", "casting", tmp_path / "other", "--seed", "-1").mistake()
    assert sorted(tmp_path.rglob("*")) == before


class Interrupting(list):
    """Ctrl-C after the third picture."""

    def __iter__(self):
        yield from list(super().__iter__())[:3]
        raise KeyboardInterrupt


def test_an_interrupted_drawing_exits_130_and_leaves_nothing(tmp_path, monkeypatch):
    whole = casting.shots
    monkeypatch.setattr(casting, "shots", lambda seed: Interrupting(whole(seed)))
    said = run_cli("sample-data", "casting", tmp_path / "set")
    assert (said.status, said.out, said.err.strip()) == (130, "", say("cli.aborted"))
    assert not list(tmp_path.iterdir())


# --- doctor


def test_doctor_tells_versions_machine_and_weights_and_exits_by_its_findings():
    said = run_cli("doctor", "--json")
    found = said.json()
    assert said.status == (1 if found["problems"] else 0)
    assert {"torch", "timm", "python"} <= found["versions"].keys()
    assert {"device", "precision", "memory_free_bytes", "runs_disk_free_bytes"} <= found["machine"].keys()
    assert [item["source"] for item in found["weights"]] == list(SOURCES)
    for item in found["weights"]:
        assert item["is_usable"] or item["message"]


def test_doctor_exits_1_and_says_the_problem_to_a_person(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path / "file" / "runs"))
    said = run_cli("doctor")
    assert said.status == 1
    problem = say("doctor.not_writable", path=tmp_path / "file" / "runs", variable="HEADSWAP_RUNS")
    assert problem in said.out and say("doctor.no_problems") not in said.out
    assert problem in run_cli("doctor", "--json").json()["problems"]


# --- progress on a terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def some_events() -> list:
    used = {"source": "formula", "why": "asked"}
    started = RunStarted(class_to_idx={"a": 0, "b": 1}, num_train=3, num_val=2, num_test=1, weights=used,
                         device="cpu", precision="fp32", resumed_stage="head", resumed_epoch=4)  # fmt: skip
    stage = StageStarted(stage="head", epochs=2, learning_rate=0.1, trainable_parts=[], frozen_parts=[],
                         parameters={}, num_trainable=1, num_parameters=2, feed="cached", feed_why="exact",
                         views=1)  # fmt: skip
    epochs = [
        EpochEnd(stage="head", epoch=n, epochs=2, train_loss=0.5, train_accuracy=0.75, val_loss=0.25,
                 val_accuracy=0.875, learning_rate=0.1, epoch_seconds=1.0, images_per_second=3.0)
        for n in (1, 2)
    ]  # fmt: skip
    ended = StageEnded(stage="head", epochs_run=2, best_epoch=2, best_val_loss=0.25, best_val_accuracy=0.875,
                       stage_seconds=2.0, frozen_seconds=1.0, avoided_seconds=4.5)  # fmt: skip
    reading = [Progress(phase="reading", done=n, total=6) for n in (0, 3, 6)]
    training = [Progress(stage="head", phase="training", done=n, total=3, epoch=1) for n in (1, 2)]
    warning = WarningRaised(code="refused", values={"count": 2})
    return [
        *reading,
        started,
        warning,
        stage,
        *training,
        *epochs,
        ended,
        RunEnded(final_stage="head", run_seconds=3),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_tells_the_same_on_a_terminal_and_in_a_file(language, stream):
    with contextlib.redirect_stderr(stream()) as err, ProgressView(language) as view:
        view.on_wait(2)
        for event in some_events():
            view.on_event(event)
    text = err.getvalue()
    told = [
        say("progress.queued", language, place=2), say("progress.reading", language),
        say("source.formula", language),
        say("progress.resumed", language, stage="head", epoch=4),
        say("warning.refused", language, count=2), say("feed.exact", language),
        say("progress.saved", language, stage="head", spent="3", without="8", times="2.5"),
        "head", "2/2", "0.500", "0.250", "0.750", "0.875",
        say("progress.ended", language, stage="head"),
    ]  # fmt: skip
    assert [words for words in told if words not in text] == []
    assert "progress." not in text and "warning." not in text
    assert ("\r" in text) == (stream is Terminal)


# --- real processes


def wait_until(is_so, process: subprocess.Popen[str], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def started() -> Iterator[Any]:
    """Starts processes, and ends those that a failed test leaves."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, **options: Any) -> subprocess.Popen[str]:
        processes.append(start(*arguments, **options))
        return processes[-1]

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_process_itself_keeps_its_two_streams_apart(started, trained, pictures, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    good = min(pictures.rglob("*.png"))
    process = started("predict", trained[0], tmp_path / "bad.jpg", good, "--json")
    out, err = process.communicate()
    assert process.returncode == 0, err
    bad, answer = json.loads(out)["predictions"]
    assert err == bad["error"] + "\n" and answer["file"] == str(good)
    wrong = started("train", "--nonsense")
    out, err = wrong.communicate()
    assert (wrong.returncode, out, len(err.splitlines())) == (2, "", 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_exits_130_and_resume_finishes_the_run(started, pictures, tmp_path):
    folder = run_folder.RunFolder(tmp_path / "run")
    settings = tmp_path / "settings.toml"
    # epochs of a tenth of a second, and enough of them that the signal always comes before the last
    settings.write_text(f"early_stopping_patience = {LONG}\n{FILE}", encoding="utf-8")

    def epochs() -> list[int]:
        return [e.epoch for e in run_folder.EventLog(folder.events_path).read() if isinstance(e, EpochEnd)]

    process = started(
        "train", pictures, "--output", folder.path, "--config", settings, "--json",
        "--views", 0, "--stage1-epochs", LONG, "--stage2-epochs", 0, *CPU,
    )  # fmt: skip
    wait_until(lambda: folder.events_path.exists() and epochs(), process)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert json.loads(out) == {"run": str(folder.path), "state": "stopped"}
    assert err.splitlines()[-1] == say("cli.stopped", path=folder.path)
    assert "Traceback" not in err
    assert local.state(folder) == "stopped" and folder.read_summary()["is_complete"] is False
    some = next((pictures / "dots").iterdir())
    answered = run_cli("predict", folder.path, some, "--json")
    assert answered.json()["predictions"][0]["label"]
    assert say("cli.so_far", stage="head") in answered.err

    done = epochs()
    assert 0 < len(done) < LONG
    said = run_cli("resume", folder.path, "--json")
    assert said.status == 0, said.err
    assert said.json()["state"] == "finished"
    assert say("progress.resumed", stage="head", epoch=done[-1]) in said.err
    assert epochs() == list(range(1, LONG + 1))
    assert run_cli("evaluate", folder.path, pictures, "--json").json()["num"] == 126


def test_decisions_are_said_in_one_line_and_can_be_ignored(capsys):
    from tl_core.base.events import WarningRaised
    from tl_core.cli.commands import settings
    from tl_core.cli.parser import build_parser
    from tl_core.cli.progress import ProgressView

    parser = build_parser("en")
    assert settings(parser.parse_args(["train", "d", "--output", "r"])).use_decisions
    assert not settings(
        parser.parse_args(["train", "d", "--output", "r", "--ignore-decisions"])
    ).use_decisions
    counts = {"excluded": 3, "relabelled": 2, "added": 1}
    with ProgressView("en") as view:
        view.on_event(WarningRaised(code="decisions", values=counts))
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert all(number in line for number in "321") and "headswap-decisions.csv" in line
