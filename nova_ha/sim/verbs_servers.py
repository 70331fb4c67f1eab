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

"""Verbs about ZooKeeper and Nova."""

from nova_ha.sim import nova_knobs
from nova_ha.sim.verb import Kind
from nova_ha.sim.verb import Parameter
from nova_ha.sim.verb import Target
from nova_ha.sim.verb import Verb

REBUILDS = tuple(one.value for one in nova_knobs.Outcome)
"""How Nova can end a rebuild."""

CHANGES = tuple(one.value for one in nova_knobs.Change)
"""What an engine asks Nova to change."""

_SECONDS = Parameter(
    name="seconds", kind=Kind.SECONDS, help="how long each one takes"
)

_COUNT = Parameter(name="count", kind=Kind.COUNT, help="how many", default=1.0)

_KIND = Parameter(
    name="kind",
    kind=Kind.TEXT,
    help="only changes of this kind; any of them unless said",
    default="",
    choices=CHANGES,
)
_TO = Parameter(
    name="to",
    kind=Kind.HOST,
    help="where to; nova-scheduler chooses unless said",
    default="",
)

_REASON = Parameter(
    name="reason",
    kind=Kind.TEXT,
    help="as the operator words it",
    default="simulated",
)

_PATH = Parameter(
    name="path",
    kind=Kind.ZNODE,
    help="below the tree's root, such as cases/host-1",
)

_DATA = Parameter(name="data", kind=Kind.TEXT, help="what to write")

ZOOKEEPER = (
    Verb(
        name="stop-zookeeper",
        target=Target.NOTHING,
        help="Stop the whole ensemble: no quorum.",
        ends=True,
    ),
    Verb(
        name="start-zookeeper",
        target=Target.NOTHING,
        help="Start the ensemble; all sessions' timers begin anew.",
    ),
    Verb(
        name="elect",
        target=Target.NOTHING,
        help="Let the ensemble elect a leader: nothing is served meanwhile.",
        parameters=(
            Parameter(
                name="seconds",
                kind=Kind.SECONDS,
                help="how long it takes",
                default=2.0,
            ),
        ),
    ),
    Verb(
        name="expire",
        target=Target.NODE,
        help="End its ZooKeeper session from the server's side.",
        told=False,
    ),
    Verb(
        name="lose-followers",
        target=Target.NOTHING,
        help="Let each follower die once, with what it had not yet told the "
        "leader of its clients.",
        told=False,
    ),
    Verb(
        name="lag",
        target=Target.NOTHING,
        help="Let followers' reads be out of date.",
        parameters=(
            Parameter(name="seconds", kind=Kind.SECONDS, help="by how much"),
        ),
        ends=True,
        told=False,
    ),
    Verb(
        name="write-znode",
        target=Target.NOTHING,
        help="Write anything anywhere in the tree, such as what cannot be "
        "read.",
        parameters=(_PATH, _DATA),
        told=False,
    ),
    Verb(
        name="forge-znode",
        target=Target.HOST,
        help="Try to write with the credentials of the host's agent, as "
        "somebody would who has stolen them.",
        parameters=(_PATH, _DATA),
        told=False,
    ),
    Verb(
        name="keep-session",
        target=Target.NODE,
        help="Keep its ZooKeeper session alive from somewhere else from now "
        "on, as whoever reaches the port can.",
        told=False,
    ),
)

NOVA = (
    Verb(
        name="stop-nova",
        target=Target.NOTHING,
        help="Stop Nova's API: requests are not answered.",
        ends=True,
        told=False,
    ),
    Verb(
        name="start-nova",
        target=Target.NOTHING,
        help="Start Nova's API.",
        told=False,
    ),
    Verb(
        name="slow-nova",
        target=Target.NOTHING,
        help="Let Nova's API take long for each request.",
        parameters=(_SECONDS,),
        ends=True,
        told=False,
    ),
    Verb(
        name="lose-answers",
        target=Target.NOTHING,
        help="Let Nova carry out the next changes, and lose its answers.",
        parameters=(_COUNT, _KIND),
        told=False,
    ),
    Verb(
        name="lose-requests",
        target=Target.NOTHING,
        help="Lose the next changes before Nova gets them.",
        parameters=(_COUNT, _KIND),
        told=False,
    ),
    Verb(
        name="delay-requests",
        target=Target.NOTHING,
        help="Let the next changes sit in a queue, and land later: also when "
        "their sender is long dead.",
        parameters=(_SECONDS, _COUNT, _KIND),
        told=False,
    ),
    Verb(
        name="rebuilds",
        target=Target.NOTHING,
        help="Say how the next rebuilds end, and how long all take.",
        parameters=(
            Parameter(
                name="outcomes",
                kind=Kind.TEXTS,
                help="one for each of the next rebuilds; later ones succeed",
                default=(),
                choices=REBUILDS,
            ),
            Parameter(
                name="seconds",
                kind=Kind.SECONDS,
                help="how long each takes; 1 to 4 unless said",
                default=-1.0,
            ),
        ),
        told=False,
    ),
    Verb(
        name="cell-down",
        target=Target.HOST,
        help="Let the cell of these hosts not answer Nova's API.",
        ends=True,
        told=False,
    ),
    Verb(
        name="cell-up",
        target=Target.HOST,
        help="Let the cell of these hosts answer again.",
        told=False,
    ),
    Verb(
        name="live-migrate",
        target=Target.INSTANCE,
        help="Migrate the running instance; its machines may die on the way.",
        parameters=(Parameter(name="to", kind=Kind.HOST, help="where to"),),
        told=False,
    ),
    Verb(
        name="cold-migrate",
        target=Target.INSTANCE,
        help="Stop the instance and start it elsewhere.",
        parameters=(Parameter(name="to", kind=Kind.HOST, help="where to"),),
        told=False,
    ),
    Verb(
        name="confirm-resize",
        target=Target.INSTANCE,
        help="The owner confirms a cold migration.",
        told=False,
    ),
    Verb(
        name="delete-instance",
        target=Target.INSTANCE,
        help="Delete it, as its owner may at any time.",
        told=False,
    ),
    Verb(
        name="stop-instance",
        target=Target.INSTANCE,
        help="Stop it, as its owner may at any time.",
        told=False,
    ),
    Verb(
        name="start-instance",
        target=Target.INSTANCE,
        help="Start it again.",
        told=False,
    ),
    Verb(
        name="suspend-instance",
        target=Target.INSTANCE,
        help="Suspend it to disk: it cannot be evacuated.",
        told=False,
    ),
    Verb(
        name="pause-instance",
        target=Target.INSTANCE,
        help="Pause it: it cannot be evacuated.",
        told=False,
    ),
    Verb(
        name="evacuate",
        target=Target.INSTANCE,
        help="Evacuate it by hand: an operator does not wait for nova_ha.",
        parameters=(_TO,),
    ),
    Verb(
        name="force-down",
        target=Target.HOST,
        help="An operator forces its nova-compute down.",
        ends=True,
    ),
    Verb(
        name="disable",
        target=Target.HOST,
        help="An operator disables its nova-compute.",
        parameters=(_REASON,),
        ends=True,
    ),
    Verb(
        name="enable",
        target=Target.HOST,
        help="An operator enables its nova-compute.",
    ),
)
