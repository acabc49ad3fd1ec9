"""nestkit: a vault of notes as a codebase. Names handed on; nothing runs at import. *Pure*."""

__version__ = "0.1.0"
