"""A helper of nest's own, shut in, by path: what it may touch in, the helper in this process' place out. *Process*.

Run as `python -I -S boxed.py`, its wish being JSON on stdin, where nobody else reads it: folders to `read`, `run` and
`write`, the TCP `ports` it may connect to, and the `argv` and `environment` to become. It sees no vault, no home folder
and no setting of the person. Where Landlock does not hold it back, nothing is started. Standard library only.
"""

import json
import os
import resource
import sys

package = type(sys)("_nest")
package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
sys.modules["_nest"] = package

_CEILINGS = ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 4 << 30), (resource.RLIMIT_CPU, 600))


def main(wish: dict) -> None:  # type: ignore[type-arg]
    """Give up all that is not wished for, then become the helper."""
    import importlib

    landlock = importlib.import_module("_nest.landlock")
    version = landlock.find_version()
    if not version:
        sys.exit("this kernel has no Landlock to hold it back")
    rules = landlock.open_rules(version)
    powers = {"read": landlock.READ, "run": landlock.READ | landlock.EXECUTE, "write": landlock.WRITE | landlock.LINK}
    for kind, power in powers.items():
        landlock.allow(rules, version, [(os.path.realpath(file), power) for file in wish[kind]])
    if version >= 4:
        landlock.allow_ports(rules, wish["ports"])
    for ceiling, most in _CEILINGS:
        top = resource.getrlimit(ceiling)[1]
        most = most if top == resource.RLIM_INFINITY else min(most, top)
        resource.setrlimit(ceiling, (most, most))
    os.chdir(wish["write"][0])
    landlock.restrict(rules)
    os.execve(wish["argv"][0], wish["argv"], wish["environment"])


if __name__ == "__main__":
    main(json.load(sys.stdin))
