"""What people say about a run stands beside it and changes nothing in it."""

import json

from tl_core.runs import about, run_folder


def test_a_run_is_called_what_a_person_called_it(tmp_path):
    run = run_folder.create(tmp_path / "20260101-1200-ants", {})
    assert about.name_of(run) == "20260101-1200-ants" and about.read(run) == about.About()
    about.write(run, title="  Ants,\n more dropout ")
    about.write(run, note="line\nline")
    assert about.name_of(run) == "Ants, more dropout"
    said = json.loads((run.path / about.FILE).read_text(encoding="utf-8"))
    assert said == {"title": "Ants, more dropout", "note": "line\nline"}
    about.write(run, title="")
    assert about.name_of(run) == run.name == "20260101-1200-ants"


def test_a_file_that_cannot_be_read_costs_only_the_name(tmp_path):
    run = run_folder.create(tmp_path / "ants", {})
    for content in ("{", "[1]"):
        (run.path / about.FILE).write_text(content, encoding="utf-8")
        assert about.name_of(run) == "ants"
