"""The package's own sentences, in both languages."""

import inspect
import re
import string

from tl_core.base import errors
from tl_core.base.messages import LANGUAGES, catalogue, say

ENGLISH, KOREAN = catalogue("en"), catalogue("ko")
PARTICLES = re.compile(
    r"\}[’”)]?(을|를|이|가|은|는|와|과|로|으로|이라|라|이나|나|이고|이며|이다|이라면|라면)(?![가-힣])"
)
# these change with the last sound of the word before them, which a sentence with a gap cannot know


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_keys():
    assert set(ENGLISH) == set(KOREAN)


def test_a_sentence_has_the_same_placeholders_in_both_languages():
    shared = set(ENGLISH) & set(KOREAN)
    assert [key for key in sorted(shared) if placeholders(ENGLISH[key]) != placeholders(KOREAN[key])] == []


def test_korean_sentence_puts_no_particle_on_a_filled_in_value():
    assert [key for key, text in KOREAN.items() if PARTICLES.search(text)] == []


def test_korean_sentence_is_korean():
    # sources are partly names of products
    sentences = {key: text for key, text in KOREAN.items() if not key.startswith("source.")}
    untranslated = [key for key, text in sentences.items() if not re.search("[가-힣]", text)]
    assert untranslated == []


def test_every_error_class_has_its_sentence_and_its_values_are_the_documented_ones():
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if not issubclass(cls, errors.TlError):
            continue
        assert f"error.{cls.code}" in ENGLISH, name
        if "code" in vars(cls) and (cls.__doc__ or "").startswith("values:"):
            documented = set(re.findall(r"\w+", re.sub(r"\([^)]*\)", "", cls.__doc__)))
            assert placeholders(ENGLISH[f"error.{cls.code}"]) <= documented | {"program"}, name


def test_a_reason_is_said_in_the_language_of_the_sentence():
    error = errors.OutputUnwritable(path="/x", reason="disk_full", detail="")
    for language in LANGUAGES:
        assert say("reason.disk_full", language) in error.message(language)


def test_an_unknown_key_or_a_missing_value_shows_the_key_instead_of_failing():
    assert say("error.no_such_thing") == "error.no_such_thing"
    assert "error.config" in say("error.config", name="x")


def test_korean_sentences_quote_in_one_way():
    assert [key for key, text in KOREAN.items() if re.search("[“”]", text)] == []
