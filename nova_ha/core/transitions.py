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

"""The states of a recovery case, and every change between them.

The diagram in the documentation is drawn from this table.
"""

from collections.abc import Mapping

from nova_ha.core.model import CaseState

S = CaseState

TRANSITIONS: Mapping[tuple[CaseState, CaseState], str] = {
    (S.SUSPECTED, S.FENCING): "all evidence says down, and the brake, the "
    "operator's switches and our own lease permit it",
    (S.SUSPECTED, S.FENCED): "an operator confirms that the host is off; or "
    "its device reads off, where the brake or a quarantine forbids to fence",
    (S.SUSPECTED, S.CANCELLED): "a sign of life, or a planned absence, "
    "before anything was done",
    (S.FENCING, S.FENCED): "a device was seen to read off",
    (S.FENCING, S.FENCE_FAILED): "no level could prove that it is off: "
    "nothing may be evacuated",
    (S.FENCING, S.SUSPECTED): "the last look before the power-off forbade "
    "it for a reason that is not a sign of life (paused, lease, outage)",
    (S.FENCING, S.CANCELLED): "the last look before the first power-off "
    "showed a sign of life",
    (S.FENCING, S.RETURNING): "the host, which had returned before, shows "
    "life before the first power-off of this round",
    (S.FENCE_FAILED, S.FENCING): "the pause is over: all levels again",
    (S.FENCE_FAILED, S.FENCED): "an operator confirms, or the device reads "
    "off by now",
    (S.FENCE_FAILED, S.CANCELLED): "the host is alive and was never off; "
    "nothing has been done to its instances",
    (S.FENCE_FAILED, S.RETURNING): "a host that had returned is alive again",
    (S.FENCED, S.EVACUATING): "its nova-compute is forced down, so that Nova "
    "accepts evacuations and cannot be told otherwise by a zombie",
    (S.FENCED, S.FENCING): "switched on before anything was evacuated",
    (S.EVACUATING, S.EVACUATED): "every instance is accounted for and moved",
    (S.EVACUATING, S.PARTIAL): "every instance is accounted for, but some "
    "could not be moved; they are named with the reason",
    (S.EVACUATING, S.FENCING): "power is back on in the middle: the proof is "
    "gone, so nothing more is sent until it is off again",
    (S.EVACUATING, S.FENCED): "an operator has made sure that the host is "
    "off, after its device had lied",
    (S.PARTIAL, S.FENCED): "as from EVACUATING",
    (S.EVACUATED, S.FENCED): "as from EVACUATING: its instances are listed "
    "again",
    (S.PARTIAL, S.EVACUATING): "an instance that was held or has been "
    "completed by somebody else can go on; or an operator asks again",
    (S.FENCED, S.RETURNING): "the proof was void, and the host is there: in "
    "a later boot, or with nothing sent on that proof",
    (S.EVACUATING, S.RETURNING): "as from FENCED; what is in flight is waited "
    "for before the gate opens",
    (S.PARTIAL, S.RETURNING): "the host's agent is back in a new boot",
    (S.EVACUATED, S.RETURNING): "the host's agent is back in a new boot",
    (S.RETURNING, S.SOAKING): "Nova has cleaned the host up and its checks "
    "are green",
    (S.RETURNING, S.FENCED): "it died again, and as from SUSPECTED",
    (S.SOAKING, S.FENCED): "as from RETURNING",
    (S.RETURNING, S.FENCING): "it died again before it was taken back",
    (S.SOAKING, S.RETURNING): "a check failed, or its beacon went: the soak "
    "starts again",
    (S.SOAKING, S.FENCING): "it died again while it was being watched",
    (S.SOAKING, S.CLOSED): "healthy for the soak time: what we had set on "
    "its service is taken back",
}
"""Every change of state that there is, with the reason why it is right."""

ENDED = frozenset([S.CLOSED, S.CANCELLED])

BACK = ENDED | {S.RETURNING, S.SOAKING}
"""The host is back, or was never touched: from here on its own signs count
again, and no operator's request is taken any more."""
