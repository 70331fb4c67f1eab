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


"""Redfish, by sushy (``pip install nova-ha[redfish]``).

Every call opens a connection of its own: nothing goes stale, no state is
shared between threads, and a call that had to be abandoned cannot spoil the
next one. With ``auth: session`` each call so creates and deletes a session;
basic authentication, the default, takes two requests a call.

sushy would repeat a request for a minute or more by itself; it is told not
to. A read that failed with 5xx is repeated once, nothing else: the procedure
asks each second anyway, and a command must not be sent behind its back.
"""

import contextlib
import enum
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar
from urllib import parse

import requests
import sushy
from sushy import auth as sushy_auth
from sushy import connector as sushy_connector
from sushy import exceptions as sushy_errors
from sushy.resources.system import system as sushy_system

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import identity
from nova_ha.fencing import parameters as params

T = TypeVar("T")

_RETRIES_ON_5XX = 1
_RETRY_DELAY = 0.5  # seconds

_STATES = {
    sushy.PowerState.ON: model.PowerState.ON,
    sushy.PowerState.OFF: model.PowerState.OFF,
    # Paused: the memory of the guests is still there, and so are they.
    sushy.PowerState.PAUSED: model.PowerState.ON,
    sushy.PowerState.POWERING_ON: model.PowerState.UNKNOWN,
    sushy.PowerState.POWERING_OFF: model.PowerState.UNKNOWN,
}


class Auth(enum.StrEnum):
    """How to authenticate."""

    BASIC = "basic"
    SESSION = "session"


def _url(value: str) -> str | None:
    try:
        parts = parse.urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "must be a URL such as https://bmc1.example.org"
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials; use username and password"
    if parts.query or parts.fragment or not port_ok:
        return "must be a plain URL without query or fragment"
    return None


def _system(value: str) -> str | None:
    if value.startswith("/") or identity.parse(value):
        return None
    return "must be a path (/redfish/v1/Systems/1) or a system UUID"


class RedfishDriver(base.FenceDriver):
    """A BMC or chassis manager that speaks Redfish."""

    # DMTF leaves the time that ForceOff takes to the implementation; 12 s
    # and more are seen.
    FENCE_TIMEOUT: ClassVar[float] = 30.0

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(
            name="address",
            required=True,
            check=_url,
            help="URL of the service, e.g. https://bmc1.example.org.",
        ),
        params.Parameter(
            name="username", required=True, help="User of the BMC."
        ),
        params.Parameter(
            name="password",
            kind=params.Kind.SECRET,
            required=True,
            help="Its password.",
        ),
        params.Parameter(
            name="system",
            check=_system,
            help="Which system, by path (/redfish/v1/Systems/1) or by UUID. "
            "May be left out where the service has only one.",
        ),
        params.Parameter(
            name="auth",
            default=Auth.BASIC.value,
            choices=tuple(auth.value for auth in Auth),
            help="basic, or session (one session a call).",
        ),
        params.Parameter(
            name="verify_tls",
            kind=params.Kind.BOOLEAN,
            default=True,
            help="Whether to verify the certificate of the device.",
        ),
        params.Parameter(
            name="ca_file",
            help="File of CA certificates to verify with; default is the "
            "bundle that python-requests uses.",
        ),
    )

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        super().__init__(name, parameters, clock, call_timeout)
        self._address = parameters.text("address")
        self._username = parameters.text("username")
        self._password = parameters.secret("password")
        self._system = parameters.optional_text("system")
        self._auth = Auth(parameters.text("auth"))
        self._verify: bool | str = parameters.flag("verify_tls")
        if self._verify:
            self._verify = parameters.optional_text("ca_file") or True

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        address = parameters.text("address").lower().rstrip("/")
        system = parameters.optional_text("system")
        return f"redfish {address} system {system or 'only one'}"

    def power_state(self) -> model.PowerState:
        return self._translated(self._read_power)

    def power_off(self) -> None:
        self._translated(lambda: self._reset(sushy.ResetType.FORCE_OFF))

    def power_on(self) -> None:
        self._translated(lambda: self._reset(sushy.ResetType.ON))

    def system_uuid(self) -> str | None:
        found = self._translated(self._read_uuid)
        return found if found and identity.parse(found) else None

    def _read_power(self) -> model.PowerState:
        with self._connected() as root:
            state = self._find(root).power_state
        if state not in _STATES:
            raise exception.DeviceProtocolError(
                self.name, "the system shows no PowerState that Redfish knows"
            )
        return _STATES[state]

    def _read_uuid(self) -> str | None:
        with self._connected() as root:
            found = self._find(root).uuid
        return found if isinstance(found, str) else None

    def _reset(self, kind: sushy.ResetType) -> None:
        with self._connected() as root:
            self._find(root).reset_system(kind)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sushy.Sushy]:
        connection = _Connector(
            self.name, self._address, self._verify, self._left()
        )
        secret = self._password.reveal()
        auth: sushy_auth.AuthBase
        if self._auth is Auth.SESSION:
            auth = sushy_auth.SessionAuth(self._username, secret)
        else:
            auth = sushy_auth.BasicAuth(self._username, secret)
        with connection:
            try:
                yield sushy.Sushy(
                    self._address, auth=auth, connector=connection
                )
            finally:
                # A command that was accepted stays accepted.
                with contextlib.suppress(
                    sushy_errors.SushyError, exception.DeviceError
                ):
                    auth.close()

    def _left(self) -> Callable[[], float]:
        """Seconds left of a call that begins now.

        Asked before each request: a call that was abandoned must not wake up
        later and switch off a host that has long been recovered.
        """
        deadline = self.clock.monotonic() + self.call_timeout

        def left() -> float:
            seconds = deadline - self.clock.monotonic()
            if seconds <= 0:
                raise exception.DeviceTimeout(
                    self.name, f"not done within {self.call_timeout:g} s"
                )
            return seconds

        return left

    def _find(self, root: sushy.Sushy) -> sushy_system.System:
        if self._system is None or self._system.startswith("/"):
            return root.get_system(self._system)
        matches = [
            system
            for system in root.get_system_collection().get_members()
            if identity.same_system(self._system, system.uuid or "")
        ]
        if len(matches) != 1:
            raise exception.DeviceProtocolError(
                self.name,
                f"{len(matches)} systems of the service have the UUID "
                f"{self._system}",
            )
        return matches[0]

    def _translated(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except sushy_errors.AccessError as error:
            raise exception.DeviceCredentials(
                self.name, f"HTTP {error.status_code}: access denied"
            ) from None
        except sushy_errors.HTTPError as error:
            raise self._http_error(error) from None
        except sushy_errors.ConnectionError as error:
            raise self._connection_error(error.__context__) from None
        except sushy_errors.InvalidParameterValueError:
            raise exception.DeviceRefused(
                self.name, "the system does not offer this kind of reset"
            ) from None
        except sushy_errors.UnknownDefaultError:
            raise exception.DeviceProtocolError(
                self.name,
                "the service does not have exactly one system; set 'system' "
                "to the path or UUID of the right one",
            ) from None
        except (
            sushy_errors.SushyError,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as error:
            # sushy trusts the shape of what it is sent: an unexpected one
            # ends in any of these. Its text may quote the answer: left out.
            raise exception.DeviceProtocolError(
                self.name,
                f"the answer makes no sense ({type(error).__name__})",
            ) from None

    def _http_error(
        self, error: sushy_errors.HTTPError
    ) -> exception.DeviceError:
        status = error.status_code
        if status == 404:
            return exception.DeviceProtocolError(
                self.name,
                "HTTP 404: there is no such system; check 'system'",
            )
        kind: type[exception.DeviceError] = exception.DeviceRefused
        if status == 409:
            kind = exception.DeviceWrongState
        elif status >= 500:
            # Says nothing about whether a command took effect.
            kind = exception.DeviceProtocolError
        return kind(self.name, f"HTTP {status} ({_words(error.detail)})")

    def _connection_error(
        self, cause: BaseException | None
    ) -> exception.DeviceError:
        if isinstance(cause, requests.exceptions.SSLError):
            return exception.DeviceUnreachable(
                self.name,
                "its TLS certificate is not trusted; set ca_file to the CA "
                "that has issued it",
            )
        if isinstance(cause, requests.exceptions.ReadTimeout):
            return exception.DeviceTimeout(
                self.name, f"no answer within {self.call_timeout:g} s"
            )
        return exception.DeviceUnreachable(self.name, "no connection")


class _Connector(sushy_connector.Connector):  # type: ignore[misc]
    """sushy's connector without its patience."""

    def __init__(
        self,
        device: str,
        url: str,
        verify: bool | str,
        left: Callable[[], float],
    ) -> None:
        super().__init__(
            url,
            verify=verify,
            server_side_retries=_RETRIES_ON_5XX,
            server_side_retries_delay=_RETRY_DELAY,
        )
        self._left = left
        # Neither a proxy of the environment nor a ~/.netrc is meant for BMCs.
        self._session.trust_env = False
        self._session.hooks["response"].append(self._stay)
        self._device = device

    def _op(
        self, method: str, path: str = "", *args: Any, **kwargs: Any
    ) -> Any:
        kwargs["timeout"] = self._left()
        return super()._op(method, path, *args, **kwargs)

    def _stay(self, response: requests.Response, **_kwargs: object) -> None:
        """Another service is another machine, and gets no token of ours.

        :raises DeviceProtocolError: the answer leads away from the service.
        """
        if not response.is_redirect:
            return
        target = parse.urljoin(response.url, response.headers["Location"])
        if _origin(target) != _origin(response.url):
            raise exception.DeviceProtocolError(
                self._device, "it redirects to another service"
            )


def _origin(url: str) -> tuple[str, str]:
    parts = parse.urlsplit(url)
    return parts.scheme, parts.netloc


def _words(text: object) -> str:
    """A device's own words, kept short and on one line."""
    return " ".join(str(text or "no reason given").split())[:200]
