def packing_list(destination: str, nights: int, season: str = "summer") -> list[str]:
    return []


def mileage(year: int) -> float:
    """Kilometres driven for work, as the tax office wants them."""
    return 0.0
