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

"""What things are called, and what all values of the model are made of."""

import dataclasses
import datetime
from typing import NewType, TypeVar, dataclass_transform

HostName = NewType("HostName", str)
"""Nova service host name, exactly as Nova spells it."""

InstanceId = NewType("InstanceId", str)
"""UUID of a server."""

CaseId = NewType("CaseId", str)
BootId = NewType("BootId", str)
"""Identifies one boot of a machine (/proc/sys/kernel/random/boot_id)."""

Epoch = NewType("Epoch", int)
"""Creation zxid of the leader's znode: grows with every new leader."""

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[_T]) -> type[_T]:
    """A frozen, slotted dataclass with keyword-only fields."""
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)


@record
class Now:
    """One moment, on the clock for durations and on that for records."""

    mono: float
    utc: datetime.datetime
