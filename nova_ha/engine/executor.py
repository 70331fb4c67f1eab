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

"""Performs jobs in threads; a job that is still under way is not started
again."""

import abc
import concurrent.futures
import enum
import threading
from collections.abc import Callable, Sequence
from typing import Any

from oslo_log import log as logging

from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import texts
from nova_ha.engine import checking
from nova_ha.engine import fleet_jobs
from nova_ha.engine import jobs
from nova_ha.engine import performer as performer_mod
from nova_ha.engine import surveying

LOG = logging.getLogger(__name__)


class Lane(enum.Enum):
    """Jobs that wait for each other's threads; those of one lane never wait
    for another's."""

    WORK = "work"
    FENCING = "fencing"  # devices whose word a recovery waits for
    ASKING = "asking"  # devices that are asked just in case


def lane_of(job: jobs.Job) -> Lane:
    """Where a job belongs. A device that hangs holds a thread for as long as
    its calls may take: neither saves nor Nova have to wait for that, and no
    fence for a mere question."""
    match job:
        case jobs.CheckDevices() | jobs.CheckTopology():
            return Lane.ASKING
        case jobs.Perform(action=actions.ReadPower()):
            return Lane.ASKING
        case jobs.Perform(action=actions.Fence() | actions.PowerOn()):
            return Lane.FENCING
        case jobs.Perform(action=actions.TakeSurvey(power=True)):
            return Lane.FENCING
    return Lane.WORK


class Executor(abc.ABC):
    """Takes jobs; answers each with exactly one event."""

    @abc.abstractmethod
    def submit(self, job: jobs.Job, epoch: model.Epoch) -> None:
        """Have ``job`` performed. If one of the same key is still under way
        (asked for by an earlier term of ours), its event is the answer."""


class ConcurrentExecutor(Executor):
    """Performs jobs beside its caller; how, its subclasses know."""

    def __init__(
        self, performer: performer_mod.Performer, sink: ports.Sink
    ) -> None:
        self._performer = performer
        self._sink = sink
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    @abc.abstractmethod
    def _start(self, lane: Lane, run: Callable[[], None]) -> None:
        """Have ``run`` called beside the caller, when its lane has room."""

    def submit(self, job: jobs.Job, epoch: model.Epoch) -> None:
        with self._lock:
            if job.key in self._under_way:
                return
            self._under_way.add(job.key)
        self._start(lane_of(job), lambda: self._run(job, epoch))

    def _run(self, job: jobs.Job, epoch: model.Epoch) -> None:
        try:
            event = self._performer.perform(job, epoch)
        except Exception as error:
            # The edge of a worker thread: a mistake of ours in one job must
            # neither kill the engine nor leave the job pending for ever.
            LOG.exception("Job %s failed unexpectedly", job.key)
            event = failure(job, epoch, texts.clip(f"unexpected: {error}"))
        finally:
            with self._lock:
                self._under_way.discard(job.key)
        self._sink(event)


class ThreadedExecutor(ConcurrentExecutor):
    """A bounded pool of threads for each lane."""

    def __init__(
        self,
        performer: performer_mod.Performer,
        sink: ports.Sink,
        workers: int,
        device_workers: int,
    ) -> None:
        """
        :param device_workers: jobs at the same time that speak to devices,
            in each of their two lanes.
        """
        super().__init__(performer, sink)
        self._pools = {
            lane: concurrent.futures.ThreadPoolExecutor(
                workers if lane is Lane.WORK else device_workers,
                thread_name_prefix=f"executor-{lane.value}",
            )
            for lane in Lane
        }

    def _start(self, lane: Lane, run: Callable[[], None]) -> None:
        self._pools[lane].submit(run)

    def stop(self) -> None:
        """Take no more jobs; those under way find the lease gone."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def failure(job: jobs.Job, epoch: model.Epoch, error: str) -> events.Event:
    """The event that tells of a job's unexpected end: nothing is known of
    its effect."""
    match job:
        case jobs.LoadCases():
            return events.CasesLoaded(epoch=epoch, error=error)
        case jobs.SaveCase(case=case):
            return events.SaveFailed(host=case.host, case=case.id, error=error)
        case jobs.CloseCase(case=case):
            return events.ActionFailed(
                host=case.host, case=case.id, key="Close", error=error
            )
        case jobs.FleetJob():
            return fleet_jobs.failure(job, error)
        case jobs.CheckJob():
            return checking.failure(job, error)
        case jobs.Perform(action=actions.Evacuate() as action):
            return events.EvacuateAnswered(
                host=action.host,
                case=action.case,
                instance=action.instance,
                error=error,
            )
        case jobs.Perform(action=action):
            return events.ActionFailed(
                host=action.host,
                case=action.case,
                key=action.key,
                error=error,
            )
    raise TypeError(f"unknown job {job.key}")


def in_threads(workers: int) -> surveying.Gather:
    """A gather that runs its calls at the same time, in a pool of its own:
    jobs wait for it, so it must not share theirs."""
    pool = concurrent.futures.ThreadPoolExecutor(
        workers, thread_name_prefix="gather"
    )

    def gather(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        # The first call runs here: gathers may nest without starving.
        later = [pool.submit(call) for call in calls[1:]]
        results = [call() for call in calls[:1]]
        return results + [one.result() for one in later]

    return gather
