"""Units that a weather station needs.

---
nest:
  permissions: [read]
  confirm: never
  utterances:
    - "convert {amount} {source} to {target}"
    - "how much is {amount} {source} in {target}"
  examples:
    - call: 'convert(68, "fahrenheit", "celsius")'
      result: "20.0"
    - call: 'convert(1, "inch", "mm")'
      result: "25.4"
---
"""

from typing import Literal

Unit = Literal["celsius", "fahrenheit", "mm", "inch", "km/h", "m/s"]

# unit -> (quantity, factor, offset): value * factor + offset gives degrees Celsius, millimetres or metres a second
_UNITS = {
    "celsius": ("temperature", 1.0, 0.0),
    "fahrenheit": ("temperature", 5 / 9, -160 / 9),
    "mm": ("length", 1.0, 0.0),
    "inch": ("length", 25.4, 0.0),
    "km/h": ("speed", 1 / 3.6, 0.0),
    "m/s": ("speed", 1.0, 0.0),
}


def convert(amount: float, source: Unit, target: Unit) -> float:
    """Convert a measurement from one unit to another.

    :param amount: The number to convert.
    :param source: Unit of the number.
    :param target: Unit wanted.
    :returns: The converted number, rounded to two places.
    :raises KeyError: If a unit is unknown.
    :raises ValueError: If the units measure different things.
    """
    kind, factor, offset = _UNITS[source]
    wanted, step, start = _UNITS[target]
    if kind != wanted:
        raise ValueError(f"{source} measures {kind}, {target} measures {wanted}")
    return round((amount * factor + offset - start) / step, 2) + 0.0  # + 0.0 turns -0.0 into 0.0
