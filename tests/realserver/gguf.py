"""Conversations in, a model file that speaks them word for word out. *Pure*.

A llama of one layer whose attention and feed-forward weights are zero: what goes in comes out. Every piece of a script
is a token of its own, each embedding is one-hot, and the output matrix leads each token to the one after it. So a real
server reads the file, tokenizes, renders the template, samples and streams, and what it says is known beforehand.
**Source:** the GGUF specification, version 3, and llama.cpp's loader for the architecture `llama`.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

Talks = Mapping[str, Sequence[str]]
"""A word that stands in the first message of a user -> what the model says, turn by turn. A last turn that ends with
`AGAIN` never ends."""

AGAIN = "\x00"
LONGEST_WINDOW = 65_536
_ALIGNMENT = 32
_HEAD, _FEED = 32, 32
"""Sizes of the one attention head and of the feed-forward layer; both do nothing."""
_SURE = 100.0
"""Weight of the one next token: certain at any temperature."""
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_UNK, _BOS, _EOS = 0, 1, 2


class Vocabulary(NamedTuple):
    """Tokens, and which leads to which."""

    texts: list[str]
    kinds: list[int]
    successors: dict[int, int]


def draft_model(talks: Talks, words: str = "") -> bytes:
    """A model file. `words` are texts whose words are to be tokens, so that prompts are about as long as elsewhere."""
    vocabulary = _draft_vocabulary(talks, words)
    tensors = _draft_tensors(vocabulary)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts := _draft_facts(talks, vocabulary)))
    head += b"".join(_text(name) + content for name, content in facts.items())
    offset = 0
    for name, (shape, numbers) in tensors.items():
        head += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", 0, offset)  # 0: 32-bit floats
        offset += _padded(4 * len(numbers))
    body = b"".join(_pad(numbers.tobytes()) for _, numbers in tensors.values())
    return _pad(head) + body


def cut(text: str, taken: set[str]) -> list[str]:
    """The text in pieces of which none was taken before; each is taken then.

    Raises ValueError for a text that was taken as a whole.
    """
    pieces: list[str] = []
    piece = ""
    for letter in text:
        piece += letter
        if piece not in taken:
            taken.add(piece)
            pieces.append(piece)
            piece = ""
    while piece and piece in taken:
        if not pieces:
            raise ValueError(f"this was said before: {text!r}")
        piece = pieces.pop() + piece
    taken.add(piece)
    return [*pieces, piece] if piece else pieces


def mark(talk: int, turn: int) -> str:
    """The control token at the end of a prompt that begins this turn."""
    return f"<|say-{talk}-{turn}|>"


def _draft_vocabulary(talks: Talks, words: str) -> Vocabulary:
    texts = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL] + [_BYTE] * 256
    common = dict.fromkeys(_beginnings(words))
    texts += common
    kinds += [_NORMAL] * len(common)
    places = {text: place for place, text in enumerate(texts)}
    taken: set[str] = set()
    successors: dict[int, int] = {}
    for talk, turns in enumerate(talks.values()):
        for turn, said in enumerate(turns):
            chain = [mark(talk, turn), *cut(said.removesuffix(AGAIN).replace(" ", "▁"), taken)]
            for text in chain:
                if text not in places:
                    places[text] = len(texts)
                    texts.append(text)
                    kinds.append(_CONTROL if text == chain[0] else _NORMAL)
            steps = [places[text] for text in chain]
            steps.append(steps[1] if said.endswith(AGAIN) else _EOS)
            successors |= dict(pairwise(steps))
    return Vocabulary(texts, kinds, successors)


def _beginnings(words: str) -> Iterable[str]:
    """Every beginning of every word: the tokenizer joins from the left, two pieces at a time."""
    yield from (chr(letter) for letter in range(33, 127))
    yield "▁"
    for word in sorted(set(re.findall(r" ?[A-Za-z]{2,}", words))):
        spelled = word.replace(" ", "▁")
        yield from (spelled[:end] for end in range(2, len(spelled) + 1))


def _draft_template(talks: Talks) -> str:
    """Each message between its role's name and a line's end, calls in the manner of Hermes, the mark at the end."""
    choices = "".join(
        f"{{% {'if' if number == 0 else 'elif'} {word!r} in first.text %}}<|say-{number}-{{{{ first.turn }}}}|>"
        for number, word in enumerate(talks)
    )
    return (
        "{% set first = namespace(text='', turn=0) %}"
        "{% if tools %}{{ 'tools: ' + tools | tojson + '\\n' }}{% endif %}"
        "{% for message in messages %}"
        "{% if message['role'] == 'user' and not first.text %}{% set first.text = message['content'] %}{% endif %}"
        "{% if message['role'] == 'assistant' %}{% set first.turn = first.turn + 1 %}{% endif %}"
        "{{ message['role'] + ': ' + (message['content'] or '') }}"
        "{% for call in message['tool_calls'] or [] %}"
        "{{ '<tool_call>\\n{\"name\": \"' + call['function']['name'] + '\", \"arguments\": ' }}"
        "{{ call['function']['arguments'] | tojson }}{{ '}\\n</tool_call>' }}"
        "{% endfor %}{{ '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}" + choices + "{% endif %}{% endif %}"
    )


def _draft_facts(talks: Talks, vocabulary: Vocabulary) -> dict[str, bytes]:
    width = _width(vocabulary)
    return {
        "general.architecture": _fact("llama"),
        "general.name": _fact("scripted"),
        "llama.context_length": _fact(LONGEST_WINDOW),
        "llama.embedding_length": _fact(width),
        "llama.block_count": _fact(1),
        "llama.feed_forward_length": _fact(_FEED),
        "llama.attention.head_count": _fact(1),
        "llama.attention.head_count_kv": _fact(1),
        "llama.attention.key_length": _fact(_HEAD),
        "llama.attention.value_length": _fact(_HEAD),
        "llama.rope.dimension_count": _fact(_HEAD),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", 6, 1e-6),
        "tokenizer.ggml.model": _fact("llama"),
        "tokenizer.ggml.tokens": _row(8, [_text(text) for text in vocabulary.texts]),
        "tokenizer.ggml.scores": _row(6, [struct.pack("<f", float(len(text))) for text in vocabulary.texts]),
        "tokenizer.ggml.token_type": _row(5, [struct.pack("<i", kind) for kind in vocabulary.kinds]),
        "tokenizer.ggml.bos_token_id": _fact(_BOS),
        "tokenizer.ggml.eos_token_id": _fact(_EOS),
        "tokenizer.ggml.unknown_token_id": _fact(_UNK),
        "tokenizer.ggml.add_bos_token": _fact(True),
        "tokenizer.ggml.add_space_prefix": _fact(False),
        "tokenizer.chat_template": _fact(_draft_template(talks)),
    }


def _width(vocabulary: Vocabulary) -> int:
    """One dimension for all tokens that lead nowhere, one for each of the others."""
    return -(-(len(vocabulary.successors) + 1) // _ALIGNMENT) * _ALIGNMENT


def _draft_tensors(vocabulary: Vocabulary) -> dict[str, tuple[tuple[int, ...], array[float]]]:
    """Name -> (shape, the fastest dimension first; numbers)."""
    width, count = _width(vocabulary), len(vocabulary.texts)
    embedding, output = _zeros(width * count), _zeros(width * count)
    dimensions = {token: place for place, token in enumerate(vocabulary.successors, 1)}
    for token in range(count):
        embedding[token * width + dimensions.get(token, 0)] = 1.0
    for token, following in vocabulary.successors.items():
        output[following * width + dimensions[token]] = _SURE
    output[_EOS * width] = _SURE
    idle = {
        "attn_q": (width, _HEAD),
        "attn_k": (width, _HEAD),
        "attn_v": (width, _HEAD),
        "attn_output": (_HEAD, width),
        "ffn_gate": (width, _FEED),
        "ffn_up": (width, _FEED),
        "ffn_down": (_FEED, width),
    }
    ones = array("f", [1.0]) * width
    return {
        "token_embd.weight": ((width, count), embedding),
        "output.weight": ((width, count), output),
        "output_norm.weight": ((width,), ones),
        "blk.0.attn_norm.weight": ((width,), ones),
        "blk.0.ffn_norm.weight": ((width,), ones),
        **{f"blk.0.{name}.weight": (shape, _zeros(shape[0] * shape[1])) for name, shape in idle.items()},
    }


def _zeros(count: int) -> array[float]:
    return array("f", bytes(4 * count))


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack("<Q", len(content)) + content


def _fact(value: str | bool | int) -> bytes:
    """A value of the file's head behind the number of its type."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    return struct.pack("<I?", 7, value) if isinstance(value, bool) else struct.pack("<II", 4, value)


def _row(kind: int, values: Sequence[bytes]) -> bytes:
    return struct.pack("<IIQ", 9, kind, len(values)) + b"".join(values)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _pad(content: bytes) -> bytes:
    return content.ljust(_padded(len(content)), b"\0")
