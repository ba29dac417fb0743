"""The catalogues: the same keys and placeholders in both languages, all known, none unused."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

from tl_core.base.config import RunConfig
from tl_core.base.setting import all_settings
from tl_ui.frame.text import LOCALES, catalogue, literal, number, percent
from tl_ui.lesson.quiz import bank

ROOT = Path(__file__).resolve().parents[3]
FILES = [
    ROOT / "streamlit_app.py",
    *sorted((ROOT / "pages").glob("*.py")),
    *sorted((ROOT / "tl_ui").rglob("*.py")),
]
ENGLISH, KOREAN = catalogue("en"), catalogue("ko")

# after a filled-in value nobody knows whether 은 or 는 is right
PARTICLE = re.compile(r"\}[\"'”’»]?(은|는|이|가|을|를|과|와|으로|로)(?![가-힣])")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def called_keys() -> list[tuple[str, str, bool]]:
    """(file, key or pattern, is it a pattern) of every t("…"), t(f"…"), name_of("…"), help_of("…")."""
    found = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            template = {"t": "{}", "name_of": "terms.{}.name", "help_of": "terms.{}.help"}.get(node.func.id)
            arguments = node.args[0]
            if template is None:
                continue
            # t("a" if x else "b") calls with both
            for argument in (
                (arguments.body, arguments.orelse) if isinstance(arguments, ast.IfExp) else (arguments,)
            ):
                if isinstance(argument, ast.Constant):
                    found.append((file.name, template.format(argument.value), False))
                elif isinstance(argument, ast.JoinedStr):
                    parts = [
                        re.escape(part.value) if isinstance(part, ast.Constant) else r".+"
                        for part in argument.values
                    ]
                    pattern = template.replace(".", r"\.") if template != "{}" else template
                    found.append((file.name, pattern.format("".join(parts)), True))
    return found


def constants() -> set[str]:
    return {
        node.value
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def keys_of_settings() -> set[str]:
    """What `tl_ui/screens/train/control.py` asks for by a setting's name."""
    found = set()
    for name, one in all_settings(RunConfig).items():
        own = f"train.{name.replace('.', '_')}"
        found |= {own, f"{own}_help", *(f"{own}_{value}" for value in one.choices)}
    return found


def test_both_languages_have_the_same_keys():
    assert set(ENGLISH) == set(KOREAN)


def test_both_languages_fill_in_the_same_values():
    shared = set(ENGLISH) & set(KOREAN)
    assert [key for key in sorted(shared) if placeholders(ENGLISH[key]) != placeholders(KOREAN[key])] == []


def test_no_korean_particle_depends_on_a_filled_in_value():
    assert [key for key, text in KOREAN.items() if PARTICLE.search(text)] == []


def test_korean_sentences_are_korean():
    same = {
        key for key, text in KOREAN.items() if text == ENGLISH[key] and re.search("[a-z]{3} [a-z]{3}", text)
    }
    assert same == set()


def test_every_text_that_a_page_asks_for_is_known():
    calls = called_keys()
    assert calls
    unknown = [
        (file, key)
        for file, key, is_pattern in calls
        if not (any(re.fullmatch(key, known) for known in ENGLISH) if is_pattern else key in ENGLISH)
    ]
    assert unknown == []


def test_no_text_is_unused():
    calls, strings = called_keys(), constants()
    patterns = [re.compile(key) for _, key, is_pattern in calls if is_pattern]
    exact = {key for _, key, is_pattern in calls if not is_pattern} | strings | keys_of_settings()
    # terms are the glossary's content; test_glossary.py asks that each is used
    keys = [key for key in ENGLISH if not key.startswith("terms.")]
    unused = [key for key in keys if key not in exact and not any(p.fullmatch(key) for p in patterns)]
    assert unused == []


def test_every_term_has_a_name_and_a_help_of_at_most_three_sentences():
    terms = {key.split(".")[1] for key in ENGLISH if key.startswith("terms.")}
    for term in terms:
        assert ENGLISH[f"terms.{term}.name"] and KOREAN[f"terms.{term}.name"]
        assert len(re.findall(r"[.;:](?:\s|$)", ENGLISH[f"terms.{term}.help"])) <= 4, term


def test_numbers_are_written_with_separators():
    assert number(1281000) == "1,281,000"
    assert percent(0.8734) == "87.3 %"
    assert percent(None) == "–"


def test_each_file_of_a_language_holds_its_own_table_and_both_languages_have_the_same_files():
    files = {lang: sorted(p.name for p in (LOCALES / lang).glob("*.toml")) for lang in ("en", "ko")}
    assert files["en"] == files["ko"] and files["en"]
    for path in LOCALES.glob("*/*.toml"):
        assert list(tomllib.loads(path.read_text(encoding="utf-8"))) == [path.stem], path


def test_a_name_is_shown_in_a_sentence_as_it_is_and_commands_nothing():
    assert literal("teasing 2") == "teasing 2" and literal("놀림") == "놀림"
    assert literal("*a* :red[b] $c$ <d>") == r"\*a\* \:red\[b\] \$c\$ \<d\>"


def test_korean_sentences_quote_in_one_way():
    questions = Path(bank.__file__).parent / "questions" / "ko.toml"
    files = [*sorted((LOCALES / "ko").glob("*.toml")), questions]
    assert [file.name for file in files if re.search("[“”]", file.read_text(encoding="utf-8"))] == []
