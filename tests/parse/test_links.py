"""The grammar of links, apart from any note."""

from __future__ import annotations

import pytest

from nestkit.parse.link import WIKILINK, parse_destination, parse_link_text, split_link


@pytest.mark.parametrize(
    ("link", "target", "heading", "block"),
    [
        ("Bee", "Bee", (), None),
        ("Bee.md", "Bee.md", (), None),
        (" Bee ", "Bee", (), None),
        ("a/Bee#H", "a/Bee", ("H",), None),
        ("Bee#H#Sub # More ", "Bee", ("H", "Sub", "More"), None),
        ("#H", "", ("H",), None),
        ("##H", "", ("H",), None),
        ("Bee#", "Bee", (), None),
        ("Bee#^id", "Bee", (), "id"),
        ("#^id", "", (), "id"),
        ("Bee#^", "Bee", ("^",), None),
        ("Bee#H#^id", "Bee", ("H", "^id"), None),
        ("Bee^id", "Bee^id", (), None),
        ("", "", (), None),
    ],
)
def test_a_link_is_path_headings_and_block(link: str, target: str, heading: tuple[str, ...], block: str | None) -> None:
    assert split_link(link) == (target, heading, block)


@pytest.mark.parametrize(
    ("inner", "target", "alias"),
    [
        ("Bee", "Bee", None),
        ("Bee|b", "Bee", "b"),
        ("Bee | b | c ", "Bee", "b | c"),
        ("Bee|", "Bee", ""),
        ("Bee\\|b", "Bee", "b"),
        ("|", "|", None),
        ("|x", "|x", None),
        ("||x", "|", "x"),
    ],
)
def test_the_display_text_is_no_part_of_the_target(inner: str, target: str, alias: str | None) -> None:
    read = parse_link_text(inner)
    assert read is not None
    assert (read[0].target, read[1]) == (target, alias)


@pytest.mark.parametrize("inner", ["", " ", "\t"])
def test_blank_brackets_hold_nothing(inner: str) -> None:
    assert parse_link_text(inner) is None


@pytest.mark.parametrize(
    ("destination", "target"),
    [
        ("Bee", "Bee"),
        ("My%20Bee.md", "My Bee.md"),
        ("C%2B%2B.md", "C++.md"),
        ("a%2Fb", "a/b"),
        ("100%", "100%"),
        ("%ff", "%ff"),
    ],
)
def test_a_destination_is_decoded_if_it_can_be(destination: str, target: str) -> None:
    place = parse_destination(destination)
    assert place is not None
    assert place.target == target


@pytest.mark.parametrize(
    "destination", ["", "https://e.org", "HTTP://E.org", "mailto:a@b", "obsidian://open", "x-y.z+1:a", "//e.org"]
)
def test_what_leaves_the_vault_is_no_place(destination: str) -> None:
    assert parse_destination(destination) is None


@pytest.mark.parametrize("text", ["[[a\nb]]", "[[a]b]]", "[[[a]]", "[a]", "[[a", "[[a|b\nc]]"])
def test_these_are_no_wikilinks(text: str) -> None:
    assert WIKILINK.match(text) is None
