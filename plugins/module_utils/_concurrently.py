# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing one thing for many items, several at a time, without using memory for each item that still waits."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Callable, Optional, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LOOK_SECONDS = 0.5
MOST_WORKERS = 64


def for_each(
    function: Callable[[T], R],
    items: Iterable[T],
    workers: int,
    on_progress: Optional[Callable[[int], None]] = None,
) -> list[R]:
    """Call the function for every item and return its results in the order of the items.

    An exception ends the work on further items and is raised. When the caller is interrupted, as by the timeout of an
    Ansible task, nothing more is started either.

    :param workers: How many calls run at once, at most 64.
    :param on_progress: Called now and then with the number of items that are done.
    """
    source: Iterator[tuple[int, T]] = iter(enumerate(items))
    lock = threading.Lock()
    stop = threading.Event()
    results: dict[int, R] = {}

    def work() -> None:
        while not stop.is_set():
            with lock:
                following = next(source, None)
            if following is None:
                return
            try:
                results[following[0]] = function(following[1])
            except BaseException:
                stop.set()
                raise

    workers = max(1, min(workers, MOST_WORKERS))
    executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ksvla")
    try:
        futures = [executor.submit(work) for _worker in range(workers)]
        pending = set(futures)
        while pending:
            _done, pending = wait(pending, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
            if on_progress is not None:
                on_progress(len(results))
        for future in futures:
            future.result()
    finally:
        stop.set()
        executor.shutdown(wait=False)
    return [results[index] for index in sorted(results)]
