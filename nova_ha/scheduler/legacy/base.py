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

"""What the legacy filters have in common."""

from typing import ClassVar

from nova.scheduler import filters
from oslo_log import log as logging

LOG = logging.getLogger(__name__)


class LegacyFilter(filters.BaseHostFilter):
    """A filter that Nova removed; says so when it is made."""

    # None of them concerns an instance that stays where it is.
    RUN_ON_REBUILD = False

    REMOVED_IN: ClassVar[str]
    """Release of Nova that came without it."""

    REPLACED_BY: ClassVar[str]
    """What does its work today, as a clause of a sentence."""

    def __init__(self) -> None:
        super().__init__()
        LOG.warning(
            "%s is a legacy filter of nova_ha, which Nova removed in %s: %s. "
            "It can be taken out of [filter_scheduler] enabled_filters",
            type(self).__name__,
            self.REMOVED_IN,
            self.REPLACED_BY,
        )
