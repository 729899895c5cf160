# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work against a simulated Integration Server, and ends with a short account.

Run by "make demo". The exit status is 0 only when everything was as it is claimed. Nothing is left behind: no file, no
process, also after Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

from fleet import show_fleet
from stage import NotAsClaimed, Stage, open_stage
from svms import show_svms
from tenants import show_tenants

_PARTS: tuple[Callable[[Stage], None], ...] = (show_tenants, show_fleet, show_svms)


def main() -> int:
    """Run every part and return the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    try:
        with open_stage() as stage:
            for show in _PARTS:
                show(stage)
            stage.headline("What was done")
            stage.say(*(f"  - {line}" for line in stage.account))
    except NotAsClaimed as problem:
        print(f"\nThe demonstration failed: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    print(
        f"\nIt took {time.monotonic() - started:.0f} seconds. The simulated server is stopped, its files are removed."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
