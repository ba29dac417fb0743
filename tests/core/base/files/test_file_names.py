"""What files are called: readable for people, whatever bytes a disk has."""

from __future__ import annotations

import csv
import json
import os
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.core.data_drawing import class_folders, scene, write
from tl_core.base.config import RunConfig
from tl_core.base.errors import DataNotFound
from tl_core.base.events import WarningRaised
from tl_core.base.files.file_names import name_in, readable
from tl_core.data import curation
from tl_core.data.folders import fingerprint, scan
from tl_core.data.prepare import prepare
from tl_core.runs import run_folder
from tl_core.runs.execution.workflow import create_run

bytes_only = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="names are text there, never other bytes"
)


def old(name: str) -> str:
    """A Korean name as an old zip tool or disk left it."""
    return os.fsdecode(name.encode("cp949"))


@bytes_only
def test_names_in_bytes_are_read_as_korean_or_escaped_part_by_part():
    assert readable(f"정상/{old('불량')}/{old('사진 1.png')}") == "정상/불량/사진 1.png"
    assert readable(os.fsdecode(b"a/\xff\xfe.png")) == "a/\\xff\\xfe.png"
    for name in ("불량/사진.png", unicodedata.normalize("NFD", "불량"), "C:\\a", "", "a//b"):
        assert readable(name) == name


def test_a_name_below_a_root_is_composed():
    root = Path("data")
    assert name_in(root, root / unicodedata.normalize("NFD", "불량") / "1.png") == "불량/1.png"


@pytest.fixture
def old_names(tmp_path: Path) -> Path:
    """Four pictures each of `불량` and `ok`; the first folder and one picture named in bytes."""
    root = class_folders(tmp_path / old("사진"), {old("불량"): 4, "ok": 4})
    (root / "ok" / "000.png").rename(root / "ok" / old("가나다.png"))
    return root


@bytes_only
def test_pictures_with_names_in_bytes_are_read_and_their_names_can_be_written(old_names: Path):
    data = scan(old_names)
    assert data.classes == ["ok", "불량"]
    assert "ok/가나다.png" in [picture.name for picture in data.pictures]
    assert all(picture.path.is_file() for picture in data.pictures), "the path is the system's"
    assert len(fingerprint(data)) == 64
    prepared = prepare(old_names, image_px=32, seed=0, val_fraction=0.2, test_fraction=0.2)
    assert len(prepared.images) == 8 and not prepared.dataset.refused


@bytes_only
def test_a_zip_whose_own_name_is_bytes_is_unpacked(old_names: Path, tmp_path: Path):
    import zipfile

    path = tmp_path / old("모음.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/1.png", "b/1.png"):
            archive.write(old_names / "ok" / "001.png", name)
    assert scan(path).counts() == {"a": 1, "b": 1}


@bytes_only
def test_records_hold_names_in_bytes_and_give_the_same_path_back(old_names: Path, tmp_path: Path):
    curation.decide(scan(old_names).root, "ok/가나다.png", "relabel", "불량")
    run = create_run(old_names, tmp_path / old("실행"), RunConfig())
    assert Path(run.read_config()["data"]) == old_names
    assert run.read_config()["class_to_idx"] == {"ok": 0, "불량": 1}
    with run_folder.EventWriter(run.events_path) as writer:
        writer.write(WarningRaised(code="refused", values={"file": str(old_names)}))
    (event,) = run_folder.EventLog(run.events_path).read()
    assert event.values["file"] == str(old_names)
    json.loads(run.config_path.read_text(encoding="utf-8"))
    with (run.path / "decisions.csv").open(encoding="utf-8-sig") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["ok/가나다.png"]


@bytes_only
def test_an_error_about_a_path_in_bytes_can_be_shown(tmp_path: Path):
    with pytest.raises(DataNotFound) as caught:
        scan(tmp_path / old("없음"))
    assert "없음" in caught.value.message("ko")
    caught.value.message("ko").encode()


@bytes_only
def test_a_correction_named_in_bytes_is_trained_on(old_names: Path):
    write(old_names / curation.CORRECTIONS / old("불량") / old("고침.png"), scene(900))
    prepared = prepare(old_names, image_px=32, seed=0, val_fraction=0.2, test_fraction=0.2)
    [index] = prepared.added
    assert prepared.dataset.pictures[index].name == f"{curation.CORRECTIONS}/불량/고침.png"
