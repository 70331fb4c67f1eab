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

"""Exceptions of nova_ha: few types, each with typed fields.

Adapters translate the errors of their libraries into these, so that the
engine and the agent never see a kazoo, sushy or novaclient exception.
"""


class NovaHaError(Exception):
    """Base of every error that nova_ha raises on purpose."""


class ConfigError(NovaHaError):
    """A setting is missing, malformed or contradicts another.

    :ivar option: what to look at, e.g. ``[zookeeper] hosts`` or
        ``fencing.yaml:12: hosts.cmp1``.
    :ivar problem: what is wrong with it.
    :ivar remedy: what to do about it.
    """

    def __init__(self, option: str, problem: str, remedy: str = "") -> None:
        self.option = option
        self.problem = problem
        self.remedy = remedy
        text = f"{option}: {problem}"
        super().__init__(f"{text} ({remedy})" if remedy else text)


class PayloadError(NovaHaError):
    """A stored or received payload is not what it should be.

    :ivar where: znode path, URL or device that the payload came from.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class PayloadTooLarge(PayloadError):
    """A payload does not fit into one znode."""


class CoordinationError(NovaHaError):
    """ZooKeeper refused, or holds something unexpected."""


class CoordinationUnavailable(CoordinationError):
    """ZooKeeper cannot be reached, or has no quorum, right now."""


class BusUnavailable(CoordinationUnavailable):
    """No engine has answered over the message bus in time; what was asked
    may have been done."""


class CoordinationDenied(CoordinationError):
    """The credentials in use do not permit the operation.

    :ivar path: the znode concerned.
    """

    def __init__(self, path: str, remedy: str = "") -> None:
        self.path = path
        text = f"ZooKeeper denies access to {path}"
        super().__init__(f"{text} ({remedy})" if remedy else text)


class StaleVersion(CoordinationError):
    """Compare-and-set lost: somebody else has changed the node."""

    def __init__(self, path: str, expected: int | None) -> None:
        self.path = path
        self.expected = expected
        super().__init__(f"{path} is no longer at version {expected}")


class Forbidden(NovaHaError):
    """Whoever asks is not known, or the policy does not permit it."""


class NotLeading(NovaHaError):
    """This engine may not act: it does not hold the leader's lease.

    Raised *before* a side effect, by the check of the local deadline.
    """


class ComputeError(NovaHaError):
    """Nova or Placement answered with an error.

    :ivar status: HTTP status, 0 where there was none.
    """

    def __init__(self, problem: str, status: int = 0) -> None:
        self.status = status
        super().__init__(problem)


class ComputeUnavailable(ComputeError):
    """Nova or Placement gave no answer; the request may have taken effect."""


class ComputeRefused(ComputeError):
    """Nova understood the request and refused it (4xx): no effect."""


class CellDown(ComputeUnavailable):
    """A cell did not answer: a list of instances would be incomplete."""


class FenceAborted(NovaHaError):
    """The guard forbade a power-off at the last moment.

    :ivar reason: why, as shown to the operator.
    :ivar alive: the reason is a sign of life of the host.
    """

    def __init__(self, reason: str, *, alive: bool = False) -> None:
        self.reason = reason
        self.alive = alive
        super().__init__(reason)


class DeviceError(NovaHaError):
    """A fence device did not do what it was asked for.

    :ivar device: name of the device in ``fencing.yaml``.
    :ivar problem: what happened; never contains a secret.
    """

    def __init__(self, device: str, problem: str) -> None:
        self.device = device
        self.problem = problem
        super().__init__(f"fence device {device}: {problem}")


class DeviceUnreachable(DeviceError):
    """No connection to the device."""


class DeviceTimeout(DeviceError):
    """The device did not answer before the deadline of the call."""


class DeviceRefused(DeviceError):
    """The device answered that it will not do it; its state decides."""


class DeviceWrongState(DeviceRefused):
    """A refusal because of the state it is in: it may be off already."""


class DeviceNeedsOperator(DeviceError):
    """Only an operator can switch it and tell its state: no failure."""


class DeviceCredentials(DeviceError):
    """The device rejects the credentials: not to be retried (lock-out)."""


class DeviceProtocolError(DeviceError):
    """The device's answer makes no sense."""


class DeviceBarred(DeviceError):
    """The device has proven wrong: it is not used until it is checked."""

    def __init__(self, device: str) -> None:
        super().__init__(
            device,
            "barred, because it has proven wrong: check it, then `nova-ha "
            f"fence clear HOST {device}`",
        )


class GuestsUnknown(NovaHaError):
    """The hypervisor did not say which guests run on it."""
