"""The vocabulary of the made-up vaults: common words first, then ever rarer ones. *Pure*."""

from __future__ import annotations

from random import Random

_COMMON = """
the of and to in a is that for it as was with be by on not he this are or his from at which but have an had they you
were their one all we can her has there been if more when will would who so no out up into than them only some could
time these two may then do first any my now such like our over man me even most made after also did many before must
through back years where much your way well down should because each just those people how too little state good very
make world still own see men work long get here between both life being under never day same another know while last
might us great old year off come since against go came right used take three
"""

_RARER = """
lantern harbour meadow orchard copper violin ledger compass willow granite kettle saddle thimble quarry beacon marsh
tunnel anchor barley candle cradle ember fabric glacier hammer island jacket kernel ladder marble needle oyster pepper
quiver ribbon silver timber umbrella valley walnut yarrow zenith arch bridge cellar dome engine ferry garden hedge inlet
café naïve façade über señor smörgås résumé jalapeño
"""

_SYLLABLES = tuple(a + b for a in "bdfghklmnprst" for b in "aeio")


def _made_up(count: int) -> list[str]:
    """Words that no dictionary has, each once: the long tail that a full-text index must carry."""
    random = Random("words")
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choices(_SYLLABLES, k=random.randrange(3, 6)))] = None
    return list(found)


COMMON = tuple(_COMMON.split())
WORDS = tuple(_RARER.split())
"""Fit for titles and for questions: neither in every note nor in just one."""

ALL = (*COMMON, *WORDS, *_made_up(20_000))

_CJK = """
研究 計画 会議 資料 天気 散歩 図書館 料理 音楽 山 川 海 東京 京都 今日 明日 毎日 重要 完了 予定
"""

CJK = tuple(_CJK.split())


def sentence(random: Random) -> str:
    """Words by Zipf's law: the word of rank r is about as likely as 1/r."""
    span = len(ALL)
    chosen = [ALL[int(span ** random.random()) - 1] for _ in range(random.randrange(6, 18))]
    return " ".join(chosen).capitalize() + "."


def cjk_sentence(random: Random) -> str:
    """Words without blanks between them, which a search must find all the same."""
    return "".join(random.choices(CJK, k=random.randrange(6, 14))) + "。"
