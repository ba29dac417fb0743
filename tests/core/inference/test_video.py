"""Videos: pictures at a chosen rate whatever the file's, answers smoothed in time, damage said in words."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.core.drawn import draw
from tl_core.base.errors import UnreadableVideo
from tl_core.cli import main
from tl_core.inference.video.frames import Video
from tl_core.inference.video.timeline import segments, smoothed, timeline
from tl_core.runs.decision_rule import DecisionRule


def write(path: Path, kinds: str, times_ms: list[int] | None = None, px: int = 64) -> Path:
    """A clip of drawn pictures, "d" for dots and "s" for stripes, at 10 a second or at these times."""
    rng = np.random.default_rng(0)
    names = {"d": "dots", "s": "stripes"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = px
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        for place, kind in enumerate(kinds):
            frame = av.VideoFrame.from_ndarray(draw(rng, names[kind], px), format="rgb24")
            frame.pts, frame.time_base = (times_ms or range(0, 10**9, 100))[place], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def times(path: Path, rate: float) -> list[float]:
    return [round(seconds, 3) for seconds, _ in Video(path, path.name).frames(rate)]


def test_pictures_come_at_the_rate_that_was_asked_for(tmp_path):
    clip = write(tmp_path / "a.mp4", "d" * 30)
    assert times(clip, 2) == [0, 0.5, 1, 1.5, 2, 2.5]
    assert len(times(clip, 1000)) == 30, "no more than there are"


def test_a_changing_rate_is_followed_by_its_times(tmp_path):
    clip = write(tmp_path / "a.mkv", "d" * 7, [0, 40, 80, 1000, 1040, 2700, 4000])
    assert times(clip, 1) == [0, 1, 2.7, 4]


def test_a_picture_of_the_file_comes_as_it_was_drawn(tmp_path):
    clip = write(tmp_path / "a.mp4", "d")
    ((_, image),) = Video(clip, "a").frames(1)
    drawn = draw(np.random.default_rng(0), "dots", 64)
    assert image.shape == (64, 64, 3) and image.dtype == np.uint8
    assert np.abs(image.astype(int) - drawn).mean() < 25


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000])
def test_what_is_no_video_is_one_sentence(predictor, tmp_path, capsys, content):
    (tmp_path / "bad.mp4").write_bytes(content)
    with pytest.raises(UnreadableVideo, match=r"bad\.mp4"):
        list(Video(tmp_path / "bad.mp4", "bad.mp4").frames(1))
    assert main(["predict", str(predictor.run.path), str(tmp_path / "bad.mp4")]) == 2
    assert main(["predict", str(predictor.run.path), str(tmp_path / "none.mp4")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_could_be_read_of_a_torn_file_is_answered(predictor, tmp_path):
    whole = write(tmp_path / "whole.mkv", "ds" * 40)
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    answers = list(timeline(predictor, Video(torn, "torn.mkv"), DecisionRule(), rate=5))
    assert 0 < len(answers) < len(times(whole, 5))


def test_smoothing_weighs_by_time_and_can_be_left_out():
    old, new = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    np.testing.assert_allclose(smoothed(old, new, 1.0, 1.0), [np.exp(-1), 1 - np.exp(-1)], rtol=1e-6)
    twice = smoothed(smoothed(old, new, 0.5, 1.0), new, 0.5, 1.0)
    np.testing.assert_allclose(twice, smoothed(old, new, 1.0, 1.0), rtol=1e-6)
    np.testing.assert_allclose(smoothed(old, new, 0.1, 0), new)


def test_without_smoothing_each_picture_gets_its_own_answer(predictor, tmp_path):
    clip = write(tmp_path / "a.mp4", "dddddsssss")
    own = list(timeline(predictor, Video(clip, "a"), DecisionRule(), rate=10, smooth_seconds=0))
    calm = list(timeline(predictor, Video(clip, "a"), DecisionRule(), rate=10, smooth_seconds=2))
    images = [image for _, image in Video(clip, "a").frames(10)]
    np.testing.assert_allclose(
        [list(one["probabilities"].values()) for one in own], predictor.predict(images), atol=1e-5
    )
    assert all(one["probabilities"] == one["frame_probabilities"] for one in own)

    def moves(answers: list[dict]) -> float:
        first = [next(iter(one["probabilities"].values())) for one in answers]
        return float(np.abs(np.diff(first)).sum())

    assert moves(calm) < moves(own)


def test_stretches_of_one_answer_are_joined():
    answers = [{"seconds": place / 2, "label": label} for place, label in enumerate("aabbba")]
    assert segments(answers) == [
        {"from": 0, "to": 1, "label": "a"},
        {"from": 1, "to": 2.5, "label": "b"},
        {"from": 2.5, "to": 2.5, "label": "a"},
    ]


def test_the_command_answers_with_times_and_writes_them(predictor, tmp_path, capsys):
    clip, table = write(tmp_path / "a.mp4", "d" * 20), tmp_path / "a.csv"
    run = str(predictor.run.path)
    assert main(["predict", run, str(clip), "--rate", "5", "--csv", str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["seconds"] for one in told["predictions"]] == [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8]
    assert told["video"] == {"file": str(clip), "rate": 5, "smooth_seconds": 1, "frames": 20}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == [one["label"] for one in told["predictions"]]
    assert main(["predict", run, str(clip)]) == 0
    assert "1.5" in capsys.readouterr().out
    assert main(["predict", run, str(clip), str(clip)]) == 2
    assert main(["predict", run, str(clip), "--rate", "0"]) == 2
