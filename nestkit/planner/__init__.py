"""The built-in planner: an ask and what the vault knows in, a reading and a program out, or a refusal. *Pure*.

- `words` cuts the ask into tokens; `language` holds the word lists of `english.toml`.
- `terms` finds the vault's own words in them, `dates` the days; `patterns` matches the forms of `grammar.toml`.
- `conditions` and `questions` turn a matched form into a `query`; `grammar` walks from one to the other.
- `reading` and `program` (with `tests`) say the same query twice: for people and for Python.
- `tools` does the same for one call of a tool: `slots` are the values it takes, `utterances` its author's own forms.
- `plan` is the way in; `refuse` finds the words nobody explained.
"""
