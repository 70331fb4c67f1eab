# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What any user of the machine can read of the programs that a call starts:
their command lines. Part of the contract of drivers, see ``testing``.
"""

import contextlib
import glob
import os
import pathlib
import threading
from collections.abc import Callable

_PAUSE = 0.002  # seconds between two looks


def command_lines_during(call: Callable[[], object]) -> set[str]:
    """The command lines of all programs that ``call`` starts, and those
    start, their arguments separated by NUL.

    What others run on the machine meanwhile is not meant. A program that
    lives for less than a look takes (some 10 ms) may be missed.
    """
    thread = threading.Thread(target=call)
    thread.start()
    lines: set[str] = set()
    sessions: set[int] = set()
    while thread.is_alive():
        for pid in _family(sessions):
            with contextlib.suppress(OSError):  # it has ended
                path = pathlib.Path(f"/proc/{pid}/cmdline")
                lines.add(path.read_text(errors="replace"))
        thread.join(_PAUSE)
    return lines


def _family(sessions: set[int]) -> set[int]:
    """This process and all below it.

    :param sessions: those that they have begun, to which is added: one whose
        parent has ended is known by its session.
    """
    own = os.getpid()
    found = {own}
    others = dict(_processes())
    ours = others.pop(own, (0, 0))[1]
    grown = True
    while grown:
        born = {
            pid
            for pid, (parent, session) in others.items()
            if parent in found or session in sessions
        }
        sessions |= {others.pop(pid)[1] for pid in born} - {ours}
        found |= born
        grown = bool(born)
    return found


def _processes() -> dict[int, tuple[int, int]]:
    """Parent and session of every process of the machine."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = pathlib.Path(path).read_text(errors="replace")
            # The name, in parentheses, may hold anything.
            pid, rest = text.partition(" ")[0], text.rpartition(")")[2]
            _, parent, _, session, *_ = rest.split()
            found[int(pid)] = int(parent), int(session)
    return found
