"""Obsidian's command palette: what nest puts into the settings of the Shell commands plugin, and takes out again."""
