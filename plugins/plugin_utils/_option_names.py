# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the variables of a role in the messages of the modules that the role runs.

The user of a role knows its variables, such as ``tenant_onboarding_reregister``, and not the options of its modules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_THIS_KIND_ALONE = ("concurrency", "dest", "purge", "reregister")
"""Options that are one word, and that messages use for nothing else."""
_AS_OPTION = r"(?= is | must |\[|: |, complete or simple)"
"""How a message goes on behind a word that is an option, where the word could be any."""
_ANOTHER_MODULE = re.compile(r"(ksvla_\w+ with .*?(?:\.(?=\s|$)|$))")
"""The rest of a sentence that says how another module is called: these options are not those of the role."""


def named_for_role(message: str, role: str, variables: Iterable[str]) -> str:
    """Return a message with the names of options replaced by those of the role's variables.

    :param variables: The documented variables of the role. The variable of an option begins with the name of the role and
        ends with the option.
    """
    options = {name.removeprefix(f"{role}_"): name for name in variables if name.startswith(f"{role}_")}
    options |= {option.rpartition("_")[2]: name for option, name in options.items() if option.endswith("_dest")}
    certain = [option for option in options if "_" in option or option in _OF_THIS_KIND_ALONE]
    doubtful = [option for option in options if option not in certain]
    patterns = [rf"(?:{_any(certain)})(?![\w-])"] if certain else []
    patterns += [rf"(?:{_any(doubtful)}){_AS_OPTION}"] if doubtful else []
    if not patterns:
        return message
    found = re.compile(rf"(?<![\w.'/-])(?:its )?(?P<option>{'|'.join(patterns)})")
    parts = _ANOTHER_MODULE.split(message)
    parts[::2] = [found.sub(lambda match: options[match["option"]], part) for part in parts[::2]]
    named = "".join(parts)
    return re.sub(rf"\b([Aa])n (?={role}_)", r"\1 ", named) if role[0] not in "aeiou" else named


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
