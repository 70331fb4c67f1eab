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

"""``nova-ha-agent``: speaks for one hypervisor."""

import contextlib
import functools
import os
import pathlib
import sys
import uuid
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import ports
from nova_ha.agent import colocated
from nova_ha.agent import gate
from nova_ha.agent import heartbeat
from nova_ha.agent import marker
from nova_ha.agent import service
from nova_ha.agent import systemd
from nova_ha.assembly import agent as assembly
from nova_ha.assembly import identity
from nova_ha.cmd import process
from nova_ha.conf import agent as agent_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.core import model

LOG = logging.getLogger(__name__)

PROGRAM = "nova-ha-agent"
TIMED_OUT = 3

_DESCRIPTION = """Speaks for one hypervisor: keeps a ZooKeeper session and a
beacon with the results of local checks, and reports the guests that run."""

_EPILOG = """'nova-ha-agent wait-ready' is the start gate of nova-compute and
libvirt-guests: it waits while instances of this host are on their way to
other hosts, says why, and exits with status 0 when they may start; 1: the
configuration cannot be used; 3: --timeout is over. It changes nothing.

'nova-ha-agent mark-storage' marks the storage that is mounted as the instances
path, once and for all hosts that mount it: their agents announce the marker,
and instances are evacuated among them. A storage that is marked keeps its
marker; the exit status is 1 if that is not what --domain asks for."""

_CLI_OPTS = [
    cfg.StrOpt(
        "command",
        positional=True,
        required=False,
        default="run",
        choices=["run", "wait-ready", "mark-storage"],
        help="run: be the agent (the default); wait-ready: wait until "
        "nova-compute may start; mark-storage: mark the storage that "
        "instances are on.",
    ),
    cfg.FloatOpt(
        "timeout",
        min=0.0,
        metavar="SECONDS",
        help="wait-ready: give up after this time; never by default.",
    ),
    cfg.StrOpt(
        "force-file",
        metavar="PATH",
        help="wait-ready: permit the start if this file exists; [agent] "
        "allow_start_file by default.",
    ),
    cfg.StrOpt(
        "domain",
        metavar="NAME",
        help="mark-storage: what to call the storage; a random UUID by "
        "default.",
    ),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent or the start gate; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return process.guarded(lambda: _main(given))


def _main(arguments: Sequence[str]) -> int:
    conf = cfg.ConfigOpts()
    agent_conf.register_opts(conf)
    zookeeper_conf.register_opts(conf)
    conf.register_cli_opts(_CLI_OPTS)
    process.configure(
        conf, PROGRAM, arguments, description=_DESCRIPTION, epilog=_EPILOG
    )
    clock = nova_clock.SystemClock()
    if conf.command == "wait-ready":
        return _wait_ready(conf, clock)
    if conf.command == "mark-storage":
        return _mark_storage(conf)
    return _run(conf, clock)


def _run(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> int:
    itself = identity.describe_self(conf)
    roles = assembly.colocated(conf)
    checks = assembly.checks(conf, clock)
    guests = assembly.guests(conf, clock)
    beacons = assembly.open_beacons(conf, itself.host, clock)
    agent = service.Agent(
        itself,
        beacons,
        checks=checks,
        guests=guests,
        roles=colocated.RoleFinder(
            beacons,
            itself.machine_id,
            given=roles,
            zookeeper_hosts=conf.zookeeper.hosts,
        ),
        policy=assembly.policy(conf),
        clock=clock,
        manager=systemd.ServiceManager(os.environ.get("NOTIFY_SOCKET", "")),
        heartbeats=_heartbeats(conf, itself, clock),
        marker=marker.Marker(
            conf.agent.instances_path,
            interval=conf.agent.check_interval,
            deadline=conf.agent.check_deadline,
            clock=clock,
        ),
    )
    process.run_until_signalled(
        agent.run, agent.stop, lambda: process.reload(conf)
    )
    return 0


def _heartbeats(
    conf: cfg.ConfigOpts, itself: model.Beacon, clock: nova_clock.Clock
) -> list[heartbeat.HeartbeatWriter]:
    if not conf.agent.heartbeat_interval:
        return []
    writer = heartbeat.HeartbeatWriter(
        itself,
        path=conf.agent.instances_path,
        interval=conf.agent.heartbeat_interval,
        clock=clock,
    )
    return [writer]


def _wait_ready(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> int:
    with contextlib.ExitStack() as stack:

        @functools.cache
        def beacons() -> ports.Beacons:
            # Opened when first needed: an operator's file must permit the
            # start even where the configuration does not work.
            host = identity.host_name(conf)
            opened = assembly.open_beacons(conf, host, clock)
            stack.callback(opened.close)
            return opened

        start_gate = gate.StartGate(
            lambda: beacons().case(),
            allow_file=pathlib.Path(
                conf.force_file or conf.agent.allow_start_file
            ),
            clock=clock,
            tell=lambda line: _tell(conf, line),
        )
        return 0 if start_gate.wait(conf.timeout) else TIMED_OUT


def _mark_storage(conf: cfg.ConfigOpts) -> int:
    path, wanted = conf.agent.instances_path, conf.domain
    found = marker.mark(path, wanted or str(uuid.uuid4()))
    print(f"{path} is of storage domain {found}")
    if wanted in (None, found):
        return 0
    print(
        f"{PROGRAM}: it was marked before, and is not {wanted}: nothing has "
        "been changed",
        file=sys.stderr,
    )
    return 1


def _tell(conf: cfg.ConfigOpts, line: str) -> None:
    """Show a line where who started nova-compute looks, and in the log."""
    print(f"{PROGRAM}: {conf.host}: {line}", file=sys.stderr, flush=True)
    if conf.log_file or conf.log_dir or conf.use_journal or conf.use_syslog:
        LOG.warning("%s", line)


if __name__ == "__main__":
    sys.exit(main())
