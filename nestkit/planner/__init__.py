"""The built-in planner: an ask and what the vault knows in, a reading and a program out, or a refusal. *Pure*.

- `plan` is the way in. `words` cuts the ask into tokens; `language` holds the word lists of `english.toml`.
- `terms` finds the vault's own words in them, `dates` the days; `setting` is both with the clock.
- `patterns` fits the forms of `grammar.toml`, whose smallest pieces are in `parts` and `naming`; `grammar` walks from
  these to whole readings.
- `conditions`, `joining` and `questions` say what a form means, as a `query`.
- `reading` and `program` (with `narrowing` and `draft`) say the same query twice: for people and for Python.
- `utterances` and `tools` (with `mentions`) do the same for one call of a tool. `refuse` finds the words left over.
"""
