"""Recipes in Kitchen/."""


def scale(recipe: str, servings: int) -> str:
    """Ingredients for another number of guests."""
    return ""


def shopping_list(recipes: list[str]) -> list[str]:
    """What has to be bought for these dishes, amounts added up by ingredient."""
    return []


def by_ingredient(ingredient: str) -> list[str]:
    # dishes that use up what is in the fridge
    return []
