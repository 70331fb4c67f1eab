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

"""What has happened in a case, step by step, kept with it for whoever asks
later. A leaf below :mod:`.model`."""

import datetime

from nova_ha.core import texts
from nova_ha.core.nouns import record

WORDS = 200
"""Characters of a text."""

FIRST, LATEST = 40, 160
"""Lines that are kept of a long story: how it began, and how it stands. With
their texts they take some 50 KiB of the case's znode."""


@record
class Line:
    """One step."""

    at: datetime.datetime
    code: str
    """As it was told, see :mod:`.catalogue`."""
    message: str = ""


def line(at: datetime.datetime, code: str, message: str) -> Line:
    """A step, with its text bounded."""
    return Line(at=at, code=code, message=texts.clip(message, WORDS))


def longer(story: tuple[Line, ...], *lines: Line) -> tuple[Line, ...]:
    """A story that has gone on; of a long one the middle is left out."""
    told = (*story, *lines)
    if len(told) <= FIRST + LATEST:
        return told
    return (*told[:FIRST], *told[-LATEST:])
