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

"""Opens the one keystoneauth session that all requests share."""

import dataclasses
from typing import Any, cast

import requests
from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exc
from keystoneauth1 import loading
from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from novaclient import client as nova_client
from oslo_config import cfg

import nova_ha.conf.nova
from nova_ha import exception

NOVA_VERSION = "2.94"
HYPERVISOR_VERSION = "2.87"
IMAGE_VERSION = "2.35"
"""The last one that hands questions about images on to Glance. Nova's own
servers show only those of its properties that Nova knows itself (2.98)."""
PLACEMENT_VERSION = "1.36"

ANSWER_SHARE = 2 / 3
"""Share of ``[nova] request_timeout`` that the answer to a request may take;
the rest is for a token that has to be fetched before it."""

_GROUP = nova_ha.conf.nova.GROUP.name


@dataclasses.dataclass(frozen=True, slots=True)
class Clients:
    """Everything that sends requests; safe to share among threads."""

    session: ks_session.Session
    nova: adapter.Adapter
    placement: adapter.Adapter
    novaclient: nova_client.Client


def open_clients(conf: cfg.ConfigOpts, connections: int) -> Clients:
    """Build the clients from ``[nova]``; sends nothing yet.

    :param connections: how many threads may have a request in flight.
    :raises ConfigError: the credentials are incomplete or of an unknown kind.
    """
    options = conf[_GROUP]
    session = _open_session(conf, connections)
    common = {
        "session": session,
        "interface": options.interface,
        "region_name": options.region_name,
    }
    return Clients(
        session=session,
        nova=adapter.Adapter(
            service_type="compute",
            default_microversion=NOVA_VERSION,
            endpoint_override=options.endpoint_override,
            **common,
        ),
        placement=adapter.Adapter(
            service_type="placement",
            default_microversion=PLACEMENT_VERSION,
            endpoint_override=options.placement_endpoint_override,
            **common,
        ),
        novaclient=nova_client.Client(
            NOVA_VERSION,
            session=session,
            endpoint_type=options.interface,
            region_name=options.region_name,
            endpoint_override=options.endpoint_override,
        ),
    )


def open_identity(conf: cfg.ConfigOpts, connections: int) -> adapter.Adapter:
    """Keystone's own API, where the credentials of ``[nova]`` come from.

    :param connections: how many threads may have a request in flight.
    :raises ConfigError: the credentials are incomplete or of an unknown kind.
    """
    return adapter.Adapter(
        session=_open_session(conf, connections),
        service_type="identity",
        interface=cast(Any, plugin.AUTH_INTERFACE),
        min_version="3",
        max_version="3.latest",
    )


def _open_session(
    conf: cfg.ConfigOpts, connections: int
) -> ks_session.Session:
    options = conf[_GROUP]
    return ks_session.Session(
        auth=_load_auth(conf),
        session=_connection_pool(connections),
        verify=False if options.insecure else (options.cafile or True),
        cert=_certificate(options),
        timeout=options.request_timeout * ANSWER_SHARE,
        app_name="nova-ha",
    )


def _load_auth(conf: cfg.ConfigOpts) -> plugin.BaseAuthPlugin:
    try:
        auth = loading.load_auth_from_conf_options(conf, _GROUP)
    except ks_exc.ClientException as error:
        # Names the missing options; their values are not in it.
        raise exception.ConfigError(
            f"[{_GROUP}] auth_type", str(error)
        ) from None
    if auth is None:
        raise exception.ConfigError(
            f"[{_GROUP}] auth_type",
            "is not set",
            "give the credentials of a user with the admin role, e.g. "
            "auth_type=password, auth_url, username, password, "
            "user_domain_name, project_name, project_domain_name",
        )
    return auth


def _certificate(
    options: cfg.ConfigOpts.GroupAttr,
) -> tuple[str, str] | str | None:
    if options.keyfile and not options.certfile:
        raise exception.ConfigError(
            f"[{_GROUP}] keyfile", "is of no use without certfile"
        )
    if options.keyfile:
        return options.certfile, options.keyfile
    return options.certfile or None


def _connection_pool(connections: int) -> requests.Session:
    """A pool in which no thread has to open a connection anew each time.

    The default of requests keeps 10 and throws the others away.
    """
    pool = requests.Session()
    for scheme in ("http://", "https://"):
        pool.mount(
            scheme, ks_session.TCPKeepAliveAdapter(pool_maxsize=connections)
        )
    return pool
