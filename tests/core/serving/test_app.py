"""The service answers as `predict` does, refuses in sentences, and keeps count."""

from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.core.serving.conftest import form
from tl_core.base.errors import TlError
from tl_core.inference.predictor import predict_files
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.serving import uploads


def same(answers: list[dict], expected: list[dict]) -> None:
    """Names and labels equal, probabilities to the last digit but rounding in another company."""
    assert len(answers) == len(expected)
    for one, other in zip(answers, expected, strict=True):
        assert {**one, "probabilities": None} == {**other, "probabilities": None}
        ours, theirs = (list(row["probabilities"].values()) for row in (one, other))
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def expected(predictor, *files: Path) -> list[dict]:
    found = list(predict_files(predictor, files))
    return [{**answer, "file": file.name} for answer, file in zip(found, files, strict=True)]


def some(drawn: Path, count: int) -> list[Path]:
    return sorted(drawn.rglob("*.png"))[::3][:count]


def test_a_form_of_many_is_answered_as_predict_answers(serve, predictor, drawn):
    files = some(drawn, 12)
    body, headers = form(*((file.name, file.read_bytes()) for file in files))
    status, content = serve().classify(body, **headers)
    assert status == 200 and set(content) == {"predictions"}
    same(content["predictions"], expected(predictor, *files))


def test_bare_bytes_are_one_picture_and_can_be_named(serve, predictor, drawn):
    service, file = serve(), some(drawn, 1)[0]
    status, content = service.classify(file.read_bytes(), f"/classify?name={file.name}")
    assert status == 200
    same(content["predictions"], expected(predictor, file))
    assert service.classify(file.read_bytes())[1]["predictions"][0]["file"] == uploads.NAME


def test_a_bad_picture_gets_predicts_sentence_and_stops_no_other(serve, predictor, drawn, tmp_path):
    good, bad = some(drawn, 1)[0], tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:200])
    body, headers = form((bad.name, bad.read_bytes()), (good.name, good.read_bytes()))
    status, content = serve().classify(body, **headers, Accept_Language="ko-KR,ko;q=0.9")
    assert status == 200
    said, answer = content["predictions"]
    error = next(iter(predict_files(predictor, [bad])))["error"]
    assert isinstance(error, TlError)
    assert said == {"file": "bad.png", "error": error.message("ko").replace(str(bad), "bad.png")}
    same([answer], expected(predictor, good))


def test_where_no_picture_can_be_read_the_status_says_so(serve):
    status, content = serve().classify(b"no picture")
    assert status == 422
    assert "error" in content["predictions"][0]


def test_what_was_decided_for_the_run_is_followed_from_then_on(serve, predictor, drawn):
    service, file = serve(), some(drawn, 1)[0]
    before = service.classify(file.read_bytes())[1]["predictions"][0]
    decided = DecisionRule(positive_class=before["label"], threshold=0.99999999, sure_from=0.999)
    decision_rule.save(predictor.run, decided)
    try:
        content = service.classify(file.read_bytes(), f"/classify?name={file.name}")[1]
        same(content["predictions"], expected(predictor, file))
    finally:
        (predictor.run.path / decision_rule.FILE).unlink()
    assert content["predictions"][0]["label"] != before["label"]
    assert content["predictions"][0]["unsure"] in (True, False)
    assert content["decision"] == decided.to_dict()


def test_a_damaged_decision_is_said_and_the_next_request_is_answered(serve, predictor, drawn):
    service, content = serve(), some(drawn, 1)[0].read_bytes()
    broken = predictor.run.path / decision_rule.FILE
    broken.write_text('{"threshold": 7}', encoding="utf-8")
    try:
        status, said = service.classify(content)
    finally:
        broken.unlink()
    assert status == 500 and "threshold = 7" in said["error"]
    assert service.classify(content)[0] == 200


def test_many_at_once_each_get_their_own_answer(serve, predictor, drawn):
    service, files = serve(), some(drawn, 16)
    wanted = expected(predictor, *files)

    def ask(file: Path) -> dict:
        return service.classify(file.read_bytes(), f"/classify?name={file.name}")[1]["predictions"][0]

    with ThreadPoolExecutor(16) as pool:
        for _ in range(3):
            same(list(pool.map(ask, files)), wanted)


@pytest.mark.parametrize(
    ("terms", "body", "headers", "status"),
    [
        ({}, b"", {}, 400),
        ({}, b"--edge--\r\n", {"Content_Type": "multipart/form-data; boundary=edge"}, 400),
        ({}, b"--other", {"Content_Type": "multipart/form-data; boundary=edge"}, 400),
        ({}, b"--edge", {"Content_Type": "multipart/form-data"}, 400),
        ({"max_body_mb": 1}, b"x" * (1 << 20) + b"x", {}, 413),
        ({"token": "secret"}, b"x", {}, 401),
        ({"token": "secret"}, b"x", {"Authorization": "Bearer secre"}, 401),
        ({"token": "secret"}, b"x", {"Authorization": "Basic secret"}, 401),
    ],
)  # fmt: skip
def test_a_request_without_answers_gets_one_sentence(serve, terms, body, headers, status):
    found, content = serve(**terms).classify(body, **headers)
    assert found == status
    assert (
        list(content) == ["error"]
        and "serve." not in content["error"]
        and content["error"].endswith((".", "y"))
    )


def test_more_pictures_than_allowed_are_refused_whole(serve, monkeypatch, drawn):
    monkeypatch.setattr(uploads, "MAX_PICTURES", 2)
    content = some(drawn, 1)[0].read_bytes()
    for number, status in ((2, 200), (3, 413), (4, 413)):
        body, headers = form(*(("x.png", content) for _ in range(number)))
        assert serve().classify(body, **headers)[0] == status


def test_a_body_that_says_nothing_of_its_length_is_counted_as_it_comes(serve):
    service = serve(max_body_mb=1)
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    status, content = service.classify(chunk * 40 + b"0\r\n\r\n", Transfer_Encoding="chunked")
    assert status == 413 and "1 MB" in content["error"]


def test_what_all_requests_take_together_is_bounded_and_given_back(serve, monkeypatch, drawn):
    content = some(drawn, 1)[0].read_bytes()
    monkeypatch.setattr(uploads.Room, "__init__", _small_room)
    service = serve()
    status, headers, _ = service.ask("POST", "/classify", b"x" * 5000)
    assert (status, headers["retry-after"]) == (503, "1")
    assert len(content) < 4000 or service.classify(content[:3000])[0] == 422
    assert service.classify(b"x" * 3000)[0] == 422


def _small_room(self, max_body: int) -> None:
    self.max_body, self.max_at_once, self.in_use = max_body, 4000, 0


def test_who_knows_the_token_is_answered(serve, drawn):
    service, content = serve(token="secret 비밀"), some(drawn, 1)[0].read_bytes()
    assert service.classify(content, Authorization="Bearer secret")[0] == 401
    known = "Bearer " + "secret 비밀".encode().decode("latin-1")
    assert service.classify(content, Authorization=known)[0] == 200
    assert service.ask("GET", "/metrics")[0] == 401
    assert service.ask("GET", "/metrics", Authorization=known)[0] == 200
    assert service.ask("GET", "/health")[0] == 200, "a monitor needs no token"


def test_a_huge_picture_is_refused_before_it_is_decoded(serve):
    buffer = io.BytesIO()
    Image.new("1", (40_000, 40_000)).save(buffer, "PNG")
    status, content = serve().classify(buffer.getvalue())
    assert status == 422 and "1600" in content["predictions"][0]["error"].replace(",", "")


def test_another_site_is_refused_where_this_machine_alone_is_served(serve):
    local, open_to_all = serve(is_local=True), serve(is_local=False)
    assert local.ask("GET", "/health", Host="evil.example")[0] == 403
    assert local.ask("POST", "/classify", b"x", Origin="http://evil.example")[0] == 403
    assert open_to_all.ask("GET", "/health", Host="my.lab.example")[0] == 200


def test_what_was_done_is_counted(serve, drawn):
    service, content = serve(), some(drawn, 1)[0].read_bytes()
    body, headers = form(("a.png", content), ("b.png", b"bad"))
    service.classify(body, **headers)
    service.classify(b"bad")
    service.classify(b"")
    text = service.ask("GET", "/metrics")[2].decode()
    counted = dict(re.findall(r"^(headswap_\w+_total\{.*\}|headswap_\w+_count) (\S+)$", text, re.M))
    assert counted['headswap_pictures_total{outcome="classified"}'] == "1.0"
    assert counted['headswap_pictures_total{outcome="unreadable"}'] == "2.0"
    for status in ("200", "400", "422"):
        assert counted[f'headswap_requests_total{{status="{status}"}}'] == "1.0"
    assert counted["headswap_batch_pictures_count"] == "1.0"
    assert "headswap_waiting_pictures 0.0" in text


def test_health_names_the_run_and_its_classes(serve, predictor):
    status, _, content = serve().ask("GET", "/health")
    told = json.loads(content)
    assert (status, told["status"], told["run"]) == (200, "ok", predictor.run.name)
    assert told["classes"] == predictor.classes


def test_the_description_speaks_of_what_is_there(serve, predictor):
    service = serve(token="secret")
    described = json.loads(service.ask("GET", "/openapi.json")[2])
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            status, _, content = service.ask(method.upper(), path, Authorization="Bearer secret")
            assert str(status) in operation["responses"], (path, status, content)
    answers = described["paths"]["/classify"]["post"]["responses"]["200"]["content"]["application/json"]
    one = answers["schema"]["properties"]["predictions"]["items"]["oneOf"][0]
    assert one["properties"]["label"]["enum"] == predictor.classes
    assert described["paths"]["/classify"]["post"]["security"] == [{"token": []}]


def test_the_page_speaks_the_visitors_language_and_loads_nothing(serve, predictor):
    service = serve()
    for language, word in (("ko-KR", "분류하기"), ("en-GB,en;q=0.8", "Classify")):
        status, headers, content = service.ask("GET", "/", Accept_Language=language)
        page = content.decode()
        assert status == 200 and word in page and predictor.run.name in page
        assert f'lang="{language[:2]}"' in page
        assert "default-src 'none'" in headers["content-security-policy"]
        assert re.findall(r"(?:src|href)=\"(?!openapi\.json|health|data:,)[^\"]*\"", page) == []
        assert 'id="token"' not in page
    assert 'id="token"' in serve(token="secret").ask("GET", "/")[2].decode()


def test_wrong_ways_get_a_sentence_too(serve):
    service = serve()
    for method, way, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/classify", 405),
        ("POST", "/health", 405),
    ):
        found, _, content = service.ask(method, way)
        assert found == status and "/classify" in json.loads(content)["error"]
