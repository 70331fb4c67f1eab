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

"""Every verb that a fault script can use.

What each does to the world is in :mod:`nova_ha.sim.faults`.
"""

from collections.abc import Mapping

from nova_ha.sim import verbs_hosts
from nova_ha.sim import verbs_servers
from nova_ha.sim.verb import Kind
from nova_ha.sim.verb import Parameter
from nova_ha.sim.verb import Target
from nova_ha.sim.verb import Verb

_CALL = Parameter(
    name="call",
    kind=Kind.TEXT,
    help="which one, as port.method: compute.evacuate, fencing.fence, "
    "store.save, ...",
)

_NTH = Parameter(
    name="count",
    kind=Kind.COUNT,
    help="at which of them, counted from this moment on",
    default=1.0,
)

_REASON = Parameter(
    name="reason",
    kind=Kind.TEXT,
    help="as the operator words it",
    default="simulated",
)

_ENGINES = (
    Verb(
        name="kill",
        target=Target.ENGINE,
        help="SIGKILL: the engine is gone between two instructions.",
        ends=True,
    ),
    Verb(name="start", target=Target.ENGINE, help="Start the engine."),
    Verb(
        name="crash-before",
        target=Target.ENGINE,
        help="Let the engine die just before it makes a call.",
        parameters=(_CALL, _NTH),
        told=False,
    ),
    Verb(
        name="crash-after",
        target=Target.ENGINE,
        help="Let the engine die when a call has taken effect, before it "
        "learns so.",
        parameters=(_CALL, _NTH),
        told=False,
    ),
    Verb(
        name="step-clock",
        target=Target.NODE,
        help="Set its time of day to something else.",
        parameters=(
            Parameter(
                name="by",
                kind=Kind.NUMBER,
                help="seconds; less than zero is back in time",
            ),
        ),
        ends=True,
        told=False,
    ),
)

_OPERATOR = (
    Verb(
        name="pause",
        target=Target.NOTHING,
        help="nova-ha pause.",
        ends=True,
    ),
    Verb(name="resume", target=Target.NOTHING, help="nova-ha resume."),
    Verb(
        name="disarm",
        target=Target.NOTHING,
        help="nova-ha disarm.",
        ends=True,
    ),
    Verb(name="arm", target=Target.NOTHING, help="nova-ha arm."),
    Verb(
        name="confirm",
        target=Target.HOST,
        help="nova-ha confirm-fenced: the operator vouches that the host is "
        "off. Whether it is true is the script's business.",
        parameters=(
            Parameter(
                name="boot",
                kind=Kind.TEXT,
                help="the boot that he means; that of the case unless said",
                default="",
            ),
        ),
    ),
    Verb(
        name="maintenance",
        target=Target.HOST,
        help="nova-ha host maintenance.",
        parameters=(_REASON,),
        ends=True,
    ),
    Verb(
        name="end-maintenance",
        target=Target.HOST,
        help="nova-ha host maintenance --off.",
    ),
    Verb(
        name="release",
        target=Target.HOST,
        help="nova-ha host release: the end of a quarantine; what could not "
        "be evacuated stays where it is.",
    ),
    Verb(
        name="request-evacuation",
        target=Target.HOST,
        help="nova-ha evacuate: the operator knows that the host is dead.",
        parameters=(
            Parameter(
                name="to",
                kind=Kind.TEXT,
                help="the host that takes its instances first",
                default="",
            ),
            Parameter(
                name="servers",
                kind=Kind.TEXT,
                help="the instances that are moved, separated by spaces",
                default="",
            ),
        ),
    ),
    Verb(
        name="reserve",
        target=Target.HOST,
        help="nova-ha host reserve: kept free for evacuated instances.",
    ),
    Verb(
        name="calm",
        target=Target.NOTHING,
        help="Undo all troubles; from now on an operator does his part: "
        "switches on what has been recovered, switches off what hangs, "
        "vouches for what is off.",
        told=False,
    ),
)

GROUPS: Mapping[str, tuple[Verb, ...]] = {
    "Hosts": verbs_hosts.HOSTS,
    "Networks": verbs_hosts.CABLES,
    "ZooKeeper": verbs_servers.ZOOKEEPER,
    "Fence devices": verbs_hosts.DEVICES,
    "Nova": verbs_servers.NOVA,
    "Engines": _ENGINES,
    "The operator": _OPERATOR,
}
"""All verbs, by what they are about."""

VERBS: Mapping[str, Verb] = {
    verb.name: verb for group in GROUPS.values() for verb in group
}
