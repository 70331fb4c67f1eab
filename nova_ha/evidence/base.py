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

"""What an evidence driver is made from (entry points ``nova_ha.evidence``)."""

import abc
from collections.abc import Mapping
from typing import Any, Self

from nova_ha import clock as clock_mod
from nova_ha import ports
from nova_ha.core.model import record

NAMESPACE = "nova_ha.evidence"


@record
class Surroundings:
    """What a driver may use."""

    clock: clock_mod.Clock
    compute: ports.Compute
    settings: Mapping[str, Any]
    """The options of ``[evidence]``, and ``service_poll_interval``."""


class Driver(ports.EvidenceSource):
    """An evidence source that is loaded by its name."""

    @classmethod
    @abc.abstractmethod
    def from_surroundings(cls, around: Surroundings) -> Self:
        """:raises ConfigError: an option is missing or cannot be used."""
