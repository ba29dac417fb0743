"""Thousands of pictures: the table, the sorted copies and the sheet of the unsure ones."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from pathlib import Path

import pytest

from tl_core.base.errors import BadArchive, OutputUnwritable
from tl_core.base.files import csv_table
from tl_core.cli import main
from tl_core.data.layouts import archives
from tl_core.inference.many import contact_sheet
from tl_core.inference.many.contact_sheet import ContactSheet
from tl_core.inference.many.keeping import Limit, columns, keeping
from tl_core.inference.many.sorted_copy import UNSURE, SortedCopy
from tl_core.runs.decision_rule import DecisionRule

CLASSES = ["=cat", "dog"]
LIMIT = Limit(CLASSES, DecisionRule(), 0.7)


def answer(file: str, p: float, **marks) -> dict:
    probabilities = {"=cat": p, "dog": 1 - p}
    return {
        "file": file,
        "label": max(probabilities, key=probabilities.get),
        "probabilities": probabilities,
    } | marks


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_line_for_every_file_with_what_was_said(tmp_path):
    with keeping(LIMIT, tmp_path / "a.csv", None) as kept:
        kept.add(Path("a.png"), answer("=a.png", 0.9))
        kept.add(Path("b.png"), answer("고양이.png", 0.4))
        kept.add(Path("c.png"), {"file": "c.png", "error": "c.png cannot be used: torn."})
    assert kept.summary() == {"csv": str(tmp_path / "a.csv")}
    first, second, third = rows(tmp_path / "a.csv")
    assert first == {
        "file": "'=a.png", "predicted": "'=cat", "p_=cat": "0.900000", "p_dog": "0.100000",
        "unsure": "0", "unlike_training": "", "error": "",
    }  # fmt: skip
    assert (second["file"], second["predicted"], second["unsure"]) == ("고양이.png", "dog", "1")
    assert third["error"] == "c.png cannot be used: torn." and third["predicted"] == ""


def test_an_interruption_leaves_the_table_of_before(tmp_path):
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(KeyboardInterrupt), keeping(LIMIT, tmp_path / "a.csv", None) as kept:
        kept.add(Path("a.png"), answer("a.png", 0.9))
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "before"


def test_a_table_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(OutputUnwritable), csv_table.writing(tmp_path / "no" / "a.csv", columns(CLASSES)):
        pass


def test_pictures_are_copied_to_their_class_and_the_unsure_apart(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    out = tmp_path / "out"
    with keeping(LIMIT, None, out) as kept:
        kept.add(tmp_path / "a.png", answer("a.png", 0.9))
        kept.add(tmp_path / "b.png", answer("b.png", 0.4))
        kept.add(tmp_path / "c.png", answer("c.png", 0.01, unlike_training=True))
        kept.add(tmp_path / "torn.png", {"file": "torn.png", "error": "torn"})
    found = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert found == {"=cat/a.png", "_unsure/b.png", "_unsure/c.png"}
    told = kept.summary()["copies"]
    assert told["copied"] == {"=cat": 1, "_unsure": 2} and told["there_already"] == 0
    assert "b.png" in Path(told["contact_sheet"]).read_text(encoding="utf-8")


def test_no_copy_takes_the_place_of_a_file_and_the_same_one_is_copied_once(tmp_path):
    for folder, content in (("one", b"1"), ("two", b"2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(content)
    out = tmp_path / "out"
    (out / "dog").mkdir(parents=True)
    (out / "dog" / "x.png").write_bytes(b"mine")
    copy = SortedCopy(out)
    for _ in range(2):
        for folder in ("one", "two"):
            copy.add(tmp_path / folder / "x.png", "dog")
    contents = {path.name: path.read_bytes() for path in (out / "dog").iterdir()}
    assert contents == {"x.png": b"mine", "x (2).png": b"1", "x (3).png": b"2"}
    assert (copy.copied["dog"], copy.there_already) == (2, 2)


@pytest.mark.parametrize("name", ["../out", "a/b", "..", "C:\\x", "/etc"])
def test_no_class_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / "a.png").write_bytes(b"a")
    SortedCopy(tmp_path / "in" / "out").add(tmp_path / "a.png", name)
    (copied,) = (tmp_path / "in" / "out").rglob("a.png")
    assert copied.parent.parent == tmp_path / "in" / "out"
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["out"]


def test_a_file_in_the_folders_place_is_said(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputUnwritable):
        SortedCopy(tmp_path / "out")


def test_the_sheet_shows_the_least_sure_first_and_no_more_than_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(contact_sheet, "MOST", 3)
    sheet = ContactSheet()
    for number, confidence in enumerate((0.6, 0.52, 0.65, 0.51, 0.55)):
        sheet.add(tmp_path / "gone.png", answer(f"<{number}>.png", confidence), confidence)
    for language in ("ko", "en"):
        sheet.write(tmp_path / "sheet.html", 0.7, language)
        page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
        assert re.findall(r"&lt;(\d)&gt;", page) == ["3", "1", "4"]
        assert "sheet." not in page.replace("sheet.html", "") and "70 %" in page


def test_the_command_writes_both_and_says_so(predictor, drawn, tmp_path, capsys):
    table, out = tmp_path / "a.csv", tmp_path / "sorted"
    command = ["predict", str(predictor.run.path), str(drawn / "dots"), "--csv", str(table)]
    assert main([*command, "--copy-to", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["csv"] == str(table) and len(rows(table)) == len(told["predictions"]) == 24
    copied = told["copies"]["copied"]
    assert sum(copied.values()) == 24
    for line in rows(table):
        folder = UNSURE if line["unsure"] == "1" else line["predicted"]
        assert (out / folder / Path(line["file"]).name).is_file()
    assert main([*command, "--copy-to", str(out)]) == 0
    assert str(table) in capsys.readouterr().out


def test_a_zip_gives_its_pictures_one_by_one_and_stays_packed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("b/1.png", "2.JPG", "notes.txt", "__MACOSX/3.png", ".hidden/4.png"):
            archive.writestr(name, name)
    names = archives.picture_names(tmp_path / "a.zip", "a.zip")
    assert names == ["b/1.png", "2.JPG"]
    found = dict(archives.pictures(tmp_path / "a.zip", names, "a.zip", 5))
    assert found == {"b/1.png": b"b/1.p", "2.JPG": b"2.JPG"}
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(BadArchive, match=r"bad\.zip"):
        archives.picture_names(tmp_path / "bad.zip", "bad.zip")
