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

"""Which instances are recovered, and how: every state that an instance can be
brought into, and every rule, in one recovery.

The rows are those of ``doc/source/concepts/instances.rst``. Only marked
instances are evacuated here, so those in the rows of the states carry a mark.
"""

import concurrent.futures
import contextlib
import dataclasses
import operator
from collections.abc import Callable
from typing import Any

from keystoneclient.v3 import client as keystone_client
from novaclient import client as nova_client

from lab import cloud as lab_cloud
from lab import openrc
from lab import process
from lab.services import keystone
from nova_ha.core import model
from nova_ha.core.model import CaseState
from nova_ha.core.model import MoveState
from tests.functional import recovery_cloud
from tests.functional import recovery_evidence as evidence

VICTIM = "cmp1"
MARKED = {"HA_Enabled": "yes"}
MARKED_FLAVOR = "lab.marked"
APPLIANCE_FLAVOR = "lab.appliance"
MARKED_IMAGE = "lab-marked"
APPLIANCE_IMAGE = "lab-appliance"

FOREVER = 600.0
"""Seconds: longer than the test takes."""

call = operator.methodcaller


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An instance: what is done to it, and what is to become of it."""

    name: str
    steps: tuple[tuple[Callable[[Any], object], str], ...] = ()
    """What is asked of Nova, and the status that this ends in."""
    metadata: dict[str, str] = dataclasses.field(
        default_factory=lambda: dict(MARKED)
    )
    flavor: str = lab_cloud.FLAVOR
    image: str = lab_cloud.IMAGE
    project: str = keystone.ADMIN
    booted_on: str = VICTIM

    state: MoveState = MoveState.DONE
    vm_state: str = "active"
    runs: bool = True
    locked: bool = False
    told: str = ""
    """Part of what its result says."""

    @property
    def user(self) -> str:
        """An administrator of its project."""
        return "nova" if self.project == keystone.SERVICE else keystone.ADMIN


def _left(name: str, vm_state: str, told: str, **more: Any) -> Row:
    return Row(
        name=name,
        vm_state=vm_state,
        told=told,
        state=MoveState.SKIPPED,
        runs=False,
        **more,
    )


def _excluded(name: str, told: str, **more: Any) -> Row:
    return Row(
        name=name, told=told, state=MoveState.EXCLUDED, runs=False, **more
    )


STOP = (call("stop"), "SHUTOFF")
FAIL = (call("reset_state", "error"), "ERROR")

SETTLED = (
    Row(name="active", steps=((call("lock"), "ACTIVE"),), locked=True),
    Row(name="stopped", steps=(STOP,), vm_state="stopped", runs=False),
    Row(name="error", steps=(FAIL,)),
    Row(
        name="error-that-was-off",
        steps=(STOP, FAIL, (call("lock"), "ERROR")),
        vm_state="stopped",
        runs=False,
        locked=True,
    ),
    Row(
        name="paused",
        steps=((call("pause"), "PAUSED"),),
        told="it was paused and is started anew",
    ),
    Row(
        name="rescued",
        steps=((call("rescue"), "RESCUE"),),
        told="it was rescued and is started anew",
    ),
    _left(
        "suspended",
        "suspended",
        "its saved memory is on its host",
        steps=((call("suspend"), "SUSPENDED"),),
    ),
    _left(
        "resized",
        "resized",
        "neither confirmed nor reverted",
        booted_on="cmp2",
        steps=((call("migrate", host=VICTIM), "VERIFY_RESIZE"),),
    ),
    _left(
        "shelved",
        "shelved",
        "it can be unshelved once its host is back",
        steps=((call("shelve"), "SHELVED"),),
    ),
    Row(name="marked-by-flavor", metadata={}, flavor=MARKED_FLAVOR),
    Row(name="marked-by-image", metadata={}, image=MARKED_IMAGE),
    _excluded("unmarked", "it is not marked", metadata={}),
    _excluded(
        "owner-says-no",
        "its metadata says HA_Enabled=no",
        metadata={"HA_Enabled": "no"},
        flavor=MARKED_FLAVOR,
    ),
    _excluded(
        "excluded-by-metadata",
        "its metadata has role=amphora, which is excluded",
        metadata={**MARKED, "role": "amphora"},
    ),
    _excluded(
        "excluded-by-flavor",
        "its flavor has nova_ha:appliance=yes, which is excluded",
        flavor=APPLIANCE_FLAVOR,
    ),
    _excluded(
        "excluded-by-image",
        "its image has nova_ha_appliance=true, which is excluded",
        image=APPLIANCE_IMAGE,
    ),
    _excluded("excluded-by-project", "is excluded", project=keystone.SERVICE),
)
"""Those whose state is reached once Nova has done what it was asked."""

STOPPING = Row(name="stopping")
REBOOTING = Row(name="rebooting")
DELETING = _left("deleting", "active", "it is being deleted")
UNDER_WAY = (
    (STOPPING, call("stop"), "powering-off"),
    (REBOOTING, call("reboot", "HARD"), "rebooting_hard"),
    (DELETING, call("delete"), "deleting"),
)
"""Those of which Nova is asked what nobody does any more."""

BUILDING = _left("building", "building", "it has never been started")

ROWS = (*SETTLED, STOPPING, REBOOTING, DELETING, BUILDING)


class StatesTest(recovery_cloud.RecoveryTestCase):
    SETTINGS = {
        **recovery_cloud.OPTIONS,
        "engine": {
            **recovery_cloud.OPTIONS["engine"],
            "evacuations_per_target": 3,
        },
        "evacuation": {
            "only_marked": True,
            "mark_image": "nova_ha_enabled",
            "excluded_metadata": "role=amphora",
            "excluded_flavors": "nova_ha:appliance",
            "excluded_images": "nova_ha_appliance",
        },
    }

    def setUp(self) -> None:
        super().setUp()
        self.ids: dict[str, str] = {}
        """UUIDs of the instances by the names of their rows."""

    def test_each_instance_as_its_state_and_the_rules_demand(self) -> None:
        victim = self.cloud.host(VICTIM)
        self.cloud.wait_hosts_up()
        self.prepare_flavors_and_images()
        self.exclude(keystone.SERVICE)
        self.bring_into_their_states(victim)
        self.servers = list(self.ids.values())
        untouched = len(self.calls())

        victim.kill()
        case = self.wait_state(victim, CaseState.PARTIAL)
        moves = {move.name: move for move in case.moves}
        self.assertEqual({row.name for row in ROWS}, set(moves))
        self.assertEqual([], self.wrong_results(moves))
        with contextlib.suppress(process.LabError):
            self.wait(lambda: not self.wrong_instances(), "them", 30)
        self.assertEqual([], self.wrong_instances())
        self.assert_never_double()
        self.assert_asked_of_nova(victim, self.calls()[untouched:])

    # -- before the failure --

    def prepare_flavors_and_images(self) -> None:
        for name, key in (
            (MARKED_FLAVOR, "nova_ha:enabled"),
            (APPLIANCE_FLAVOR, "nova_ha:appliance"),
        ):
            flavor = self.nova.flavors.create(name, ram=64, vcpus=1, disk=1)
            flavor.set_keys({key: "yes"})
        for name, key in (
            (MARKED_IMAGE, "nova_ha_enabled"),
            (APPLIANCE_IMAGE, "nova_ha_appliance"),
        ):
            self.cloud.glance.create_image(
                self.cloud.session(), name, **{key: "true"}
            )
        # Once: novaclient looks images up by a state that threads share.
        self.images = {
            name: self.nova.glance.find_image(name)
            for name in (lab_cloud.IMAGE, MARKED_IMAGE, APPLIANCE_IMAGE)
        }
        self.flavors = {one.name: one for one in self.nova.flavors.list()}

    def exclude(self, project: str) -> None:
        """Let the engines leave the instances of a project where they are;
        what Keystone calls it is known only now."""
        known = keystone_client.Client(session=self.cloud.session())
        (found,) = known.projects.list(name=project)
        self.cloud.nova_ha.set_options(
            "evacuation", excluded_projects=found.id
        )
        for engine in self.engines:
            engine.stop()
            engine.start()
        self.wait(self._well, "the engines", recovery_cloud.HEAL_TIMEOUT)

    def bring_into_their_states(self, victim: lab_cloud.Host) -> None:
        stuck = [row for row, _, _ in UNDER_WAY]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(self.prepare, [*SETTLED, *stuck]))
        victim.machine.turn(spawn_delay=FOREVER)
        self.boot_row(BUILDING)
        self.wait_task(BUILDING, "spawning")
        # Nova takes it for alive for some more seconds.
        victim.kill_compute()
        for row, ask, task in UNDER_WAY:
            ask(self.server(row))
            self.wait_task(row, task)

    def prepare(self, row: Row) -> None:
        self.boot_row(row)
        uuid = self.ids[row.name]
        self.cloud.wait_server(uuid, "ACTIVE")
        for ask, status in row.steps:
            ask(self.server(row))
            self.cloud.wait_server(uuid, status)

    def boot_row(self, row: Row) -> None:
        session = self.cloud.keystone.session(row.user, row.project)
        nova = nova_client.Client(openrc.MICROVERSION, session=session)
        server = nova.servers.create(
            row.name,
            self.images[row.image],
            self.flavors[row.flavor],
            nics="none",
            meta=row.metadata,
            host=row.booted_on,
        )
        self.ids[row.name] = str(server.id)

    def wait_task(self, row: Row, task: str) -> None:
        self.wait(
            lambda: getattr(self.server(row), "OS-EXT-STS:task_state") == task,
            f"{row.name} to be {task}",
        )

    def server(self, row: Row) -> Any:
        return self.nova.servers.get(self.ids[row.name])

    # -- after it --

    def wrong_instances(self) -> list[str]:
        running = self.running()
        found = {str(server.id): server for server in self._servers()}
        return [
            wrong
            for row in ROWS
            for uuid in [self.ids[row.name]]
            if (wrong := _compared(row, found[uuid], running.get(uuid, [])))
        ]

    def wrong_results(self, moves: dict[str, model.Move]) -> list[str]:
        """Whose part of the result is not what the row says."""
        return [
            f"{row.name}: {move!r}"
            for row in ROWS
            for move in [moves[row.name]]
            if move.state is not row.state
            or row.told not in f"{move.reason}; {move.note}"
            or (row.state is MoveState.DONE and move.attempts != 1)
        ]

    def assert_asked_of_nova(
        self, victim: lab_cloud.Host, calls: list[evidence.Call]
    ) -> None:
        """Everything after the proof, and nothing twice."""
        proven = evidence.seen_off(victim, self.began)[0]
        self.assertLess(proven, calls[0].started)
        names = {uuid: name for name, uuid in self.ids.items()}
        asked = sorted(
            (call.action, names[call.subject])
            for call in calls
            if call.subject in names
        )
        evacuated = [row.name for row in ROWS if row.state is MoveState.DONE]
        self.assertEqual(
            sorted(
                [("evacuate", name) for name in evacuated]
                + [("os-resetState", name) for name in ("paused", "rescued")]
                + [("os-stop", "error-that-was-off")]
            ),
            asked,
        )


def _compared(row: Row, server: Any, running: list[str]) -> str:
    """What is wrong with an instance, by Nova's word and by its guest."""
    host = getattr(server, "OS-EXT-SRV-ATTR:host")
    is_so = (
        getattr(server, "OS-EXT-STS:vm_state"),
        host != VICTIM,
        server.locked,
        running,
    )
    ought = (
        row.vm_state,
        row.state is MoveState.DONE,
        row.locked,
        [host] if row.runs else [],
    )
    return "" if is_so == ought else f"{row.name}: {is_so}, not {ought}"
