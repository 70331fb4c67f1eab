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
"""An end that is asked for from outside: cleaned up after, once."""

import signal

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """SIGTERM, SIGINT or SIGHUP."""


def catch() -> None:
    """Have the main thread raise :class:`Interrupted` at the first signal.

    The next one must not cut the cleaning up short: it is not heard.
    """
    for number in _NUMBERS:
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    for each in _NUMBERS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted
