"""A script with a syntax error, to show that it harms nobody but itself."""


def half_a_thought(:
    return "the bracket above should be closed"
