from . import near
from ..upper import up
def more(): return near.x + up()
