"""Runs in other processes: lock, queue, stop, resume, and what is left after a kill.

The work is a counter (fake_worker.py); everything around it is the product's own.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.core.jobs.fake_worker import execute
from tl_core.base.errors import NonFiniteLoss, NothingToResume, OutputUnwritable, RunBusy
from tl_core.base.events import EpochEnd, RunFailed, RunStopped
from tl_core.jobs import device_queue, local, locks, processes, worker
from tl_core.runs import run_folder
from tl_core.runs.run_folder import RunFolder

PATIENCE_SECONDS = 120.0  # a process may take long to start where other work keeps every core busy
FAKE = Path(__file__).with_name("fake_worker.py")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(locks, "START_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def new_run(tmp_path):
    made = []

    def make(name="run", *, epochs=3, seconds=0.05, **config):
        run = run_folder.create(
            tmp_path / name, {"device": "cpu", "epochs": epochs, "seconds": seconds, **config}
        )
        made.append(run)
        return run

    yield make
    for run in made:
        local.terminate(run)


def launch(run):
    local.launch(run, command=[sys.executable, str(FAKE), str(run.path)])


def wait_until(is_so, seconds=PATIENCE_SECONDS):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def wait_for_state(run, *states):
    wait_until(lambda: local.state(run) in states)


def epochs_of(run):
    return [
        event.epoch for event in run_folder.EventLog(run.events_path).read() if isinstance(event, EpochEnd)
    ]


def kill(run):
    status = run.read_status()
    os.kill(status["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))


def test_launched_run_finishes_outside_and_leaves_no_zombie(new_run):
    run = new_run()
    launch(run)
    assert local.state(run) in ("queued", "running")
    wait_for_state(run, "finished")
    status = run.read_status()
    assert epochs_of(run) == [1, 2, 3]
    assert (status["stage"], status["epoch"], status["epochs"]) == ("head", 3, 3)
    wait_until(lambda: not psutil.pid_exists(status["pid"]))
    with pytest.raises(NothingToResume):
        launch(run)


def test_status_names_the_worker_so_that_it_can_be_told_from_a_later_process(new_run):
    run = new_run(epochs=1000)
    launch(run)
    wait_for_state(run, "running")
    status = run.read_status()
    assert processes.find(status["pid"], status["created"]).pid == status["pid"] != os.getpid()
    assert processes.find(status["pid"], status["created"] - 60) is None


def test_stop_then_resume_goes_on_without_a_gap(new_run):
    run = new_run(epochs=6, seconds=0.3)
    launch(run)
    wait_until(lambda: epochs_of(run))
    local.request_stop(run)
    assert local.state(run) in ("stopping", "stopped")
    wait_for_state(run, "stopped")
    assert isinstance(run_folder.EventLog(run.events_path).read()[-1], RunStopped)
    launch(run)
    wait_for_state(run, "finished")
    assert epochs_of(run) == [1, 2, 3, 4, 5, 6]


def test_a_run_that_was_told_to_stop_shows_as_stopping_until_it_has_stopped(new_run, monkeypatch):
    run, write_status, states = new_run(), RunFolder.write_status, []

    def spy(folder, **values):
        states.append(local.state(folder))
        write_status(folder, **values)
        states.append(local.state(folder))

    def stop_at_once(folder, *, should_stop, on_event):
        local.request_stop(folder)
        monkeypatch.setattr(RunFolder, "write_status", spy)
        return "stopped"

    assert worker.foreground(run, execute=stop_at_once) == "stopped"
    assert states == ["stopping", "stopped"]


def test_killed_worker_shows_as_interrupted_and_is_resumed_over_a_torn_line(new_run):
    run = new_run(epochs=8, seconds=0.2)
    launch(run)
    wait_until(lambda: len(epochs_of(run)) >= 2)
    kill(run)
    wait_for_state(run, "interrupted")
    with run.events_path.open("ab") as log:
        log.write(b'{"kind": "epoch_end", "epo')
    assert local.state(run) in local.RESUMABLE
    launch(run)
    wait_for_state(run, "finished")
    # killed between the event and the checkpoint, an epoch is done and told once more
    assert sorted(set(epochs_of(run))) == list(range(1, 9))
    assert len(epochs_of(run)) <= 9


def test_worker_that_dies_before_it_can_take_the_lock_counts_as_interrupted(new_run):
    run = new_run()
    local.launch(run, command=[sys.executable, "-c", "raise SystemExit(3)"])
    wait_for_state(run, "interrupted")
    assert epochs_of(run) == []
    launch(run)
    wait_for_state(run, "finished")
    assert epochs_of(run) == [1, 2, 3]


def test_run_that_is_under_way_cannot_be_launched_again(new_run):
    run = new_run(epochs=1000)
    launch(run)
    with pytest.raises(RunBusy):
        launch(run)
    wait_for_state(run, "running")
    with pytest.raises(RunBusy):
        launch(run)
    assert local.state(run) == "running"


def test_two_workers_on_one_run_are_refused_by_its_lock(new_run, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.1)
    run = new_run()
    with locks.run_lock(run), pytest.raises(RunBusy), locks.run_lock(run):
        pass
    launched = new_run("other", epochs=1000)
    launch(launched)
    wait_for_state(launched, "running")
    before = launched.read_status()["pid"]
    with pytest.raises(RunBusy):
        worker.foreground(launched, execute=execute)
    assert launched.read_status()["pid"] == before
    assert local.state(launched) == "running"


def test_probing_the_lock_does_not_keep_a_worker_from_taking_it(new_run):
    run = new_run(epochs=1)
    run.lock_path.touch()
    import threading

    is_over = threading.Event()

    def probe():
        while not is_over.is_set():
            locks.is_held(run.lock_path)

    threads = [threading.Thread(target=probe) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        assert worker.foreground(run, execute=execute) == "finished"
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_queued_runs_start_one_at_a_time_in_the_order_they_were_launched(new_run):
    first = new_run("c", epochs=1000, seconds=0.05)
    launch(first)
    wait_for_state(first, "running")
    second, third = new_run("b", epochs=2), new_run("a", epochs=2)
    launch(second)
    launch(third)
    wait_until(lambda: local.queue_position(third) == 2)
    assert (local.queue_position(first), local.queue_position(second)) == (0, 1)
    assert (local.state(second), local.state(third)) == ("queued", "queued")
    local.request_stop(first)
    wait_for_state(second, "finished")
    wait_for_state(third, "finished")
    started = [run.events_path.stat().st_mtime for run in (second, third)]
    assert (
        run_folder.EventLog(second.events_path).read()[-1].time
        <= run_folder.EventLog(third.events_path).read()[0].time
    )
    assert started == sorted(started)


def test_a_run_that_just_comes_up_waits_for_nobody(new_run):
    run = new_run()
    with locks.run_lock(run):
        ticket = device_queue.enqueue(run, "cpu", keep_place=False)
        assert [one.run for one in device_queue.waiting("cpu")] == [run.path]
        assert local.queue_position(run) == 0
        device_queue.withdraw(ticket)


def test_run_in_another_folder_waits_for_the_same_device(new_run):
    first, second = new_run("here/one", epochs=1000), new_run("there/two")
    launch(first)
    wait_for_state(first, "running")
    launch(second)
    wait_until(lambda: local.queue_position(second) == 1)
    kill(first)
    wait_for_state(second, "finished")
    assert local.state(first) == "interrupted"


def test_two_runs_exclude_each_other_though_the_cache_is_deleted_between(new_run, tmp_path):
    first, second = new_run("one", epochs=1000), new_run("two")
    launch(first)
    wait_for_state(first, "running")
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    places = []
    with (
        locks.run_lock(second),
        device_queue.slot(
            second, "cpu", keep_place=False, should_stop=lambda: bool(places), on_wait=places.append
        ) as is_ours,
    ):
        assert (is_ours, places) == (False, [1])
    assert local.state(first) == "running"


def test_run_on_another_device_does_not_wait(new_run):
    first, second = new_run("one", epochs=1000), new_run("two", device="mps")
    launch(first)
    wait_for_state(first, "running")
    launch(second)
    wait_for_state(second, "finished")
    assert local.state(first) == "running"


def test_stop_reaches_a_run_that_still_waits(new_run):
    first, second = new_run("one", epochs=1000), new_run("two")
    launch(first)
    wait_for_state(first, "running")
    launch(second)
    wait_until(lambda: second.read_status()["pid"])
    local.request_stop(second)
    wait_for_state(second, "stopped")
    assert local.queue_position(second) == 0
    assert epochs_of(second) == []
    assert local.state(first) == "running"


def test_dead_run_in_the_queue_holds_nobody_up(new_run):
    first, dead, third = new_run("one", epochs=1000), new_run("two"), new_run("three")
    launch(first)
    wait_for_state(first, "running")
    launch(dead)
    wait_until(lambda: dead.read_status()["pid"])
    launch(third)
    kill(dead)
    wait_for_state(dead, "interrupted")
    wait_until(lambda: local.queue_position(third) == 1)
    local.request_stop(first)
    wait_for_state(third, "finished")
    assert device_queue.waiting("cpu") == []


def test_worker_goes_on_when_the_process_that_launched_it_is_killed(new_run):
    run = new_run(epochs=1000)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tl_core.runs import run_folder; from tl_core.jobs import local\n"
        "local.launch(run_folder.open_run(Path(sys.argv[1])), command=sys.argv[2:])\n"
        "print('launched', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(run.path), sys.executable, str(FAKE), str(run.path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout.readline().strip() == b"launched"
    wait_for_state(run, "running")
    server.kill()
    server.wait()
    seen = len(epochs_of(run))
    wait_until(lambda: len(epochs_of(run)) > seen + 2)
    assert local.state(run) == "running"
    local.request_stop(run)
    wait_for_state(run, "stopped")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that can be heard")
def test_termination_signal_stops_the_run_in_good_order(new_run):
    run = new_run(epochs=1000)
    launch(run)
    wait_for_state(run, "running")
    os.kill(run.read_status()["pid"], signal.SIGTERM)
    wait_for_state(run, "stopped")
    assert isinstance(run_folder.EventLog(run.events_path).read()[-1], RunStopped)


def test_terminate_touches_nobody_whose_identity_does_not_match(new_run, monkeypatch):
    run = new_run(epochs=1000)
    launch(run)
    wait_for_state(run, "running")
    status = run.read_status()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with monkeypatch.context() as patch:  # not on disk: the worker would write its own id over it
            patch.setattr(RunFolder, "read_status", lambda _: {**status, "pid": bystander.pid})
            assert local.terminate(run) is False
        assert bystander.poll() is None and psutil.pid_exists(status["pid"])
        assert local.terminate(run) is True
        wait_for_state(run, "stopped", "interrupted")
    finally:
        bystander.kill()
        bystander.wait()


def test_a_run_that_fails_tells_so_under_its_name(new_run):
    run, seen = new_run(fail="no such luck"), []
    with pytest.raises(ZeroDivisionError):
        worker.foreground(run, seen.append, execute=execute)
    assert seen == run_folder.EventLog(run.events_path).read()
    assert (seen[-1].kind, seen[-1].run) == ("run_failed", run.name)


@pytest.mark.parametrize(("fail", "code"), [("tl", NonFiniteLoss.code), ("no such luck", "unknown")])
def test_error_in_the_work_ends_the_run_as_failed_with_its_reason(new_run, fail, code):
    run = new_run(fail=fail)
    launch(run)
    wait_for_state(run, "failed")
    error = run.read_status()["error"]
    last = run_folder.EventLog(run.events_path).read()[-1]
    assert isinstance(last, RunFailed)
    assert error["code"] == last.code == code
    assert error["message"] == last.message
    if fail != "tl":
        # the worker's last act, after the run's own last word
        wait_until(lambda: "no such luck" in run.worker_log_path.read_text(encoding="utf-8"))
        assert "Traceback" in run.worker_log_path.read_text(encoding="utf-8")
    config = run.read_config()
    run_folder.write_json(run.config_path, {**config, "fail": ""})
    launch(run)
    wait_for_state(run, "finished")
    assert run.read_status()["error"] is None


def test_foreground_run_stops_on_request_and_goes_on_later(new_run):
    run = new_run(epochs=4, seconds=0.3)
    seen = []

    def on_event(event):
        seen.append(event)
        if isinstance(event, EpochEnd) and event.epoch == 2 and len(seen) < 5:
            run.stop_path.touch()

    assert worker.foreground(run, on_event, execute=execute) == "stopped"
    assert local.state(run) == "stopped"
    assert worker.foreground(run, on_event, execute=execute) == "finished"
    assert epochs_of(run) == [1, 2, 3, 4]


def test_full_disk_during_the_work_is_said_and_leaves_a_run_to_resume(new_run, monkeypatch):
    run = new_run(epochs=3)
    real = os.write
    is_full = False

    def write(fd, data):
        if is_full and b"epoch_end" in bytes(data):
            raise OSError(28, "No space left on device")
        return real(fd, data)

    def on_event(event):
        nonlocal is_full
        is_full = isinstance(event, EpochEnd)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OutputUnwritable) as caught:
        worker.foreground(run, on_event, execute=execute)
    assert caught.value.values["reason"] == "disk_full"
    assert local.state(run) == "failed"
    is_full = False
    assert worker.foreground(run, execute=execute) == "finished"
    assert epochs_of(run) == [1, 2, 3]


def test_run_whose_folder_cannot_be_written_says_so(new_run, monkeypatch):
    run = new_run()

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locks.FileLock, "acquire", refuse)
    with pytest.raises(OutputUnwritable) as caught:
        worker.foreground(run, execute=execute)
    assert caught.value.values["reason"] == "permission"


def test_heartbeat_moves_while_the_work_says_nothing(new_run, monkeypatch):
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.05)
    run = new_run()
    beats = []

    def silent(folder, *, should_stop, on_event):
        wait_until(lambda: beats.append(folder.read_status()["heartbeat"]) or len(set(beats)) > 3)
        return "finished"

    assert worker.foreground(run, execute=silent) == "finished"


def test_created_run_waits_to_be_launched_and_an_old_one_is_interrupted(new_run):
    run = new_run()
    assert local.state(run) == "queued"
    config = run.read_config()
    run_folder.write_json(run.config_path, {**config, "created": "2020-01-01T00:00:00+00:00"})
    assert local.state(run) == "interrupted"
    assert local.state(run) in local.RESUMABLE


def test_waiting_worker_and_the_server_side_load_no_torch():
    script = (
        "import sys, tl_core.jobs.worker, tl_core.jobs.local\n"
        "print([name for name in ('torch', 'timm', 'albumentations', 'cv2') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == []


def test_a_start_that_lies_in_the_future_is_no_start(new_run):
    run = new_run("clock put back")
    run.write_status(state="queued", pid=None, launched=time.time() + 3600)
    assert local.state(run) == "interrupted"
    assert local.state(run) in local.RESUMABLE
