"""Scripts that complete commands in a shell, made from the description of the command line.

They ask nobody while somebody types: rooms, servers and topics are read off the configuration file
by ``awk``, everything else is in the script.
"""

import shlex

from ...config.sources import FILE_VARIABLE, USUAL_FILES
from ...interface.request_rows import REQUEST_ROWS
from ...mqtt.catalogue import ROWS, Direction
from ..description import Description
from .bash import bash_script
from .fish import fish_script
from .values import names_program
from .zsh import zsh_script

__all__ = ["completion_script"]


def completion_script(description: Description, shell: str) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``. Raises `KeyError` for any other."""
    script = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[shell]
    files = " ".join(map(shlex.quote, map(str, USUAL_FILES)))
    rows = [*ROWS, *REQUEST_ROWS]
    paths = [row.path for row in rows if row.direction is Direction.PUBLISH]
    return script(description, FILE_VARIABLE, files, names_program(paths))
