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

"""``nova-ha-engine``: judges, fences and recovers."""

import contextlib
import sys
from collections.abc import Sequence

from oslo_config import cfg

from nova_ha import clock as clock_mod
from nova_ha.assembly import engine as assembly
from nova_ha.assembly import metrics
from nova_ha.assembly import notify
from nova_ha.cmd import process
from nova_ha.conf import agent as agent_conf
from nova_ha.conf import engine as engine_conf
from nova_ha.conf import evacuation as evacuation_conf
from nova_ha.conf import evidence as evidence_conf
from nova_ha.conf import fencing as fencing_conf
from nova_ha.conf import metrics as metrics_conf
from nova_ha.conf import nova as nova_conf
from nova_ha.conf import rpc as rpc_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.core import model
from nova_ha.engine import controller
from nova_ha.engine import executor
from nova_ha.engine import performer
from nova_ha.engine import service
from nova_ha.rpc import server as rpc_server

PROGRAM = "nova-ha-engine"

_DESCRIPTION = """Watches the hypervisors of a Nova region, and when one has
died and that is proven, recovers its instances elsewhere. Run two or three;
one leads."""

_EPILOG = """A new installation is disarmed: it says what it would do, until
'nova-ha arm'. 'nova-ha pause' stops everything new, at any time. Exit status:
0 after SIGTERM or SIGINT; 1: the configuration cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an engine; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return process.guarded(lambda: _main(given))


def _main(arguments: Sequence[str]) -> int:
    conf = cfg.ConfigOpts()
    for module in (
        agent_conf,
        engine_conf,
        evacuation_conf,
        evidence_conf,
        fencing_conf,
        metrics_conf,
        nova_conf,
        rpc_conf,
        zookeeper_conf,
    ):
        module.register_opts(conf)
    notify.register_opts(conf)
    process.configure(
        conf, PROGRAM, arguments, description=_DESCRIPTION, epilog=_EPILOG
    )
    return _run(conf, clock_mod.SystemClock())


def _run(conf: cfg.ConfigOpts, clock: clock_mod.Clock) -> int:
    with contextlib.ExitStack() as stack:
        policy = assembly.policy(conf)
        meter = stack.enter_context(metrics.opened(conf, clock))
        world = assembly.World(conf, clock)
        stack.callback(world.close)
        world.open()
        notifier = notify.open_notifier(conf, clock, meter)
        stack.callback(notifier.close)
        inbox = service.EventQueue(clock)
        workers = executor.ThreadedExecutor(
            _performer(conf, clock, world),
            inbox.put,
            conf.engine.workers,
            conf.fencing.parallel,
        )
        stack.callback(workers.stop)
        engine = service.Engine(
            controller.Controller(policy, clock, workers, notifier, meter),
            inbox,
            world.membership,
            world.leadership,
            [*world.sources, *notify.nova_notifications(conf, clock)],
        )
        stack.enter_context(rpc_server.opened(conf, clock))
        notifier.emit(
            model.AuditEvent(code="engine.started", message="standing by")
        )
        process.run_until_signalled(
            engine.run, engine.stop, lambda: process.reload(conf)
        )
    return 0


def _performer(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock, world: assembly.World
) -> performer.Performer:
    return performer.Performer(
        performer.World(
            membership=world.membership,
            leadership=world.leadership,
            store=world.store,
            compute=world.compute,
            fencing=world.fencing,
            sign_readers=world.sign_readers,
        ),
        clock,
        executor.in_threads(conf.engine.workers),
    )


if __name__ == "__main__":
    sys.exit(main())
