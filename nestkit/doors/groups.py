"""A command group that has a command for when none is named. *Pure*."""

from __future__ import annotations

import click


class DefaultGroup(click.Group):
    """`nest tools` and `nest tools money` both mean `nest tools list ...`."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
