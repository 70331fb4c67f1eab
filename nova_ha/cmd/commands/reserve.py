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

"""The reserve in the status: which reserved hosts are in use."""

from collections.abc import Mapping
from typing import Any

from nova_ha.assembly.operator import Picture
from nova_ha.cmd.commands import overview
from nova_ha.core.model import HostName


def guests(picture: Picture) -> Mapping[HostName, int | None]:
    """How many guests run on each reserved host, None where that is not
    known. They are those that it has taken."""
    return {
        host: overview.guests(facts)
        for host, facts in sorted(picture.hosts.items())
        if facts.record is not None and facts.record.reserved
    }


def line(picture: Picture) -> str:
    """In one line; empty where no host is reserved."""
    return "; ".join(
        f"{host}: {_words(number)}" for host, number in guests(picture).items()
    )


def _words(number: int | None) -> str:
    if number is None:
        return "guests not known"
    return f"in use, {number} guests" if number else "free"


def data(picture: Picture) -> list[dict[str, Any]]:
    """The same as objects."""
    return [
        {"host": host, "guests": number}
        for host, number in guests(picture).items()
    ]
