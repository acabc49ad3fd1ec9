"""Nothing in a text under review can hide or pretend."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.visible import find_pretenders, normal_form, reviewed, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Kb", "a⟦U+001B⟧[2Kb"),
        ("safe\rdelete()", "safe\ndelete()"),
        ("x = 'ab\u202edc'", "x = 'ab⟦U+202E⟧dc'"),
        ("ad\u200bmin", "ad⟦U+200B⟧min"),
        ("a\u2028b", "a\nb"),
        ("tag\U000e0041", "tag⟦U+E0041⟧"),
        ("soft\u00adhyphen", "soft⟦U+00AD⟧hyphen"),
        ("x\u3164 = 1", "x⟦U+3164⟧ = 1"),
        ("x\u034f", "x⟦U+034F⟧"),
        ("x\ufe01", "x⟦U+FE01⟧"),
        ("a\u00a0b", "a⟦U+00A0⟧b"),
        ("a\u2003b", "a⟦U+2003⟧b"),
        ("pass" + " " * 200 + "; evil()", "pass ⟦200 blanks⟧ ; evil()"),
        ("pass\n" + "\n" * 300 + "evil()", "pass\n⟦300 empty lines⟧\nevil()"),
        ("    indented\n\n\nfine\tand ❤️ naïve 日本", "    indented\n\n\nfine\tand ❤️ naïve 日本"),
    ],
)
def test_what_hides_is_spelled_and_what_is_plain_stays(text: str, shown: str) -> None:
    assert reviewed(text) == shown


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("r\u0435ad_note", "mixes letters of two scripts"),
        ("\u0435\u0445\u0435\u0441", "looks like a Latin word"),
        ("\uff45val", "is read by Python as eval"),
        ("\u03bfpen", "mixes"),
        ("pr\u0131nt", "looks like another"),
    ],
)
def test_a_name_that_pretends_is_named_with_its_letters(word: str, said: str) -> None:
    (found,) = find_pretenders(f"x = 1\n{word}(x)")
    assert said in found
    assert "U+" in found


@pytest.mark.parametrize(
    "text", ["x = 1", "über = 'Größe'", "名前 = '日本語'", "Москва и Київ", "naïve café", "αβγ = 1"]
)
def test_words_of_other_languages_are_no_pretenders(text: str) -> None:
    assert find_pretenders(text) == []


@given(st.text())
def test_nothing_that_is_shown_is_obeyed_by_a_terminal(text: str) -> None:
    for shown in (visible(text), reviewed(text)):
        assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in shown)


@given(st.text(max_size=50))
def test_a_normal_form_is_unicode_s_own_for_all_that_people_write(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC"):
        assert normal_form(form, text * 50) == unicodedata.normalize(form, text * 50)


@pytest.mark.parametrize("before", [0, 1, 29, 30, 31, 500])
def test_marks_without_end_are_left_as_they_are(before: int) -> None:
    piled = "a" * before + "\u0301\u0327" * 500_000
    assert normal_form("NFC", piled) == piled
    assert normal_form("NFC", "a\u0301" * 1000) == "á" * 1000
