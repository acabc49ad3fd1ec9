"""Where a process of the children's starts, by path: the name of a file beside this one in, its `main` run. *Process*.

Without a name it is the parent of all children, with its socket at descriptor 3; the others talk over stdin and stdout.
Run as `python -P -s -S start.py` with nothing in the environment but `PYTHONHASHSEED`: sets then come in the same
order in every run, which isolated mode (`-I`) would not let us ask for and otherwise equals. The files beside it
become a package of a private name, so that nothing of nestkit is loaded and no vault's script is mistaken for them.
"""

import importlib
import os
import sys

package = type(sys)("_nest")
package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
sys.modules["_nest"] = package

if __name__ == "__main__":
    os.closerange(4, 1 << 20)
    os.environ.clear()
    importlib.import_module(f"_nest.{(sys.argv[1:] or ['zygote'])[0]}").main()
