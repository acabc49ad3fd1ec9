"""The sowing calendar: what goes into the ground, and when.

It reads the table in the note "Sowing plan", so the plan is kept in one place.

---
nest:
  permissions: [read]
  confirm: never
  utterances:
    - "what can I sow {place} in {month}"
    - "what can I sow in {month}"
    - "what to sow {place} in {month}"
  examples:
    - call: 'what_to_sow("March", "outdoors")'
      result: "['Broad beans', 'Peas']"
    - call: 'what_to_sow("December")'
      result: "[]"
---
"""

from typing import Literal

from _notebook import vault

Month = Literal[
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]
_MONTHS = list(Month.__args__)


def what_to_sow(month: Month, place: Literal["indoors", "outdoors", "anywhere"] = "anywhere") -> list[str]:
    """
    Plants to sow in a month.

    Parameters
    ----------
    month : str
        English name of the month.
    place : {"indoors", "outdoors", "anywhere"}, optional
        Where the seed goes: on the window sill, into the bed, or either.

    Returns
    -------
    list of str
        Names of the plants, in the order of the plan.

    Examples
    --------
    >>> what_to_sow("March", "outdoors")
    ['Broad beans', 'Peas']
    """
    number = _MONTHS.index(month.capitalize())
    found = []
    for plant, indoors, outdoors in _plan():
        spans = {"indoors": [indoors], "outdoors": [outdoors]}.get(place, [indoors, outdoors])
        if any(number in span for span in spans):
            found.append(plant)
    return found


def _plan():
    """Plant, months indoors and months outdoors of each row of the table."""
    text = (vault() / "01_Notes" / "Garden" / "Sowing plan.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| ")]
    for plant, indoors, outdoors in rows[2:]:
        yield plant.strip(), _span(indoors), _span(outdoors)


def _span(cell):
    """The months of "March", "March to May" or an empty cell, as a range of numbers from 0."""
    ends = [_MONTHS.index(name.strip()) for name in cell.split(" to ") if name.strip()]
    return range(ends[0], ends[-1] + 1) if ends else range(0)
