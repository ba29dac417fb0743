"""Run folders, atomic files and the event log, with everything that can happen to files."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tl_core.base.config import preset
from tl_core.base.errors import OutputUnwritable, RunDamaged, RunExists, RunNotFound
from tl_core.base.events import NewBest, RunStopped
from tl_core.base.files import atomic, reading
from tl_core.base.files.paths import cache_dir, datasets_dir, runs_dir
from tl_core.runs import run_folder


@pytest.fixture
def run(tmp_path):
    return run_folder.create(tmp_path / "한글 이름", {"preset": "casting", "seed": 7})


def best(epoch, loss=0.5):
    return NewBest(stage="head", epoch=epoch, val_loss=loss, val_accuracy=0.5)


def test_created_run_is_complete_and_says_when_it_was_made(run):
    assert run.read_config()["seed"] == 7
    assert run.created() > 1.7e9
    assert run.read_summary() is None
    for folder in (run.logs, run.models, run.metrics, run.plots):
        assert folder.is_dir()


def test_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(RunExists):
        run_folder.create(tmp_path / "full", {})
    with pytest.raises(RunExists):
        run_folder.create(tmp_path / "full" / "thesis.txt", {})
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    run_folder.create(tmp_path / "empty", {})


def test_names_of_runs_never_collide(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path))
    with ThreadPoolExecutor(30) as pool:  # a class that presses Start at once
        paths = list(pool.map(lambda _: run_folder.new_path("a"), range(30)))
    assert len(set(paths)) == 30 and all(path.is_dir() for path in paths)
    assert run_folder.create(paths[0], {}).path == paths[0]


def test_of_two_who_make_a_run_in_one_place_the_second_is_refused(tmp_path, monkeypatch):
    run_folder.create(tmp_path / "run", {})
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))  # as if it looked before the first was there
    with pytest.raises(RunExists):
        run_folder.create(tmp_path / "run", {})


def test_a_run_is_not_there_before_everything_that_it_began_with_is(tmp_path, monkeypatch):
    def full(path, content):
        raise OutputUnwritable(path=path, reason="disk_full", detail="")

    monkeypatch.setattr(run_folder, "write_atomic", full)
    with pytest.raises(OutputUnwritable):
        run_folder.create(tmp_path / "run", {}, {"decisions.csv": b"file,decision"})
    assert run_folder.list_runs(tmp_path) == []


def test_runs_are_listed_newest_first_and_strangers_left_out(tmp_path):
    for number, name in enumerate(["b", "c", "a"]):
        run_folder.create(tmp_path / name, {"created": f"2026-01-0{number + 1}T00:00:00+00:00"})
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("")
    assert [run.name for run in run_folder.list_runs(tmp_path)] == ["a", "c", "b"]
    assert run_folder.list_runs(tmp_path / "nowhere") == []


def test_run_is_found_by_its_listed_name_only(tmp_path):
    run_folder.create(tmp_path / "inside" / "one", {})
    run_folder.create(tmp_path / "outside", {})
    assert run_folder.find(tmp_path / "inside", "one").name == "one"
    for name in ("../outside", str(tmp_path / "outside"), "", ".", "two"):
        with pytest.raises(RunNotFound):
            run_folder.find(tmp_path / "inside", name)


def test_every_part_of_a_run_lies_where_it_was_promised(run):
    promised = {
        "config_path": "config.json", "status_path": "status.json", "stop_path": "STOP",
        "lock_path": "worker.lock", "events_path": "logs/events.jsonl", "worker_log_path": "logs/worker.log",
        "training_log_path": "logs/training_log.json", "last_checkpoint": "models/last.pt",
        "summary_path": "metrics/summary.json", "predictions_path": "metrics/predictions.csv",
        "pictures_path": "metrics/pictures.csv", "plots": "plots",
    }  # fmt: skip
    assert {name: getattr(run, name).relative_to(run.path).as_posix() for name in promised} == promised


def test_settings_are_read_out_of_a_configuration_that_holds_more(tmp_path):
    config = preset("casting", seed=7)
    run = run_folder.create(tmp_path / "run", {**config.to_dict(), "data": "/pictures", "anything": 1})
    assert run.settings() == config


def test_runs_that_start_in_the_same_second_are_numbered_until_there_are_ninety_nine(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path))
    monkeypatch.setattr(run_folder.time, "strftime", lambda _: "20260131-142501")
    names = [run_folder.new_path("casting").name for _ in range(99)]
    assert names[:3] == [f"20260131-142501-casting{suffix}" for suffix in ("", "-2", "-3")]
    assert names[-1].endswith("-99")
    with pytest.raises(RunExists) as caught:
        run_folder.new_path("casting")
    assert caught.value.values["path"] == str(tmp_path / "20260131-142501-casting")


@pytest.mark.parametrize("created", ["yesterday", 5, None])
def test_a_run_that_does_not_say_when_it_was_made_is_as_old_as_its_file(tmp_path, created):
    run = run_folder.create(tmp_path / "run", {})
    run_folder.write_json(run.config_path, {"created": created})
    os.utime(run.config_path, (1000, 1000))
    assert run.created() == 1000
    run.config_path.unlink()
    assert run.created() == 0


@pytest.mark.parametrize(
    ("system", "busy", "is_read"), [("nt", 19, True), ("nt", 20, False), ("posix", 1, False)]
)
def test_a_file_that_is_just_being_replaced_is_asked_for_again_on_windows(
    run, monkeypatch, system, busy, is_read
):
    real, refusals = Path.read_text, [PermissionError(13, "in use")] * busy

    def read_text(self, **options):
        if refusals:
            raise refusals.pop()
        return real(self, **options)

    monkeypatch.setattr(reading.time, "sleep", lambda _: None)
    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(reading.os, "name", system)
    try:
        found = reading.read_json(run.status_path)
    except RunDamaged as error:
        found, detail = None, error.values["detail"]
        assert "in use" in detail
    monkeypatch.undo()
    assert (found is not None) is is_read


def test_folder_without_a_configuration_is_no_run(tmp_path):
    with pytest.raises(RunNotFound):
        run_folder.open_run(tmp_path)


def refuse_to_look_into(monkeypatch, folder):
    """The system's answer about everything in `folder`; permissions would not stop the superuser."""
    real = os.stat

    def stat(path, *args, **options):
        if isinstance(path, str | os.PathLike) and folder in Path(path).parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(os, "stat", stat)


def test_a_name_that_no_file_can_have_is_no_run(tmp_path):
    for name in ("가" * 300, "a\0b"):
        with pytest.raises(RunNotFound):
            run_folder.open_run(tmp_path / name)


def test_a_run_that_may_not_be_looked_into_says_so_and_spoils_no_list(run, tmp_path, monkeypatch):
    other = run_folder.create(run.path.parent / "locked", {})
    refuse_to_look_into(monkeypatch, other.path)
    with pytest.raises(RunDamaged) as caught:
        run_folder.open_run(other.path)
    assert os.strerror(errno.EACCES) in str(caught.value)
    assert run_folder.list_runs(run.path.parent) == [run]


def test_damaged_configuration_is_named(run):
    run.config_path.write_text('{"seed": ', encoding="utf-8")
    with pytest.raises(RunDamaged) as caught:
        run.read_config()
    assert str(run.config_path) in caught.value.message("ko")


def test_damaged_status_reads_as_none(run):
    run.status_path.write_text("{", encoding="utf-8")
    assert run.read_status() == {}
    run.write_status(state="running")
    assert run.read_status() == {"state": "running"}


def test_status_written_by_two_threads_loses_nothing(run):
    def write(name):
        for value in range(30):
            run.write_status(**{name: value})

    threads = [threading.Thread(target=write, args=(name,)) for name in ("epoch", "heartbeat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (run.read_status()["epoch"], run.read_status()["heartbeat"]) == (29, 29)


def test_json_holds_numpy_values_and_no_nan(tmp_path):
    content = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": [float("nan"), {"d": float("inf")}],
        "e": Path("x"),
    }
    run_folder.write_json(tmp_path / "file.json", content)
    kept = json.loads((tmp_path / "file.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert kept == {"a": 0.5, "b": [0, 1], "c": [None, {"d": None}], "e": "x"}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EACCES, "permission"),
        (errno.EROFS, "permission"),
        (errno.EIO, "os_error"),
    ],
)
def test_failed_write_keeps_the_old_file_and_leaves_no_rubbish(tmp_path, monkeypatch, number, reason):
    path = tmp_path / "summary.json"
    run_folder.write_atomic(path, "old")

    def fail(fd):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputUnwritable) as caught:
        run_folder.write_atomic(path, "new")
    assert caught.value.values["reason"] == reason
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_event_for_a_full_disk_is_refused_with_its_reason():
    writer = run_folder.EventWriter(Path("/dev/full"), run="x")
    with pytest.raises(OutputUnwritable) as caught:
        writer.write(best(1))
    assert caught.value.values["reason"] == "disk_full"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_refused_with_its_reason(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputUnwritable) as caught:
        run_folder.create(tmp_path / "run", {})
    assert caught.value.values["reason"] == "permission"


def test_output_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputUnwritable):
        run_folder.create(tmp_path / "file" / "run", {})


def test_events_come_back_as_written_and_carry_the_runs_name(run):
    log = run_folder.EventLog(run.events_path)
    assert log.read() == []
    with run_folder.EventWriter(run.events_path) as writer:
        writer.write(best(1))
        assert [event.epoch for event in log.read()] == [1]
        writer.write(RunStopped(epoch=1))
    events = log.read()
    assert [type(event) for event in events] == [NewBest, RunStopped]
    assert {event.run for event in events} == {"한글 이름"}


def test_reader_waits_for_the_end_of_a_line(run):
    log = run_folder.EventLog(run.events_path)
    line = json.dumps(best(1).to_dict()).encode() + b"\n"
    with run.events_path.open("ab", buffering=0) as file:
        file.write(line[:20])
        assert log.read() == []
        file.write(line[20:])
        assert [event.epoch for event in log.read()] == [1]


def test_writer_ends_the_line_that_a_killed_one_left_torn(run):
    with run_folder.EventWriter(run.events_path) as writer:
        writer.write(best(1))
    with run.events_path.open("ab") as file:
        file.write(b'{"kind": "new_best", "ep')
    log = run_folder.EventLog(run.events_path)
    assert [event.epoch for event in log.read()] == [1]
    with run_folder.EventWriter(run.events_path) as writer:
        writer.write(best(2))
    assert [event.epoch for event in log.read()] == [1, 2]
    assert [event.epoch for event in run_folder.EventLog(run.events_path).read()] == [1, 2]


def test_event_that_a_full_disk_cut_spoils_no_later_one(run, monkeypatch):
    real = os.write
    room = 30

    def write(fd, data):
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data)[:room]
        room -= len(part)
        return real(fd, part)

    with run_folder.EventWriter(run.events_path) as writer:
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(OutputUnwritable):
            writer.write(best(1))
        room = 10_000
        writer.write(best(2))
    assert [event.epoch for event in run_folder.EventLog(run.events_path).read()] == [2]


def test_truncated_or_replaced_log_is_read_again_from_its_start(run):
    log = run_folder.EventLog(run.events_path)
    with run_folder.EventWriter(run.events_path) as writer:
        for epoch in (1, 2, 3):
            writer.write(best(epoch))
    assert len(log.read()) == 3
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(lines[0])
    assert [event.epoch for event in log.read()] == [1]
    # cut, and grown beyond where the reader stood
    run.events_path.write_bytes(b"".join(lines[1:]) * 2)
    assert [event.epoch for event in log.read()] == [2, 3, 2, 3]
    run.events_path.unlink()
    assert log.read() == []


def test_lines_that_are_no_events_are_passed_over(run):
    good = json.dumps(best(1).to_dict())
    newer = json.dumps({"kind": "from_the_future", "time": 1})
    lines = ["", "not json", "[1, 2]", newer, '{"kind": "new_best"}', good]
    run.events_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [event.epoch for event in run_folder.EventLog(run.events_path).read()] == [1]


def test_log_shared_by_threads_tells_each_event_once(run):
    log = run_folder.EventLog(run.events_path)
    seen = []

    def read():
        while not seen or seen[-1] < 200:
            seen.append(len(log.read()))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    with run_folder.EventWriter(run.events_path) as writer:
        for epoch in range(200):
            writer.write(best(epoch))
    for thread in threads:
        thread.join()
    assert [event.epoch for event in log.read()] == list(range(200))


def test_places_can_be_moved(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path / "r"))
    assert (cache_dir(), runs_dir(), datasets_dir()) == (
        tmp_path / "c",
        tmp_path / "r",
        tmp_path / "c" / "datasets",
    )
    monkeypatch.delenv("HEADSWAP_RUNS")
    monkeypatch.delenv("HEADSWAP_CACHE")
    monkeypatch.chdir(tmp_path)
    assert runs_dir() == tmp_path / "runs"
    assert cache_dir().is_absolute()


def test_writing_is_retried_where_a_reader_blocks_the_rename(tmp_path, monkeypatch):
    real = Path.replace
    refusals = [PermissionError(13, "in use")] * 3

    def replace(self, target):
        if refusals:
            raise refusals.pop()
        return real(self, target)

    monkeypatch.setattr(atomic.os, "name", "nt")
    monkeypatch.setattr(Path, "replace", replace)
    beside, path = tmp_path / "beside", tmp_path / "file"
    beside.write_text("new")
    atomic._replace(beside, path)
    monkeypatch.undo()
    assert path.read_text() == "new"


def test_what_a_killed_process_left_is_swept_and_what_a_live_one_writes_stays(tmp_path):
    run = run_folder.create(tmp_path / "run", {})
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = run.models / f".last.pt.{child.pid}-1.tmp"
    mine = run.path / f".status.json.{os.getpid()}-1.tmp"
    other = run.path / ".notes.tmp"
    for path in (dead, mine, other):
        path.write_bytes(b"half")
    shutil.rmtree(run.plots)
    run.make_ready()
    assert (dead.exists(), mine.exists(), other.exists(), run.plots.is_dir()) == (False, True, True, True)
