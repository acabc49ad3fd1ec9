"""Calls as programs write them: bound to a tool's own names, checked, and refused with what is needed to mend them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.sandbox.arguments import BadArguments, bind
from nestkit.sandbox.values import Misfit, fit
from nestkit.tool import Parameter, Tool

CURRENCY = {"type": "string", "enum": ["EUR", "USD", "GBP"]}
CONVERT = Tool(
    "fx.convert",
    "02_System/fx.py",
    "function",
    "convert",
    (
        Parameter("amount", "float", {"type": "number"}),
        Parameter("source", "Currency", CURRENCY),
        Parameter("target", "Currency", CURRENCY, required=False, default="'EUR'"),
    ),
    "float",
)
SIGNATURE = "fx.convert(amount: float, source: 'EUR'|'USD'|'GBP', target: 'EUR'|'USD'|'GBP' = 'EUR') -> float"


def tool(*parameters: Parameter, manner: Any = "function") -> Tool:
    return Tool("demo.f", "demo.py", manner, "f", parameters)


def refused(target: Tool, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(BadArguments) as caught:
        bind(target, args, kwargs)
    assert isinstance(caught.value, TypeError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("args", "kwargs", "bound"),
    [
        ((250, "GBP"), {}, {"amount": 250, "source": "GBP"}),
        ((250,), {"source": "GBP", "target": "USD"}, {"amount": 250, "source": "GBP", "target": "USD"}),
        ((), {"target": "USD", "amount": 1.5, "source": "EUR"}, {"amount": 1.5, "source": "EUR", "target": "USD"}),
        (("250",), {"source": "gbp"}, {"amount": 250, "source": "GBP"}),
    ],
)
def test_arguments_come_out_by_name(args: tuple[Any, ...], kwargs: Mapping[str, Any], bound: Mapping[str, Any]) -> None:
    assert bind(CONVERT, args, kwargs) == bound


def test_an_unknown_name_is_told_with_all_real_ones() -> None:
    assert refused(CONVERT, 250, from_currency="GBP") == (
        f"convert() has no parameter 'from_currency'; it takes amount, source, target: {SIGNATURE}"
    )
    assert refused(CONVERT, 250, from_currency="GBP", to_currency="EUR").startswith(
        "convert() has no parameters 'from_currency' and 'to_currency'; it takes amount, source, target: "
    )


def test_a_misspelt_name_is_told_with_the_nearest() -> None:
    assert "no parameter 'sorce'; did you mean 'source'?" in refused(CONVERT, 250, sorce="GBP")


def test_every_missing_parameter_is_named() -> None:
    assert refused(CONVERT) == f"convert() is missing 'amount' and 'source': {SIGNATURE}"
    assert refused(CONVERT, source="EUR") == f"convert() is missing 'amount': {SIGNATURE}"


def test_a_value_that_is_no_choice_is_told_with_the_choices() -> None:
    message = refused(CONVERT, 100, "JPY")
    assert message == f"convert(): source should be one of 'EUR', 'USD', 'GBP', not 'JPY': {SIGNATURE}"
    assert "(did you mean 'USD'?)" in refused(CONVERT, 100, "US")


def test_too_many_values_and_two_for_one_are_told() -> None:
    assert "takes 3 values without a name, not 4" in refused(CONVERT, 1, "EUR", "EUR", "EUR")
    assert "is given two values for 'amount'" in refused(CONVERT, 1, "EUR", amount=2)
    keyword = tool(Parameter("a"), Parameter("b", kind="keyword"))
    assert "takes 1 values without a name, not 2; give 'b' by name" in refused(keyword, 1, 2)


def test_a_tool_without_parameters_says_so() -> None:
    assert "it takes no arguments: demo.f()" in refused(tool(), x=1)


def test_a_name_that_python_keeps_for_itself_is_found() -> None:
    target = tool(Parameter("from_"), Parameter("no_color", required=False))
    assert bind(target, (), {"from": 1, "no-color": 2}) == {"from_": 1, "no_color": 2}


REST = Parameter("rest", "int", {"type": "array", "items": {"type": "integer"}}, required=False, kind="rest")
OPTIONS = Parameter("more", "", {"type": "object"}, required=False, kind="options")
EITHER = Parameter("a"), Parameter("b", required=False, default="1")


@pytest.mark.parametrize(
    ("parameters", "args", "kwargs", "bound"),
    [
        ((Parameter("a", kind="positional"),), (), {"a": 1}, {"a": 1}),
        ((*EITHER, REST), (1, 2, 3, "4"), {}, {"a": 1, "b": 2, "rest": [3, 4]}),
        ((*EITHER, REST), (1,), {"b": 2}, {"a": 1, "b": 2}),
        ((*EITHER, REST), (1, 2), {"rest": [3]}, {"a": 1, "b": 2, "rest": [3]}),
        ((*EITHER, REST), (), {"a": 1, "b": 2, "rest": 3}, {"a": 1, "b": 2, "rest": [3]}),
        ((*EITHER, OPTIONS), (1,), {"c": 3}, {"a": 1, "more": {"c": 3}}),
        ((OPTIONS,), (), {"more": 1}, {"more": {"more": 1}}),
        ((REST, Parameter("k", kind="keyword")), (1,), {"k": 2}, {"rest": [1], "k": 2}),
    ],
)
def test_what_stars_collect_comes_out_under_their_names(
    parameters: tuple[Parameter, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any], bound: Mapping[str, Any]
) -> None:
    assert bind(tool(*parameters), args, kwargs) == bound


def test_what_stands_before_rest_cannot_be_left_out() -> None:
    assert "can only be given 'rest' together with 'b'" in refused(tool(*EITHER, REST), a=1, rest=[2])


def test_options_do_not_reach_a_private_parameter() -> None:
    assert "no parameter '_vault'" in refused(tool(OPTIONS), _vault=1)
    assert "no parameter '_vault'" in refused(CONVERT, 1, "EUR", _vault=1)


def test_a_programs_words_may_be_given_one_by_one_or_as_a_list() -> None:
    words = Parameter("args", "str", {"type": "array", "items": {"type": "string"}}, required=False, kind="rest")
    standup = Tool("standup", "standup.py", "program", parameters=(words,))
    assert bind(standup, (), {"args": ["2026-03-12"]}) == {"args": ["2026-03-12"]}
    assert bind(standup, ("2026-03-12", 3), {}) == {"args": ["2026-03-12", "3"]}
    assert bind(standup, (), {"args": "2026-03-12"}) == {"args": ["2026-03-12"]}
    assert bind(standup, (), {}) == {}


def test_values_of_a_command_line_that_takes_many_may_be_given_one_by_one() -> None:
    files = Parameter("files", "list[str]", {"type": "array", "items": {"type": "string"}}, nargs="+")
    count = tool(files, Parameter("verbose", required=False, flags=("--verbose",), nargs="flag"), manner="argparse")
    assert bind(count, ("a", "b"), {}) == {"files": ["a", "b"]}
    assert bind(count, (["a", "b"],), {"verbose": True}) == {"files": ["a", "b"], "verbose": True}


STRING, INTEGER, NUMBER, BOOLEAN, NULL = ({"type": k} for k in ("string", "integer", "number", "boolean", "null"))
DATE = {"type": "string", "format": "date"}
STRINGS = {"type": "array", "items": STRING}


@pytest.mark.parametrize(
    ("schema", "value", "fitted"),
    [
        ({}, object, object),
        (STRING, "a", "a"),
        (STRING, 3, "3"),
        (STRING, 1.5, "1.5"),
        (STRING, date(2026, 3, 18), "2026-03-18"),
        (DATE, "2026-03-18", "2026-03-18"),
        (DATE, date(2026, 3, 18), date(2026, 3, 18)),
        (DATE, "2026-03-18T09:00", "2026-03-18T09:00"),
        ({"type": "string", "format": "date-time"}, datetime(2026, 3, 18, 9), datetime(2026, 3, 18, 9)),
        ({"type": "string", "format": "date-time"}, "2026-03-18", "2026-03-18"),
        ({"type": "string", "format": "time"}, "09:00", "09:00"),
        (INTEGER, 3, 3),
        (INTEGER, "3", 3),
        (INTEGER, 3.0, 3),
        (NUMBER, 3, 3),
        (NUMBER, 1.5, 1.5),
        (NUMBER, "250", 250),
        (NUMBER, "-2.5e3", -2500.0),
        (NUMBER, Decimal("1.5"), 1.5),
        ({"type": "number", "format": "decimal"}, "0.10", "0.10"),
        ({"type": "number", "format": "decimal"}, Decimal("0.10"), Decimal("0.10")),
        (BOOLEAN, True, True),
        (BOOLEAN, "false", False),
        (BOOLEAN, "Yes", True),
        (BOOLEAN, 0, False),
        (NULL, None, None),
        (NULL, "none", None),
        (STRINGS, ["a"], ["a"]),
        (STRINGS, ("a", 1), ["a", "1"]),
        (STRINGS, "a", ["a"]),
        (STRINGS, "a,b", ["a,b"]),
        (STRINGS, '["a", "b"]', ["a", "b"]),
        (STRINGS, "[a", ["[a"]),
        (STRINGS, {"a"}, ["a"]),
        ({"type": "array", "items": {"type": "object"}}, {"a": 1}, [{"a": 1}]),
        ({"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2}, ["1", 2], [1, "2"]),
        ({"type": "object", "additionalProperties": INTEGER}, {"a": "1"}, {"a": 1}),
        (
            {"type": "object", "properties": {"a": DATE}, "required": ["a"]},
            {"a": "2026-01-02"},
            {"a": "2026-01-02"},
        ),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"enum": [1, 2]}, "2", 2),
        ({"enum": ["a", None]}, None, None),
        (CURRENCY, "eur", "EUR"),
        ({"enum": ["a", "A"]}, "A", "A"),
        ({"anyOf": [INTEGER, STRING]}, "3", "3"),
        ({"anyOf": [INTEGER, NULL]}, "3", 3),
        ({"anyOf": [INTEGER, NULL]}, "none", None),
        ({"anyOf": [STRING, NULL]}, "none", "none"),
        ({"anyOf": [STRINGS, NULL]}, "a", ["a"]),
        ({"anyOf": [STRINGS, NULL]}, None, None),
        ({"type": "integer", "minimum": 1}, "1", 1),
    ],
)
def test_a_value_is_turned_into_what_the_tool_wants(schema: Mapping[str, Any], value: Any, fitted: Any) -> None:
    found = fit(value, schema)
    assert found == fitted
    assert type(found) is type(fitted)


@pytest.mark.parametrize(
    ("schema", "value", "wanted"),
    [
        (STRING, None, "text"),
        (STRING, ["a"], "text"),
        (STRING, True, "text"),
        (DATE, "tomorrow", "a date like 2026-03-18"),
        (DATE, 20260318, "a date like 2026-03-18"),
        ({"type": "string", "format": "time"}, "late", "a time like 09:00"),
        (INTEGER, True, "a whole number"),
        (INTEGER, 1.5, "a whole number"),
        (INTEGER, "1.5", "a whole number"),
        (INTEGER, math.inf, "a whole number"),
        (INTEGER, "9" * 5000, "a whole number"),
        (NUMBER, "many", "a number"),
        (NUMBER, "nan", "a number"),
        (NUMBER, "1e999999", "a number"),
        (NUMBER, True, "a number"),
        (NUMBER, None, "a number"),
        (BOOLEAN, "perhaps", "True or False"),
        (BOOLEAN, 2, "True or False"),
        (STRINGS, None, "a list of text each"),
        (STRINGS, {"a": 1}, "a list of text each"),
        (STRINGS, [["a"]], "text"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, ["a"], "a list of 2, here 1"),
        ({"type": "array", "minItems": 1}, [], "a list of at least 1, here 0"),
        ({"type": "object"}, "a", "a mapping"),
        ({"type": "object", "required": ["a"]}, {}, "a mapping with 'a'"),
        ({"enum": [1, 2]}, True, "one of 1, 2"),
        ({"enum": ["a", "A"]}, "b", "one of 'a', 'A'"),
        ({"enum": list(range(40))}, 99, "... (40 in all)"),
        ({"anyOf": [INTEGER, NULL]}, "x", "a whole number or None"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, 6, "a whole number from 1 to 5"),
        ({"type": "integer", "minimum": 1}, 0, "a whole number from 1 up"),
        ({"type": "integer"}, Decimal("1E+999999999"), "a whole number"),
        ({"type": "integer"}, Decimal("NaN"), "a whole number"),
    ],
)
def test_a_value_of_another_kind_is_told_with_what_was_wanted(
    schema: Mapping[str, Any], value: Any, wanted: str
) -> None:
    with pytest.raises(Misfit) as caught:
        fit(value, schema)
    assert wanted in str(caught.value)


def test_a_long_value_is_shortened_in_the_message() -> None:
    target = tool(Parameter("x", "int", INTEGER))
    assert len(refused(target, "long " * 1000)) < 200
    assert "not a huge int" in refused(tool(Parameter("x", "str", {"enum": ["a"]})), 10**5000)
    assert "not a huge int" in refused(tool(Parameter("x", "str", STRING)), 10**5000)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.sampled_from(
        [{}, STRING, INTEGER, NUMBER, BOOLEAN, NULL, DATE, CURRENCY, {"type": "object"}, {"enum": [1, None]}]
    ),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda each: {"type": "object", "additionalProperties": each}, inner)
    ),
    max_leaves=4,
)


@given(SCHEMAS, VALUES)
def test_a_value_that_fits_once_fits_again_unchanged(schema: Mapping[str, Any], value: Any) -> None:
    try:
        once = fit(value, schema)
    except Misfit:
        return
    assert repr(fit(once, schema)) == repr(once)


@given(st.lists(VALUES, max_size=5), st.dictionaries(st.text(max_size=8) | st.just("amount"), VALUES, max_size=3))
def test_no_call_ends_in_anything_but_arguments_or_their_refusal(args: list[Any], kwargs: dict[str, Any]) -> None:
    for target in (CONVERT, tool(*EITHER, REST, OPTIONS)):
        try:
            bound = bind(target, args, kwargs)
        except BadArguments as refusal:
            assert target.signature in str(refusal)
        else:
            assert bound.keys() <= {parameter.name for parameter in target.parameters}
