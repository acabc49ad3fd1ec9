"""A question asked of a model that says what a test tells it to."""

from __future__ import annotations

from datetime import datetime

import pytest

from nestkit.hall.walk import Company
from nestkit.nest import Nest
from nestkit.policy import Contract, Leave
from nestkit.run import Ask, Run
from nestkit.testing import OllamaServer

TIME = datetime.fromisoformat("2026-03-18T09:00:00").astimezone()


def ask_model(nest: Nest, *programs: str, contract: Contract = "brokered", yes: bool = False) -> Run:
    """What comes of these replies of a model, with nobody at the terminal."""
    turns = [{"role": "assistant", "content": f"```python\n{program}\n```"} for program in programs]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        ask = Ask("do it", TIME, model="ollama/scripted", contract=contract, leave=Leave(yes=yes))
        return nest.answer(ask, Company())
