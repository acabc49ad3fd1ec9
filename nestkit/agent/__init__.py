"""Who writes the program: an ask and two functions in, steps and an end out. Files are imported by name, so that a
command that needs no model loads none of them. *Pure*.

- `loop` the whole story in one generator; `reply` what a model's reply holds; `prompt` what a model is told;
  `quote` untrusted text made harmless; `budget` what fits in the window.
- `ollama` is the one file that knows a server. A second server is one more file with a function of type `Chat`.
"""
