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

"""Who asks: what an engine believes of the sender of a message."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import adapter
from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import exception
from nova_ha.compute import rest
from nova_ha.compute import session
from nova_ha.conf import rpc as options

LOG = logging.getLogger(__name__)

TOKEN = "token"
CLAIM = "by"
"""Keys of a message's context: Keystone's word, and the sender's own."""

_LONGEST_CLAIM = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """A sender that has been identified."""

    name: str
    """For the record."""
    credentials: Mapping[str, Any]
    """What oslo.policy rules by."""


class Callers(abc.ABC):
    """A way to identify senders."""

    @abc.abstractmethod
    def identify(self, context: Mapping[str, Any]) -> Caller:
        """
        :param context: of the message; nothing in it can be trusted.
        :raises Forbidden: it is nobody.
        :raises ComputeError: Keystone could not tell.
        """


def from_conf(conf: cfg.ConfigOpts, parallel: int) -> Callers:
    """What ``[rpc] auth_strategy`` asks for.

    :param parallel: how many threads may ask at a time.
    :raises ConfigError: the credentials of ``[nova]`` cannot be used.
    """
    if conf.rpc.auth_strategy == options.KEYSTONE:
        return KeystoneCallers(session.open_identity(conf, parallel))
    LOG.warning(
        "[rpc] auth_strategy = noauth: whoever has credentials of the message "
        "bus may do everything, under any name"
    )
    return UncheckedCallers()


class UncheckedCallers(Callers):
    """Everybody on the bus is an administrator."""

    def identify(self, context: Mapping[str, Any]) -> Caller:
        return Caller(_claim(context) or "unknown", {"roles": ["admin"]})


class KeystoneCallers(Callers):
    """Those whose token Keystone knows, with the roles that it tells.

    It is asked anew each time: a token that was revoked is good for nothing.
    """

    def __init__(self, identity: adapter.Adapter) -> None:
        self._identity = identity

    def identify(self, context: Mapping[str, Any]) -> Caller:
        token = context.get(TOKEN)
        if not isinstance(token, str) or not token:
            raise exception.Forbidden("no token of Keystone came with it")
        try:
            return self._validated(token, _claim(context))
        except exception.ComputeRefused as error:
            if error.status != 404:
                raise
            raise exception.Forbidden(
                "Keystone does not accept the token, or no longer"
            ) from None

    def _validated(self, token: str, claim: str) -> Caller:
        with rest.translated("Keystone, asked about a token"):
            answer = self._identity.get(
                "/auth/tokens",
                params={"nocatalog": "1"},
                # keystoneauth shows only a digest of it in its log.
                headers={"X-Subject-Token": token},
            )
            found = answer.json()["token"]
            user = found["user"]
            name = f"{user['name']}@{user['domain']['name']}"
            return Caller(
                f"{name} ({claim})" if claim else name,
                {
                    "user_id": user["id"],
                    "roles": [role["name"] for role in found["roles"]],
                    "project_id": found.get("project", {}).get("id"),
                    "domain_id": found.get("domain", {}).get("id"),
                    "system_scope": "all"
                    if found.get("system", {}).get("all")
                    else None,
                },
            )


def _claim(context: Mapping[str, Any]) -> str:
    """Who the sender says that it is: on one line, and short."""
    said = str(context.get(CLAIM) or "")[:_LONGEST_CLAIM]
    return "".join(one if one.isprintable() else "?" for one in said)
