from lib.deep.more import more
import lib.upper
def total() -> int:
    "Sum."
    return more() + lib.upper.up()
