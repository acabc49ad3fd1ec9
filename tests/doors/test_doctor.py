"""`nest doctor` tries a model for real: its programs run, and the verdict says what to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand

from nestkit.testing import OllamaServer


def turn(program: str, when: str = "") -> dict[str, Any]:
    return {"role": "assistant", "content": f"```python\n{program}\n```", **({"when": when} if when else {})}


GOOD = [
    turn("final_answer(1234 * 5678)", "1234"),
    turn("final_answer(round(convert(stock('lamp') * price('lamp'), 'EUR', 'USD')))", "stock of lamps"),
    turn("final_answer(weigh('lamp'))", "one lamp weigh"),
    turn("final_answer(f\"{weigh('A-17')} kg\")", "A-17"),
]


def doctor(nest: NestCommand, server: OllamaServer, *words: str) -> tuple[list[dict[str, Any]], str]:
    done = nest("doctor", "--json", *words, env={"OLLAMA_HOST": server.url})
    found = [finding for finding in json.loads(done.stdout) if finding["what"] in ("models", "model")]
    return found, done.stderr


def test_a_good_model_is_called_good_with_window_and_speed(nest: NestCommand) -> None:
    with OllamaServer(GOOD, models=["fine:7b"]) as server:
        (models, model), progress = doctor(nest, server)
        server.check()
    assert "fine:7b" in models["finding"]
    assert (model["good"], model["hint"]) == (True, "")
    assert "ollama/fine:7b: good, 3 of 3 tasks; window 8192 of 131072" in model["finding"]
    assert "tokens a second" in model["finding"]
    assert "trying ollama/fine:7b: two tools composed" in progress


def test_a_model_that_talks_instead_of_writing_programs_is_told_apart(nest: NestCommand) -> None:
    talk = [{"role": "assistant", "content": f"It is {n}, I think."} for n in range(12)]
    with OllamaServer(talk) as server:
        (_, model), _ = doctor(nest, server)
    assert not model["good"]
    assert "not usable here, 0 of 3" in model["finding"]
    assert "--style json" in model["hint"]


def test_a_model_that_invents_is_caught(nest: NestCommand) -> None:
    invented = [GOOD[0], turn("final_answer(5000)", "stock of lamps"), *GOOD[2:]]
    with OllamaServer(invented) as server:
        (_, model), _ = doctor(nest, server)
    assert not model["good"]
    assert "of limited use, 2 of 3 tasks (two tools composed: it answered '5000')" in model["finding"]


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([{"role": "error", "status": 500, "body": {"error": "out of memory"}}] * 2, "out of memory"),
        ([{"role": "stream", "chunks": ["Hm"], "then": "close"}], "broke off"),
    ],
)
def test_a_model_that_fails_is_given_up_after_the_first_task(
    nest: NestCommand, turns: list[dict[str, Any]], said: str
) -> None:
    with OllamaServer(turns) as server:
        (_, model), progress = doctor(nest, server)
    assert said in model["finding"]
    assert progress.count("trying") == 1


def test_a_small_window_comes_with_what_to_set(nest: NestCommand, tmp_path: Path) -> None:
    config = tmp_path / "user/config"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[ask]\ntokens = 4096\n")
    with OllamaServer(GOOD) as server:
        (_, model), _ = doctor(nest, server)
    assert model["good"]
    assert "[ask] tokens = 16384" in model["hint"]


def test_every_model_is_tried_only_when_asked_for_and_none_when_not(nest: NestCommand) -> None:
    with OllamaServer([*GOOD, *GOOD], models=["a", "b"]) as server:
        found, _ = doctor(nest, server, "--all-models")
        assert [finding["finding"].split(":latest:")[0] for finding in found[1:]] == ["ollama/a", "ollama/b"]
        assert all(finding["good"] for finding in found[1:])
    with OllamaServer(GOOD) as server:
        assert len(doctor(nest, server, "--quick")[0]) == 1
        assert server.requests == []


def test_the_planner_alone_needs_no_trying(nest: NestCommand, tmp_path: Path) -> None:
    config = tmp_path / "user/config"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[ask]\nmodel = "builtin"\n')
    with OllamaServer(GOOD) as server:
        doctor(nest, server)
        assert server.requests == []
