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

"""A cloud that is well again before each test of a recovery.

The scenarios are grouped by what goes wrong, in the ``test_recovery_*``
modules beside this one. Those that a process runs share a cloud, because
bringing one up takes as long as most of them; two processes run at the same
time, because most of a recovery is waiting.
"""

import atexit
import contextlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from testtools import content

from lab import cloud as lab_cloud
from lab import guests
from lab import host as lab_host
from lab import process
from lab import witness
from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.assembly import tree_store
from nova_ha.coordination import opening
from nova_ha.coordination import paths
from nova_ha.core import model
from nova_ha.core.model import CaseState
from tests import base
from tests.functional import recovery_evidence as evidence

HOSTS = (
    lab_cloud.HostSpec("cmp1"),
    lab_cloud.HostSpec("cmp2"),
    lab_cloud.HostSpec("cmp3"),
    lab_cloud.HostSpec("cmp4", "redfish"),
)

#: Shorter waits, and recoveries in more than one wave: four instances and
#: three targets leave one instance for the second. The tests kill the same few
#: hosts again and again: none of them is to remember another one's deaths.
OPTIONS = {
    "engine": {
        "soak_time": 2,
        "evacuations_per_target": 1,
        "brake_window": 5,
        "storm_cooldown": 5,
        "flap_count": 0,
    },
    "agent": {"goodbye_ttl": 30},
    "evacuation": {"reset_states": "paused,rescued,suspended"},
}

HEAL_TIMEOUT = 120.0
RECOVERY_TIMEOUT = 150.0

CasePredicate = Callable[[model.RecoveryCase], object]


class _Standing:
    """The cloud that stands in this process; one at a time."""

    def __init__(self) -> None:
        self._kind: tuple[object, object] | None = None
        self._stack = contextlib.ExitStack()

    def cloud(
        self,
        settings: Mapping[str, Mapping[str, Any]],
        controllers: Mapping[str, int],
    ) -> lab_cloud.Cloud:
        """One of a kind: the one of the class before, if it is the same."""
        if self._kind != (settings, controllers):
            self.down()
            directory = tempfile.TemporaryDirectory(prefix="nova-ha-recovery-")
            self._stack.enter_context(directory)
            self._cloud = lab_cloud.Cloud(
                directory.name, HOSTS, options=settings, **controllers
            )
            self._stack.enter_context(self._cloud)
            self._kind = settings, controllers
        return self._cloud

    def down(self) -> None:
        self._kind = None
        self._stack.close()


_standing = _Standing()
atexit.register(_standing.down)


class RecoveryTestCase(base.TestCase):
    """One cloud for all tests; each starts by making it well again."""

    #: Options of nova_ha by section.
    SETTINGS: ClassVar[Mapping[str, Mapping[str, Any]]] = OPTIONS
    #: How many of what does not run on hypervisors.
    CONTROLLERS: ClassVar[Mapping[str, int]] = {"engines": 2}

    cloud: lab_cloud.Cloud
    store: tree_store.TreeStore

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for name in ("novaclient", "keystoneauth", "urllib3", "kazoo"):
            # Waiting asks a lot; what was answered matters at the end only.
            logging.getLogger(name).setLevel(logging.WARNING)
        cls.cloud = _standing.cloud(cls.SETTINGS, cls.CONTROLLERS)
        cls._open_store()
        cls.addClassCleanup(lambda: cls.store.close())

    @classmethod
    def _open_store(cls) -> None:
        clock = nova_clock.SystemClock()
        settings = cls.cloud.nova_ha.settings("operator")
        session = opening.new_session(settings, clock)
        session.start()
        tree_paths = paths.Paths(settings.namespace)
        cls.store = tree_store.TreeStore(session, tree_paths, clock)

    def setUp(self) -> None:
        super().setUp()
        self.addOnException(self._attach_what_is)
        self.nova = self.cloud.nova()
        self.servers: list[str] = []
        #: Evidence from before this moment belongs to other tests.
        self.began = time.monotonic()
        try:
            self.heal()
        except (process.LabError, exception.NovaHaError):
            # The test before has failed and said so. This one is judged on
            # its own.
            self.store.close()
            self.cloud.up()
            self._open_store()
            self.nova = self.cloud.nova()
            self.heal()
        self.began = time.monotonic()

    # -- making it well again --

    def heal(self) -> None:
        """Bring everything back, whatever the test before has left.

        :raises lab.process.LabError: something does not come back.
        """
        self._revive_controllers()
        self._settle_requests()
        for host in self.cloud.hosts:
            self._revive(host)
        self._remove_guests()
        self.wait(self._no_case, "all cases to end", HEAL_TIMEOUT)
        self._clear_operators_flags()
        self.wait(self._well, "the cloud to be well", HEAL_TIMEOUT)

    def _revive_controllers(self) -> None:
        self.cloud.zookeeper.start()
        self.cloud.rabbitmq.start()
        self.cloud.nova_services.faults.set()
        for server in (self.cloud.nova_services.api, *self.engines):
            server.thaw()
        self.cloud.nova_ha.start_engines()
        control = self.wait_for(self.picture, "ZooKeeper").control
        if control.paused or not control.armed:
            self.store.switch(by="test", reason="", armed=True, paused=False)

    def _settle_requests(self) -> None:
        """Of two requests to evacuate an instance Nova can carry out one and
        forget the other. For each of these its host's nova-compute waits a
        minute when it starts: it asks itself about the disk."""
        self.cloud.mariadb.query(
            "nova",
            "UPDATE migrations SET status = 'error' WHERE status = 'accepted' "
            "AND migration_type = 'evacuation' AND dest_compute IS NULL",
        )

    def _revive(self, host: lab_host.Host) -> None:
        self._revive_bmc(host)
        host.machine.turn(
            spawn_delay=0.0, spawn_failure="", restart_agent=True
        )
        if host.machine.powered():
            host.thaw()
            if host.unit_alive("boot") and host.unit_alive(lab_host.COMPUTE):
                return
            host.power_off()
        host.power_on()

    def _remove_guests(self) -> None:
        """All servers, and guests that Nova has lost sight of."""
        for server in self._servers():
            server.delete()
        self.wait(lambda: not self._servers(), "the servers' end", 120)
        for guest, names in self.running().items():
            for name in names:
                self.cloud.host(name).stop_guest(guest)

    def _revive_bmc(self, host: lab_host.Host) -> None:
        host.bmc.unhang()
        host.bmc.misbehave("")
        config = host.bmc.directory / "password-changed"
        if config.exists():
            host.bmc.change_password(host.bmc.password)
            config.unlink()
            self.cloud.nova_ha.write_topology(self.cloud.hosts)

    def _no_case(self) -> bool:
        picture = self.picture()
        return picture is not None and not picture.cases

    def _clear_operators_flags(self) -> None:
        """Those of nova_ha itself have gone with its cases."""
        for service in self.nova.services.list(binary="nova-compute"):
            if service.forced_down:
                self.nova.services.force_down(service.id, False)
            if service.status != "enabled":
                self.nova.services.enable(service.id)

    def _well(self) -> bool:
        picture = self.picture()
        return (
            picture is not None
            and not picture.cases
            and picture.control.armed
            and self._engines_stand(picture)
            and all(_plainly_alive(picture, one.name) for one in HOSTS)
            and set(self.cloud.compute_states().values()) == {"up"}
            and not self._servers()
        )

    def _engines_stand(self, picture: operator.Picture) -> bool:
        """Every engine that runs stands for election, and one leads."""
        standing = {one.engine for one in picture.contenders}
        running = {
            identity.pid
            for engine in self.engines
            if (identity := engine.identity()) is not None
        }
        named = {int(name.rpartition(":")[2]) for name in standing}
        return named == running and any(
            one.leading for one in picture.contenders
        )

    def _servers(self) -> list[Any]:
        return list(self.nova.servers.list(search_opts={"all_tenants": 1}))

    # -- what is --

    @property
    def engines(self) -> list[process.Process]:
        return self.cloud.nova_ha.engines

    def picture(self) -> operator.Picture | None:
        """All that the tree holds; None while ZooKeeper is away."""
        with contextlib.suppress(exception.CoordinationError):
            return self.store.picture()
        return None

    def case(self, host: lab_host.Host) -> model.RecoveryCase | None:
        """The open case of a host; None too while ZooKeeper is away."""
        picture = self.picture()
        if picture is None:
            return None
        return picture.cases.get(model.HostName(host.name))

    def verdict(self, host: lab_host.Host) -> model.PublishedVerdict | None:
        """What is published of a host; None when it is plainly alive."""
        picture = self.picture()
        if picture is None:
            return None
        return picture.verdicts.get(model.HostName(host.name))

    def judged(self, host: lab_host.Host, kind: model.VerdictKind) -> bool:
        """Whether a host's published verdict is of this kind."""
        published = self.verdict(host)
        return published is not None and published.verdict.kind is kind

    def leader(self) -> process.Process | None:
        """The engine that leads by what ZooKeeper says."""
        picture = self.picture()
        for one in () if picture is None else picture.contenders:
            for engine in self.engines:
                identity = engine.identity()
                if (
                    one.leading
                    and identity is not None
                    and one.engine.endswith(f":{identity.pid}")
                ):
                    return engine
        return None

    def service(self, host: lab_host.Host) -> Any:
        """A host's nova-compute service, as Nova has it."""
        (service,) = self.nova.services.list(
            host=host.name, binary="nova-compute"
        )
        return service

    def flags(self, host: lab_host.Host) -> tuple[bool, str, str | None]:
        """Forced down, status and the reason of a disabled service."""
        service = self.service(host)
        return service.forced_down, service.status, service.disabled_reason

    def status(self) -> dict[str, Any]:
        """``nova-ha status -f json``."""
        text = self.cloud.nova_ha.cli("status", "-f", "json", check=False)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def calls(self) -> list[evidence.Call]:
        """State-changing requests to nova-api since the test began."""
        return evidence.calls(self.cloud, self.began)

    def evacuations(self) -> list[evidence.Call]:
        """Requests to evacuate since the test began."""
        return [call for call in self.calls() if call.evacuates]

    # -- waiting --

    def wait(
        self,
        condition: Callable[[], object],
        what: str,
        timeout: float = 60.0,
    ) -> None:
        """Wait until a condition holds."""
        process.wait_until(condition, timeout, what, interval=0.1)

    def wait_for(
        self,
        question: Callable[[], Any],
        what: str,
        timeout: float = 60.0,
    ) -> Any:
        """Wait for an answer that is true; returns it."""
        answer: Any = None

        def answered() -> bool:
            nonlocal answer
            answer = question()
            return bool(answer)

        self.wait(answered, what, timeout)
        return answer

    def stays(
        self, condition: Callable[[], object], seconds: float, what: str
    ) -> None:
        """Nothing tells that something will *not* happen but time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.assertTrue(condition(), f"no longer: {what}")
            time.sleep(0.2)

    def wait_case(
        self,
        host: lab_host.Host,
        reached: CasePredicate,
        what: str,
        timeout: float = RECOVERY_TIMEOUT,
    ) -> model.RecoveryCase:
        """Wait until a host's open case is as wanted; returns it."""

        def question() -> model.RecoveryCase | None:
            case = self.case(host)
            return case if case is not None and reached(case) else None

        found: model.RecoveryCase = self.wait_for(
            question, f"the case of {host.name} {what}", timeout
        )
        return found

    def wait_state(
        self,
        host: lab_host.Host,
        state: CaseState,
        timeout: float = RECOVERY_TIMEOUT,
    ) -> model.RecoveryCase:
        """Wait until a host's case is in a state; returns it."""
        return self.wait_case(
            host,
            lambda case: case.state is state,
            f"to be {state.value}",
            timeout,
        )

    def wait_recovered(self, host: lab_host.Host) -> model.RecoveryCase:
        """Wait until all instances have left a host."""
        return self.wait_state(host, CaseState.EVACUATED)

    def wait_in_the_middle(self, host: lab_host.Host) -> model.RecoveryCase:
        """Wait until evacuations are in flight, and Nova knows of them."""
        case = self.wait_case(
            host,
            lambda case: (
                case.state is CaseState.EVACUATING
                and any(move.state.in_flight for move in case.moves)
            ),
            "to evacuate",
        )
        self.wait(self.evacuations, "the first evacuation")
        return case

    # -- doing --

    def boot(self, number: int, host: lab_host.Host) -> list[str]:
        """UUIDs of new servers on a host."""
        booted = self.cloud.boot_servers(number, on_host=host.name)
        new = [str(server.id) for server in booted]
        self.servers += new
        return new

    def turn_all(self, **knobs: Any) -> None:
        """Turn knobs of all hosts; the next test turns them back."""
        for host in self.cloud.hosts:
            host.machine.turn(**knobs)

    def change_bmc_password(self, host: lab_host.Host, password: str) -> None:
        """Give a BMC another password than nova_ha was told."""
        (host.bmc.directory / "password-changed").touch()
        host.bmc.change_password(password)

    # -- judging --

    def assert_sound(self) -> None:
        """No instance ran on two hosts; every server of this test is ACTIVE
        and runs exactly where Nova says."""
        with contextlib.suppress(process.LabError):
            self.wait(lambda: not self._misplaced(), "all servers", 30)
        self.assertEqual([], self._misplaced())
        self.assert_never_double()

    def assert_never_double(self) -> None:
        """No instance was ever active on two hosts."""
        report = witness.examine(self.cloud.journals)
        self.assertEqual((), report.overlaps)

    def running(self) -> dict[str, list[str]]:
        """Names of the hosts that run each guest."""
        running: dict[str, list[str]] = {}
        for host in self.cloud.hosts:
            with contextlib.suppress(guests.RunnerUnavailable):
                for guest in host.running_guests():
                    running.setdefault(guest, []).append(host.name)
        return running

    def _misplaced(self) -> list[str]:
        running = self.running()
        found = {str(server.id): server for server in self._servers()}
        wrong = []
        for uuid in self.servers:
            server = found.get(uuid)
            status = "gone" if server is None else server.status
            booked = getattr(server, "OS-EXT-SRV-ATTR:host", None)
            if status != "ACTIVE" or running.get(uuid) != [booked]:
                wrong.append(
                    f"{uuid} is {status}, booked on {booked}, runs on "
                    f"{running.get(uuid)}"
                )
        return wrong

    def assert_moved_once(self, servers: list[str]) -> None:
        """Each was started exactly once after it had died, and every
        request for it that the scheduler let pass named the same host."""
        report = witness.examine(self.cloud.journals)
        for uuid in servers:
            runs = [run.host for run in report.runs_of(uuid)]
            self.assertEqual(2, len(runs), f"{uuid} ran on {runs}")
            targets = {
                call.arguments.get("host")
                for call in self.evacuations()
                if call.subject == uuid
            }
            refused = {
                record.dest_compute
                for record in self.nova.migrations.list(instance_uuid=uuid)
                if record.status == "error"
            }
            self.assertEqual({runs[1]}, targets - (refused - {runs[1]}))

    def assert_nothing_fenced(self, *but: lab_host.Host) -> None:
        """No BMC was told to change the power, but those of ``but``."""
        self.assertEqual({}, self._fenced(but))

    def _fenced(
        self, but: tuple[lab_host.Host, ...] = ()
    ) -> dict[str, list[float]]:
        return {
            host.name: offs
            for host in self.cloud.hosts
            if host not in but
            and (offs := evidence.power_offs(host, self.began))
        }

    def untouched(self) -> bool:
        """Neither a BMC nor Nova was told to change anything of a host."""
        asked = [
            call
            for call in self.calls()
            if call.evacuates or "os-services" in call.path
        ]
        return not self._fenced() and not asked

    # -- when it goes wrong --

    def _records(self) -> list[Any]:
        """All migration records of the test's servers, oldest first."""
        found = [
            record
            for uuid in self.servers
            for record in self.nova.migrations.list(instance_uuid=uuid)
        ]
        return sorted(found, key=lambda record: record.id)

    def _attach_what_is(self, exc_info: Any) -> None:
        for name, text in self._what_is():
            self.addDetail(name, content.text_content(text))

    def _what_is(self) -> Iterator[tuple[str, str]]:
        with contextlib.suppress(Exception):
            yield "status", self.cloud.nova_ha.cli("status", check=False)
        picture = self.picture()
        for case in () if picture is None else picture.cases.values():
            yield f"case {case.host}", repr(case)
        yield "calls", "\n".join(map(repr, self.calls()))
        with contextlib.suppress(Exception):
            yield "migrations", "\n".join(map(_shown, self._records()))
            yield "guests", repr(self.running())
        for engine in self.engines:
            yield engine.name, process.log_tail(engine.log, 80)


def _shown(record: Any) -> str:
    """A migration record as Nova shows it."""
    return (
        f"{record.id} {record.migration_type} of {record.instance_uuid} from "
        f"{record.source_compute} to {record.dest_compute}: {record.status}"
    )


def _plainly_alive(picture: operator.Picture, name: str) -> bool:
    """Enrolled, alive and healthy, and its guests are known."""
    host = model.HostName(name)
    facts = picture.hosts.get(host)
    if facts is None or facts.record is None or host in picture.verdicts:
        return False
    beacon, inventory = facts.beacon, facts.inventory
    return (
        beacon is not None
        and not beacon.failed_checks
        and inventory is not None
        and inventory.boot_id == beacon.boot_id
    )
