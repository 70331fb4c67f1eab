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

"""Verbs about hypervisors: the machines, their networks, their devices."""

from nova_ha.sim import devices
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim.verb import Kind
from nova_ha.sim.verb import Parameter
from nova_ha.sim.verb import Target
from nova_ha.sim.verb import Verb

BMC_MODES = tuple(mode.value for mode in devices.Mode)
"""How a fence device can behave."""

NETWORKS = (*(one.value for one in network.Network), "all")
SERVERS = tuple(one.value for one in network.Server)

_CHECK = Parameter(
    name="check",
    kind=Kind.TEXT,
    help="which local check",
    default="compute_service",
    choices=machines.CHECKS,
)

_NETWORK = Parameter(
    name="network",
    kind=Kind.TEXT,
    help="which network; all of them unless said",
    default="",
    choices=NETWORKS,
)

_FROM = Parameter(
    name="from",
    kind=Kind.TEXT,
    help="only from this server, instead of from a network",
    default="",
    choices=SERVERS,
)

HOSTS = (
    Verb(
        name="power-off",
        target=Target.HOST,
        help="Switch the machine off, as somebody at its front panel would.",
        ends=True,
    ),
    Verb(
        name="power-on",
        target=Target.HOST,
        help="Switch the machine on; it boots.",
    ),
    Verb(
        name="power-feed-lost",
        target=Target.HOST,
        help="Cut the machine's mains: a fence device that dies with its "
        "host dies with it.",
        ends=True,
    ),
    Verb(
        name="power-feed-back",
        target=Target.HOST,
        help="Give the mains back; a machine that was on boots.",
    ),
    Verb(
        name="crash",
        target=Target.HOST,
        help="Kernel panic: everything on it ends, its power stays on.",
    ),
    Verb(
        name="reboot",
        target=Target.HOST,
        help="Crash, and boot again by itself.",
        parameters=(
            Parameter(
                name="after",
                kind=Kind.SECONDS,
                help="from the crash to the operating system being up",
                default=20.0,
            ),
        ),
    ),
    Verb(
        name="freeze",
        target=Target.NODE,
        help="Stop all of its programs in mid-air; a host's guests are left "
        "to wake up and write.",
        ends=True,
    ),
    Verb(
        name="thaw",
        target=Target.NODE,
        help="Let frozen programs go on, as if no time had passed.",
    ),
    Verb(
        name="shutdown",
        target=Target.HOST,
        help="Shut down in order: the agent says goodbye, guests stop, power "
        "goes off.",
    ),
    Verb(
        name="stop-agent",
        target=Target.HOST,
        help="Stop nova-ha-agent in order, with a goodbye.",
        ends=True,
    ),
    Verb(
        name="kill-agent",
        target=Target.HOST,
        help="Kill nova-ha-agent: its session expires without a word.",
        ends=True,
    ),
    Verb(name="start-agent", target=Target.HOST, help="Start nova-ha-agent."),
    Verb(
        name="stop-compute",
        target=Target.HOST,
        help="Stop nova-compute in order; guests stay.",
        ends=True,
    ),
    Verb(
        name="kill-compute",
        target=Target.HOST,
        help="Kill nova-compute: guests stay, rebuilds in progress die.",
        ends=True,
    ),
    Verb(name="start-compute", target=Target.HOST, help="Start nova-compute."),
    Verb(
        name="fail-check",
        target=Target.HOST,
        help="Let a local check of the agent fail.",
        parameters=(_CHECK,),
        ends=True,
        told=False,
    ),
    Verb(
        name="mend-check",
        target=Target.HOST,
        help="Let a local check of the agent pass again.",
        parameters=(_CHECK,),
        told=False,
    ),
    Verb(
        name="start-guest",
        target=Target.HOST,
        help="Start a guest behind everyone's back, as virsh would.",
        parameters=(
            Parameter(name="instance", kind=Kind.TEXT, help="which instance"),
        ),
        told=False,
    ),
)

CABLES = (
    Verb(
        name="cut",
        target=Target.NODE,
        help="Cut it off from a network, or from one server.",
        parameters=(_NETWORK, _FROM),
        ends=True,
        told=False,
    ),
    Verb(
        name="join",
        target=Target.NODE,
        help="Undo a cut of the same network or server.",
        parameters=(_NETWORK, _FROM),
        told=False,
    ),
)

_LEVEL = Parameter(
    name="level",
    kind=Kind.COUNT,
    help="the device of which fence level",
    default=1.0,
)

DEVICES = (
    Verb(
        name="bmc",
        target=Target.HOST,
        help="Change how its fence device behaves.",
        parameters=(
            Parameter(
                name="mode",
                kind=Kind.TEXT,
                help="how it behaves",
                default="prompt",
                choices=BMC_MODES,
            ),
            Parameter(
                name="delay",
                kind=Kind.SECONDS,
                help="how long it takes to obey; the mode's own unless said",
                default=-1.0,
            ),
            Parameter(
                name="controls",
                kind=Kind.HOST,
                help="the host that it really switches; its own unless said",
                default="",
            ),
            _LEVEL,
        ),
        ends=True,
        told=False,
    ),
    Verb(
        name="mend-bmc",
        target=Target.HOST,
        help="Let its fence device do what it should.",
        parameters=(_LEVEL,),
        told=False,
    ),
)
