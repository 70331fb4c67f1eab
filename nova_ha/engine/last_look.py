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

"""The last look: what is read again immediately before power is touched.

Between the decision and the command lie a queue, a save and other devices'
time-outs. Whatever has changed meanwhile against what the decision rested
on forbids the command; the core then judges anew.
"""

from collections.abc import Sequence

from nova_ha import exception
from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import model
from nova_ha.core import sources


class LastLook:
    """Reads everything again that could forbid it. Stateless."""

    def __init__(
        self,
        membership: ports.Membership,
        compute: ports.Compute,
        leadership: ports.Leadership,
        sign_readers: Sequence[ports.SignReader],
    ) -> None:
        self._membership = membership
        self._compute = compute
        self._leadership = leadership
        self._sign_readers = sign_readers

    def at(self, action: actions.Fence, epoch: model.Epoch) -> None:
        """Look at the host of a power-off.

        :raises FenceAborted: something forbids it, or could not be read.
        :raises NotLeading: another engine leads by now.
        """
        try:
            # What may take long goes first: a pause, or a beacon, that comes
            # while Nova thinks is still seen.
            if not action.refencing:
                self._look_at_service(action)
                self._look_at_signs(action)
            facts = self._membership.read_host(action.host)
            control = self._membership.read_control()
        except exception.FenceAborted:
            raise
        except exception.NovaHaError as error:
            raise exception.FenceAborted(
                f"the evidence could not be read again: {error}"
            ) from error
        _forbid_by_switches(control, facts)
        _forbid_by_bars(facts, action.barred)
        if not action.refencing:
            _forbid_by_life(facts, action.goodbye)
        # Last, because reading may have taken longer than the lease.
        self._leadership.check(epoch)

    def before_power_on(
        self, action: actions.PowerOn, epoch: model.Epoch
    ) -> None:
        """Look at the host of a power-on.

        :raises FenceAborted: an operator wants it otherwise by now.
        :raises NotLeading: another engine leads by now.
        :raises CoordinationUnavailable: it could not be read.
        """
        facts = self._membership.read_host(action.host)
        _forbid_by_switches(self._membership.read_control(), facts)
        _forbid_by_bars(facts, action.barred)
        # Reading may have taken longer than the lease.
        self._leadership.check(epoch)

    def _look_at_service(self, action: actions.Fence) -> None:
        services = {one.host: one for one in self._compute.services()}
        now = services.get(action.host)
        if now is None:
            # Left out where its cell does not answer: unread, not silent.
            raise exception.FenceAborted(
                "Nova does not show its nova-compute now"
            )
        then = action.service
        if then is None or now.reported_at != then.reported_at:
            raise exception.FenceAborted(
                "its nova-compute has reported meanwhile", alive=True
            )
        # Whose it is, is for the core to judge: nothing has been set by the
        # case, as long as nothing was proven.
        if now.forced_down and not then.forced_down:
            raise exception.FenceAborted(
                "its nova-compute has been forced down meanwhile"
            )
        if now.disabled and not then.disabled:
            raise exception.FenceAborted(
                "its nova-compute has been disabled meanwhile"
            )

    def _look_at_signs(self, action: actions.Fence) -> None:
        for reader in self._sign_readers:
            known = action.signs.get(reader.name)
            sign = None if known is None else reader.read(action.host)
            # One that cannot be read is not required, here as elsewhere.
            if sign is not None and sign.value != known:
                raise exception.FenceAborted(
                    f"{sources.moves(reader.name)} again", alive=True
                )


def _forbid_by_switches(
    control: model.Control, facts: model.HostFacts
) -> None:
    if control.paused or not control.armed:
        state = "paused" if control.paused else "disarmed"
        raise exception.FenceAborted(f"nova_ha is {state}")
    record = facts.record
    if record is None:
        raise exception.FenceAborted("the host is no longer enrolled")
    if record.protected or record.maintenance:
        raise exception.FenceAborted(
            record.protected or f"maintenance: {record.maintenance}"
        )


def _forbid_by_bars(facts: model.HostFacts, known: frozenset[str]) -> None:
    record = facts.record
    news = set() if record is None else record.barred.keys() - known
    if news:
        raise exception.FenceAborted(
            f"barred meanwhile: {', '.join(sorted(news))}"
        )


def _forbid_by_life(
    facts: model.HostFacts, known: model.Goodbye | None
) -> None:
    if facts.beacon is not None:
        raise exception.FenceAborted("its beacon is back", alive=True)
    if facts.goodbye is not None and facts.goodbye != known:
        raise exception.FenceAborted(
            "its agent has said goodbye meanwhile", alive=True
        )
