"""The plugin's format, field by field, as its settings are documented; nothing of the plugin is in here."""

from __future__ import annotations

from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


TOP = _words("""settings_version debug obsidian_command_palette_prefix preview_variables_in_command_palette
show_autocomplete_menu working_directory default_shells environment_variable_path_augmentations
show_installation_warnings error_message_duration notification_message_duration execution_notification_mode
output_channel_clipboard_also_outputs_to_notification output_channel_notification_decorates_output enable_events
approve_modals_by_pressing_enter_key command_palette max_visible_lines_in_shell_command_fields shell_commands prompts
builtin_variables custom_variables custom_variables_notify_changes_via custom_shells output_wrappers""")

ENTRY = _words("""id platform_specific_commands shells alias icon confirm_execution ignore_error_codes input_contents
output_handlers output_wrappers output_channel_order output_handling_mode execution_notification_mode events debounce
command_palette_availability preactions variable_default_values""")

HANDLERS = {"ignore", "notification", "modal", "open-files", "clipboard", "status-bar"}
EVENTS = {"editor-menu", "file-menu"}


def check_settings(settings: dict[str, Any]) -> list[str]:
    """What the plugin would stumble over, or migrate, in nest's part of its settings."""
    wrong = [f"{name} is missing" for name in TOP if name not in settings]
    for entry in settings["shell_commands"]:
        if str(entry.get("id")).startswith("nest-"):
            wrong += [f"{entry['id']}: {what}" for what in _check_entry(entry, settings)]
    for prompt in settings["prompts"]:
        if str(prompt["id"]).startswith("nest-"):
            wrong += _check_prompt(prompt, settings)
    for variable in settings["custom_variables"]:
        if str(variable["id"]).startswith("nest-") and list(variable) != ["id", "name", "description", "default_value"]:
            wrong.append(f"{variable['id']}: fields {list(variable)}")
    return wrong


def _check_entry(entry: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    prompts = {prompt["id"] for prompt in settings["prompts"]}
    stream = {"stdout", "stderr"}
    checks = {
        "fields": list(entry) == ENTRY,
        "commands": set(entry["platform_specific_commands"]) <= {"default", "linux", "darwin", "win32"}
        and all(isinstance(text, str) and text for text in entry["platform_specific_commands"].values())
        and "default" in entry["platform_specific_commands"],
        "shells": entry["shells"] == {"linux": "/bin/bash", "darwin": "/bin/bash", "win32": "PowerShell.exe"},
        "alias": entry["alias"].startswith("nest: "),
        "icon": entry["icon"] is None or entry["icon"].startswith("lucide-"),
        "confirm": entry["confirm_execution"] is False,
        "codes": all(type(code) is int for code in entry["ignore_error_codes"]),
        "stdin": list(entry["input_contents"]) == ["stdin"]
        and isinstance(entry["input_contents"]["stdin"], str | None),
        "handlers": set(entry["output_handlers"]) == stream
        and all(
            set(each) == {"handler", "convert_ansi_code"} and each["handler"] in HANDLERS
            for each in entry["output_handlers"].values()
        ),
        "errors are shown as text": entry["output_handlers"]["stderr"]
        == {"handler": "modal", "convert_ansi_code": False},
        "wrappers": entry["output_wrappers"] == {"stdout": None, "stderr": None},
        "order": entry["output_channel_order"] in ("stdout-first", "stderr-first"),
        "mode": entry["output_handling_mode"] in ("buffered", "realtime"),
        "notification": entry["execution_notification_mode"] in (None, "disabled", "quick", "permanent", "if-long"),
        "events": set(entry["events"]) <= EVENTS and all(e == {"enabled": True} for e in entry["events"].values()),
        "debounce": entry["debounce"] is None,
        "palette": entry["command_palette_availability"] in ("enabled", "unlisted", "disabled"),
        "prompts": all(
            set(each) == {"type", "enabled", "prompt_id"} and each["type"] == "prompt" and each["prompt_id"] in prompts
            for each in entry["preactions"]
        ),
        "defaults": entry["variable_default_values"] == {},
    }
    return [name for name, good in checks.items() if not good]


def _check_prompt(prompt: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    fields = ["id", "title", "description", "preview_shell_command", "fields", "execute_button_text"]
    inner = ["type", "label", "description", "default_value", "target_variable_id", "required"]
    variables = {variable["id"] for variable in settings["custom_variables"]}
    good = list(prompt) == fields and all(
        list(field) == inner and field["type"] == "single-line-text" and field["target_variable_id"] in variables
        for field in prompt["fields"]
    )
    return [] if good else [f"{prompt['id']}: {prompt}"]
