"""The plugin's settings with nest's entries in and out: field by field, and nothing of the person's ever touched."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palette.format import check_settings

from nestkit.errors import ConfigError
from nestkit.palette.entries import draft_wanted
from nestkit.palette.settings import check_preview, plan_install, plan_uninstall

WANTED = draft_wanted("/home/me/bin/nest", "linux")
IDS = [f"{section}/{item['id']}" for section, items in WANTED.items() for item in items]

MINE: dict[str, Any] = {
    "zz_unknown": {"kept": [1, 2.5, None]},
    "settings_version": "0.21.0",
    "debug": True,
    "shell_commands": [
        {"id": "a1b2", "platform_specific_commands": {"default": "git status"}, "future_field": {"x": "ü \ud83d"}},
        {"id": "nesting", "platform_specific_commands": {"default": "nest-like, and not nest's"}},
    ],
    "prompts": [{"id": "p1", "title": "Mine", "fields": []}],
    "custom_variables": [{"id": "v1", "name": "mine"}],
    "hotkeys_of_mine": "kept",
}


def drawn(value: Any, indent: int | None = 2) -> str:
    """As the plugin writes it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.replace("\ud83d", "\\ud83d")


def test_a_plugin_without_settings_gets_whole_ones() -> None:
    plan = plan_install(None, WANTED, {}, "linux")
    found = json.loads(plan.text)
    assert check_settings(found) == []
    assert found["settings_version"] == "0.23.0"
    assert [entry["id"] for entry in found["shell_commands"]] == [item["id"] for item in WANTED["shell_commands"]]
    assert set(plan.states.values()) == {"added"}


def test_all_that_is_the_person_s_stays_byte_for_byte() -> None:
    before = drawn(MINE)
    plan = plan_install(before, WANTED, {}, "linux")
    found = json.loads(plan.text)
    assert list(found) == list(MINE)
    assert found["settings_version"] == "0.21.0"
    for section in WANTED:
        own = [item for item in found[section] if not item["id"].startswith("nest-")]
        assert own == json.loads(before)[section]
        assert found[section][: len(own)] == own
    assert all(line in plan.text.splitlines() for line in before.splitlines() if line.strip(" ]},"))


def test_twice_is_no_change_and_out_again_is_as_before() -> None:
    before = drawn(MINE)
    first = plan_install(before, WANTED, {}, "linux")
    second = plan_install(first.text, WANTED, first.written, "linux")
    assert second.text == first.text
    assert set(second.states.values()) == {"same"}
    out = plan_uninstall(second.text, WANTED, second.written)
    assert out.text == before
    assert out.written == {}
    assert plan_uninstall(out.text, WANTED, {}).text == before


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t"])
def test_the_indentation_of_the_file_is_kept(indent: Any) -> None:
    text = json.dumps(MINE, ensure_ascii=True, indent=indent, separators=(",", ":") if indent is None else None)
    plan = plan_install(text.replace("\\u00fc", "ü") + "\n", WANTED, {}, "linux")
    again = plan_uninstall(plan.text, WANTED, plan.written)
    assert again.text == text.replace("\\u00fc", "ü") + "\n"


def test_settings_that_keep_a_note_for_a_later_hotkey_are_spoken_of() -> None:
    assert check_preview(plan_install(None, WANTED, {}, "linux").text) == []
    assert check_preview("") == []
    (said,) = check_preview(drawn(MINE))  # the plugin's default
    assert "Preview variables in command palette" in said
    assert check_preview(drawn({**MINE, "preview_variables_in_command_palette": False})) == []


def test_an_entry_that_was_edited_is_left_and_said() -> None:
    first = plan_install(drawn(MINE), WANTED, {}, "linux")
    found = json.loads(first.text)
    edited = next(item for item in found["shell_commands"] if item["id"] == "nest-ask")
    edited["alias"] = "Ask!"
    newer = draft_wanted("/opt/nest", "linux")
    second = plan_install(drawn(found), newer, first.written, "linux")
    assert second.states["shell_commands/nest-ask"] == "kept"
    assert second.states["shell_commands/nest-index"] == "updated"
    after = {item["id"]: item for item in json.loads(second.text)["shell_commands"]}
    assert after["nest-ask"] == edited
    assert "/opt/nest" in after["nest-index"]["platform_specific_commands"]["linux"]
    forced = plan_install(drawn(found), newer, first.written, "linux", force=True)
    assert forced.states["shell_commands/nest-ask"] == "updated"
    left = plan_uninstall(second.text, newer, second.written)
    assert left.states["shell_commands/nest-ask"] == "kept"
    assert left.states["prompts/nest-prompt-ask"] == "in use"
    assert left.states["custom_variables/nest-variable-question"] == "in use"
    assert left.states["custom_variables/nest-variable-tool"] == "removed"
    assert [item["id"] for item in json.loads(left.text)["shell_commands"]] == ["a1b2", "nesting", "nest-ask"]


def test_an_entry_that_was_removed_stays_out() -> None:
    first = plan_install(drawn(MINE), WANTED, {}, "linux")
    found = json.loads(first.text)
    found["shell_commands"] = [item for item in found["shell_commands"] if item["id"] != "nest-index"]
    second = plan_install(drawn(found), WANTED, first.written, "linux")
    assert second.states["shell_commands/nest-index"] == "left out"
    assert second.text == drawn(found)
    assert plan_install(drawn(found), WANTED, first.written, "linux", force=True).text.count('"nest-index"') == 1


def test_a_command_of_the_person_s_that_uses_a_variable_of_nest_s_keeps_it() -> None:
    first = plan_install(drawn(MINE), WANTED, {}, "linux")
    found = json.loads(first.text)
    found["shell_commands"][0]["platform_specific_commands"]["default"] = "echo {{!_nest_question}}"
    out = plan_uninstall(drawn(found), WANTED, first.written)
    assert out.states["custom_variables/nest-variable-question"] == "in use"
    assert out.states["prompts/nest-prompt-ask"] == "removed"


def test_what_another_machine_wrote_for_its_system_is_kept() -> None:
    mac = plan_install(drawn(MINE), draft_wanted("/Users/me/nest", "darwin"), {}, "darwin")
    both = plan_install(mac.text, WANTED, mac.written, "linux")
    for entry in json.loads(both.text)["shell_commands"][2:]:
        commands = entry["platform_specific_commands"]
        assert commands["darwin"].startswith("/Users/me/nest ")
        assert commands["linux"].startswith("/home/me/bin/nest ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ('{"settings_version": "0.23.0",', "cannot be read"),
        ('{"settings_version": "0.23.0", "a": 1, "a": 2}', "stands there twice"),
        ("[]", "no settings"),
        ("{}", "says no settings_version"),
        ('{"settings_version": "prior-to-0.7.0"}', "prior-to"),
        ('{"settings_version": "0.24.0"}', "version 0.24.0"),
        ('{"settings_version": "1.0.0"}', "version 1.0.0"),
        ('{"settings_version": "0.23.0", "shell_commands": {}}', "no list"),
        ('{"settings_version": "0.23.0", "prompts": ["x"]}', "no list"),
        ('{"settings_version": "0.23.0", "prompts": [{"id": "nest-a"}, {"id": "nest-a"}]}', "twice"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_settings_that_nest_does_not_understand_are_left(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        plan_install(text, WANTED, {}, "linux")
    assert caught.value.hint


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OTHERS = st.dictionaries(st.text().filter(lambda name: name not in {"settings_version", *WANTED}), VALUES, max_size=4)
OWN = st.lists(
    st.dictionaries(st.text().filter(lambda name: name != "id"), VALUES, max_size=3).map(
        lambda each: each | {"id": "x"}
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(OTHERS, OWN, OWN)
def test_in_and_out_again_gives_the_same_bytes(others: dict[str, Any], commands: Any, prompts: Any) -> None:
    mine = {"settings_version": "0.23.0", "shell_commands": commands, "prompts": prompts, "custom_variables": []}
    mine |= others
    before = json.dumps(mine, ensure_ascii=False, indent=2)
    before = "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in before)
    plan = plan_install(before, WANTED, {}, "linux")
    found = json.loads(plan.text)
    assert all(found[name] == value for name, value in json.loads(before).items() if name not in WANTED)
    assert plan_uninstall(plan.text, WANTED, plan.written).text == before


def test_every_system_has_its_form() -> None:
    for platform, program, begin in (
        ("linux", "/home/a b/nest", "'/home/a b/nest' --vault {{vault_path}} "),
        ("darwin", "/Users/o'x/nest", """'/Users/o'"'"'x/nest' --vault {{vault_path}} """),
        ("win32", r"C:\Users\o'x y\nest.exe", r"& 'C:\Users\o''x y\nest.exe' --vault {{vault_path}} "),
    ):
        for entry in draft_wanted(program, platform)["shell_commands"]:
            assert entry["platform_specific_commands"][platform].startswith(begin)
            assert entry["platform_specific_commands"]["default"].startswith("nest --vault ")
            assert entry["shells"]["win32"] == "PowerShell.exe"


def test_no_text_but_a_path_is_an_argument_and_nothing_stands_in_quotes() -> None:
    for entry in WANTED["shell_commands"]:
        for command in entry["platform_specific_commands"].values():
            used = {part.partition("}}")[0] for part in command.split("{{")[1:]}
            assert used <= {"vault_path", "file_path:relative"}
            assert "'{{" not in command
            assert '"{{' not in command
            assert "{{!" not in command


def test_the_entries_are_new_each_time() -> None:
    one = draft_wanted("/n", "linux")
    kept = deepcopy(dict(one))
    plan_install(None, one, {}, "linux")
    assert dict(one) == kept
