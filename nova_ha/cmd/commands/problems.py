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

"""What is wrong with the installation as a whole, and what to do. No I/O."""

from collections.abc import Iterator

from nova_ha.assembly.operator import Picture
from nova_ha.cmd import render
from nova_ha.cmd.commands import devices
from nova_ha.core import model
from nova_ha.core import storage
from nova_ha.core.model import record


@record
class Problem:
    """Something about the installation as a whole."""

    what: str
    todo: str


def of(picture: Picture, leader: model.Contender | None) -> Iterator[Problem]:
    """What troubles the installation.

    :param leader: None where no engine leads.
    """
    if leader is None:
        yield Problem(
            what="no engine leads: nothing is detected, fenced or evacuated",
            todo="start nova-ha-engine on the controllers; read its log",
        )
    elif len(picture.contenders) == 1:
        yield Problem(
            what="only one engine runs: nobody takes over if it dies",
            todo="start nova-ha-engine on a second controller",
        )
    yield from _switches(picture.control)
    yield from _refused(leader)
    yield from _fencing(picture)
    yield from _storage(picture)
    if not any(one.record for one in picture.hosts.values()):
        yield Problem(
            what="no host is enrolled: nothing is watched",
            todo="start nova-ha-agent on the hypervisors; a host is enrolled "
            "when its agent and its nova-compute are there",
        )


def _refused(leader: model.Contender | None) -> Iterator[Problem]:
    if leader is not None and leader.refused:
        yield Problem(
            what="the changed fencing.yaml is refused, the one before stays "
            f"in force: {leader.refused}",
            todo=f"mend it where {leader.engine} runs; nova-ha fence check "
            "there says whether it can be used",
        )


def _fencing(picture: Picture) -> Iterator[Problem]:
    without = devices.without(picture)
    if without:
        hosts = render.names(without)
        yield Problem(
            what=f"no fence device works for: {hosts} - should one die, it "
            "is not recovered",
            todo="nova-ha fence check; mend what it names",
        )
    for host, device, bar in devices.barred(picture):
        yield Problem(
            what=f"{device} of {host} is barred: {bar.reason}",
            todo=f"check whose power it switches; nova-ha fence clear {host} "
            f"{device}",
        )


def _storage(picture: Picture) -> Iterator[Problem]:
    for host, facts in sorted(picture.hosts.items()):
        doubt = storage.of(facts).doubt
        if doubt:
            yield Problem(
                what=f"{host}: {doubt}; its disks count as shared with nobody",
                todo=f"nova-ha host domains {host} --storage '' to believe "
                "its agent",
            )


def _switches(control: model.Control) -> Iterator[Problem]:
    why = f" ({control.reason})" if control.reason else ""
    if control.paused:
        yield Problem(
            what=f"paused{why}: no recovery starts or goes on",
            todo="nova-ha resume",
        )
        why = ""  # it was given for the later switch
    if not control.armed:
        yield Problem(
            what=f"disarmed{why}: it watches, and does nothing",
            todo="nova-ha fence check; then nova-ha arm",
        )
