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

"""Whether a host that all evidence calls dead may be fenced: what the brake
and its own history say."""

from nova_ha.core import domains
from nova_ha.core import model
from nova_ha.core import proof
from nova_ha.core.model import Hold
from nova_ha.core.model import Severity
from nova_ha.core.work import Work


def held(work: Work) -> bool:
    """Hold the case of a host that may not be fenced now.

    Where its device reads off, no power-off is needed: it is recovered on
    that proof, and none is sent even if it is switched on in this moment.

    :returns: whether the host is not to be fenced.
    """
    _note_domain(work)
    host, world = work.case.host, work.world
    block = world.braked(host)
    if block is not None:
        work.hold(
            Hold.STORM,
            f"storm ({block.rule.value}): {block.message}. {_remedy(host)}",
            held_by=block.rule,
        )
        proof.ask_device(work)
        return True
    spared = world.quarantine(host)
    if spared is None and world.forbidden(host) is None:
        return False
    if proof.device_off(work):
        return True
    if spared is not None:
        _hold_in_quarantine(work, spared)
    proof.ask_device(work)
    return True


def _note_domain(work: Work) -> None:
    """Remember that the whole domain went at once: a successor sees only
    that all of it is silent."""
    world, view = work.world, work.view
    block = None
    if view is not None:
        block = domains.blocks(
            view, world.fleet, world.verdicts, world.cases, world.policy
        )
    domain = "" if block is None else block.domain
    if domain != work.case.silent_domain:
        work.update(silent_domain=domain)


def _remedy(host: model.HostName) -> str:
    return (
        "If hosts are really dead, switch them off at their device or "
        f"`nova-ha confirm-fenced {host}`"
    )


def _hold_in_quarantine(work: Work, spared: model.Quarantine) -> None:
    host, told = work.case.host, work.case.hold is Hold.QUARANTINE
    work.hold(
        Hold.QUARANTINE,
        f"quarantine ({spared.reason}): it is not fenced once more by "
        f"itself. Switch it off at its device or `nova-ha confirm-fenced "
        f"{host}`; `nova-ha host release {host}` lets it be fenced",
    )
    if not told:
        work.tell("host.spared", work.case.message, Severity.ALARM)
