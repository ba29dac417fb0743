"""tl_core.models.weights.imagenet_names: what the outputs of ImageNet's heads are called."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from timm.data import ImageNetInfo

from tl_core.models.weights import imagenet_names as package
from tl_core.models.weights.imagenet_names import imagenet_names
from tl_core.models.weights.record import WeightsRecord
from tl_core.models.weights.sources import class_names

FOLDER = Path(package.__file__).parent
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))
HANGUL = re.compile("[가-힣]")


def written(language: str) -> dict[str, str]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def record(source: str) -> WeightsRecord:
    return WeightsRecord(
        source=source, requested=source, path=None, sha256="", why="asked", is_pretrained=True,
        num_classes=1000, has_head=True,
    )  # fmt: skip


def test_korean_names_every_class_once_and_in_hangul():
    korean = written("ko")
    assert list(korean) == ImageNetInfo().label_names()
    assert all(HANGUL.search(name) and name == name.strip() for name in korean.values())
    assert max(map(len, korean.values())) <= 20, "a name, not a description"


def test_korean_file_says_where_its_names_come_from():
    head = (FOLDER / "ko.toml").read_text(encoding="utf-8").partition("\n\n")[0]
    assert "translated by this project" in head and "WordNet 3.0" in head


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_classes_share_a_name(language):
    assert set(written(language)) <= set(ImageNetInfo().label_names())
    names = imagenet_names(language)
    assert len(names) == len({name.casefold() for name in names}) == 1000


@pytest.mark.parametrize("wordnet_id, english, korean", [
    ("n01440764", "tench", "텐치"),
    ("n01443537", "goldfish", "금붕어"),
    ("n01580077", "jay", "어치"),
    ("n01608432", "kite", "솔개"),
    ("n01847000", "drake", "수오리"),
    ("n02012849", "crane (bird)", "두루미"),
    ("n03126707", "crane (machine)", "기중기"),
    ("n02099601", "golden retriever", "골든 리트리버"),
    ("n02108089", "boxer", "복서(개)"),
    ("n03710637", "maillot (tights)", "레오타드"),
    ("n03710721", "maillot (swimsuit)", "원피스 수영복"),
    ("n03793489", "mouse", "컴퓨터 마우스"),
    ("n03804744", "nail", "못"),
    ("n03877845", "palace", "궁전"),
    ("n03954731", "plane", "대패"),
    ("n04389033", "tank", "탱크"),
    ("n11939491", "daisy", "데이지"),
    ("n15075141", "toilet tissue", "화장지"),
])  # fmt: skip
def test_a_name_stands_at_its_own_output_and_means_what_the_gloss_says(wordnet_id, english, korean):
    output = ImageNetInfo().label_names().index(wordnet_id)
    assert imagenet_names("en")[output] == english
    assert imagenet_names("ko")[output] == korean


def test_a_language_without_a_file_is_answered_in_english():
    assert imagenet_names("fr") == imagenet_names("en") == imagenet_names()


@pytest.mark.parametrize("source", ["imagenet", "imagenet-torchvision", "imagenet-lite0"])
def test_all_imagenet_weights_speak_the_language(source):
    assert class_names(record(source))[985] == "daisy"
    assert class_names(record(source), "ko")[985] == "데이지"
