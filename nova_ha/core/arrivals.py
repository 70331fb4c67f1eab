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

"""Instances on their way to a host that died, and that Nova has elsewhere.

Those are not the host's, so nothing is moved: a guest that is being migrated
runs at its source until the very end, and what Nova books on the dead host by
then is listed there. But a migration whose destination has died may leave its
instance stuck, which nobody would look for: so it is named in the result.
"""

import datetime
from collections.abc import Collection, Iterator

from nova_ha.core import model
from nova_ha.core import runners
from nova_ha.core.model import Move
from nova_ha.core.model import MoveState

LATELY = datetime.timedelta(days=1)
"""Older records that are not over are a mistake in Nova's database: there the
destination had died long before. UTC of two machines is compared, so it is no
fine limit."""


def of(
    host: model.HostName,
    records: Collection[model.Migration],
    known: Collection[model.InstanceId],
    now: model.Now,
) -> Iterator[Move]:
    """What to name, each instance once.

    :param records: that name the host.
    :param known: instances that some case looks after, or that are booked on
        the host.
    """
    latest = {
        one.instance: one
        for one in sorted(records, key=lambda one: one.id)
        if one.dest == host and one.source != host
    }
    for instance, one in latest.items():
        if instance not in known and _under_way(one, now):
            yield Move(
                instance=instance,
                state=MoveState.GONE,
                reason=f"its {one.kind} from {one.source} to {host} was not "
                f"over ({one.status}), and Nova does not have it here: see "
                "that it runs",
            )


def _under_way(one: model.Migration, now: model.Now) -> bool:
    at = one.updated_at or one.created_at
    return one.status not in runners.TERMINAL and (
        at is None or now.utc - at < LATELY
    )
