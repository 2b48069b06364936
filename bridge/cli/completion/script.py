"""Scripts that complete commands in a shell, made from the description of the command line.

They ask nobody while somebody types: names of rooms and servers are read off the configuration
file by ``sed``, everything else is in the script.
"""

import shlex

from ...config.sources import FILE_VARIABLE, USUAL_FILES
from ..description import Description
from .bash import bash_script
from .fish import fish_script
from .zsh import zsh_script

__all__ = ["completion_script"]


def completion_script(description: Description, shell: str) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``. Raises `KeyError` for any other."""
    script = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[shell]
    return script(description, FILE_VARIABLE, " ".join(map(shlex.quote, map(str, USUAL_FILES))))
