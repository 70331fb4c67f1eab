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

"""What an engine does for a message: the methods of the interface.

Each one is a method of :class:`nova_ha.assembly.operator.Store`. Who asks, and
when, is what the engine knows, not what the message says.
"""

import dataclasses
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import oslo_messaging
from oslo_log import log as logging

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.core import audit
from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.rpc import messages
from nova_ha.rpc import policies
from nova_ha.rpc.callers import Caller
from nova_ha.rpc.callers import Callers

LOG = logging.getLogger(__name__)

Asked = TypeVar("Asked")

Context = Mapping[str, Any]


def _serves(
    kind: type[Asked], rules: str | Callable[[Asked], Sequence[str]]
) -> Callable[
    [Callable[["Endpoint", Caller, Asked], Any]],
    Callable[["Endpoint", Context, str], messages.Reply],
]:
    """Make a method one of the interface: it gets the caller and the body
    decoded, and what it returns or raises becomes the reply.

    :param kind: of the body.
    :param rules: that must permit it, or how they follow from the body.
    """

    def decorate(
        method: Callable[["Endpoint", Caller, Asked], Any],
    ) -> Callable[["Endpoint", Context, str], messages.Reply]:
        name = method.__name__

        def perform(self: "Endpoint", context: Context, body: str) -> Any:
            asked = _decoded(kind, body, name)
            caller = self.callers.identify(context)
            wanted = [rules] if isinstance(rules, str) else rules(asked)
            for rule in wanted:
                self.rights.demand(rule, caller)
            if name not in messages.READS:
                LOG.info("%s asks on the bus for %s", caller.name, name)
            return method(self, caller, asked)

        @functools.wraps(method)
        def served(
            self: "Endpoint", context: Context, body: str
        ) -> messages.Reply:
            try:
                return messages.answer(perform(self, context, body), name)
            except exception.NovaHaError as error:
                LOG.info("Asked on the bus for %s: %s", name, error)
                return messages.failure(error)
            except Exception as error:
                # The edge of the bus: a mistake of ours is the caller's
                # error, and the engine's log has what led to it.
                LOG.exception("Asked on the bus for %s", name)
                return messages.failure(
                    exception.NovaHaError(
                        f"unexpected {type(error).__name__} in an engine, "
                        "whose log tells more"
                    )
                )

        return served

    return decorate


def _decoded(kind: type[Asked], body: object, method: str) -> Asked:
    """:raises PayloadError: it is not what the method takes."""
    if not isinstance(body, str) or len(body) > messages.LARGEST_BODY:
        raise exception.PayloadError(
            f"body of {method}",
            f"not a text of at most {messages.LARGEST_BODY} characters",
        )
    return codec.decode(
        kind, body.encode("utf-8", "replace"), f"body of {method}"
    )


class Endpoint:
    """Answers from a store. Its methods run in several threads at a time."""

    target = oslo_messaging.Target(version=messages.VERSION)

    def __init__(
        self,
        store: operator.Store,
        callers: Callers,
        rights: policies.Rights,
        clock: nova_clock.Clock,
    ) -> None:
        self._store = store
        self.callers = callers
        self.rights = rights
        self._clock = clock
        self._record = threading.Lock()

    # -- reading -------------------------------------------------------------

    @_serves(messages.Nothing, policies.READ)
    def picture(
        self, _caller: Caller, _asked: messages.Nothing
    ) -> messages.Picture:
        return pictured(self._store.picture())

    @_serves(messages.Nothing, policies.READ)
    def history(
        self, _caller: Caller, _asked: messages.Nothing
    ) -> messages.Cases:
        return messages.Cases(cases=tuple(self._store.history()))

    @_serves(messages.Nothing, policies.READ)
    def requests(
        self, _caller: Caller, _asked: messages.Nothing
    ) -> messages.Requests:
        return messages.Requests(
            requests=tuple(self._store.requests().values())
        )

    @_serves(messages.Host, policies.READ)
    def facts(self, _caller: Caller, asked: messages.Host) -> messages.Facts:
        return _facts(self._store.facts(asked.host))

    @_serves(messages.Nothing, policies.READ)
    def deeds(
        self, _caller: Caller, _asked: messages.Nothing
    ) -> messages.Deeds:
        return messages.Deeds(entries=tuple(self._store.trail.read()))

    # -- what stops and starts everything ------------------------------------

    @_serves(messages.Switch, policies.of_switch)
    def switch(self, caller: Caller, asked: messages.Switch) -> model.Control:
        return self._store.switch(
            by=caller.name,
            reason=asked.reason,
            armed=asked.armed,
            paused=asked.paused,
        )

    # -- recoveries ----------------------------------------------------------

    @_serves(messages.Confirm, policies.CONFIRM)
    def confirm(
        self, caller: Caller, asked: messages.Confirm
    ) -> messages.Nothing:
        case = self._store.picture().cases.get(asked.host)
        if case is None or (case.id, case.boot_id) != (
            asked.case,
            asked.boot_id,
        ):
            raise exception.CoordinationError(
                f"case {asked.case} has changed meanwhile: look again "
                "(nova-ha status)"
            )
        self._store.confirm(case, by=caller.name, comment=asked.comment)
        return messages.Nothing()

    @_serves(model.EvacuationRequest, policies.EVACUATE)
    def request(
        self, caller: Caller, asked: model.EvacuationRequest
    ) -> model.EvacuationRequest:
        return self._store.request(
            dataclasses.replace(asked, by=caller.name, at=self._clock.utcnow())
        )

    # -- hosts ---------------------------------------------------------------

    @_serves(messages.Maintenance, policies.MAINTENANCE)
    def maintenance(
        self, caller: Caller, asked: messages.Maintenance
    ) -> model.HostRecord:
        return self._store.maintenance(
            asked.host, asked.on, by=caller.name, reason=asked.reason
        )

    @_serves(messages.Host, policies.RELEASE)
    def release(
        self, caller: Caller, asked: messages.Host
    ) -> messages.Released:
        return messages.Released(
            quarantine=self._store.release(asked.host, by=caller.name)
        )

    @_serves(messages.Reserve, policies.RESERVE)
    def reserve(
        self, _caller: Caller, asked: messages.Reserve
    ) -> model.HostRecord:
        return self._store.reserve(asked.host, asked.on)

    @_serves(messages.Domains, policies.DOMAINS)
    def domains(
        self, _caller: Caller, asked: messages.Domains
    ) -> model.HostRecord:
        return self._store.domains(
            asked.host, failure=asked.failure, storage=asked.storage
        )

    # -- devices, and the record of who switched them ------------------------

    @_serves(messages.Device, policies.CLEAR)
    def clear(
        self, _caller: Caller, asked: messages.Device
    ) -> messages.Cleared:
        return messages.Cleared(
            bar=self._store.clear(asked.host, asked.device)
        )

    @_serves(audit.Entry, policies.of_deed)
    def begin_deed(self, caller: Caller, asked: audit.Entry) -> audit.Entry:
        return self._store.trail.begin(
            dataclasses.replace(
                asked,
                by=caller.name,
                at=self._clock.utcnow(),
                result=audit.Result.BEGUN,
            )
        )

    @_serves(audit.Entry, policies.of_deed)
    def end_deed(self, caller: Caller, asked: audit.Entry) -> messages.Nothing:
        ended = dataclasses.replace(asked, by=caller.name)
        begun = dataclasses.replace(
            ended, result=audit.Result.BEGUN, detail=""
        )
        # What is on record is completed once, and never written anew.
        with self._record:
            if begun not in self._store.trail.read():
                raise exception.CoordinationError(
                    f"no deed of {caller.name} at {asked.host} has begun "
                    "then, or it has ended"
                )
            self._store.trail.end(ended)
        return messages.Nothing()


def pictured(picture: operator.Picture) -> messages.Picture:
    """As it goes over the bus."""
    return messages.Picture(
        at=picture.at,
        control=picture.control,
        engines=tuple(
            messages.Engine(
                engine=one.engine,
                epoch=one.epoch,
                leading=one.leading,
                machine_id=one.machine_id,
                refused=one.refused,
            )
            for one in picture.contenders
        ),
        hosts={host: _facts(facts) for host, facts in picture.hosts.items()},
        verdicts=picture.verdicts,
        cases=picture.cases,
    )


def _facts(facts: model.HostFacts) -> messages.Facts:
    beacon = facts.beacon
    return messages.Facts(
        facts=facts, session=0 if beacon is None else beacon.session
    )
