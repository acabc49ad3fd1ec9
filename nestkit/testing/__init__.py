"""For tests of tools and of nestkit itself: names handed on. *Pure*.

`OllamaServer` is a real HTTP server that plays a script in Ollama's protocol, `ScriptedChat` the same without a server,
`make_vault` a vault from a dict.
"""

from nestkit.testing.chat import ScriptedChat
from nestkit.testing.prompt import count_prompt, count_tokens, truncate
from nestkit.testing.server import OllamaServer
from nestkit.testing.vaults import make_vault

__all__ = ["OllamaServer", "ScriptedChat", "count_prompt", "count_tokens", "make_vault", "truncate"]
