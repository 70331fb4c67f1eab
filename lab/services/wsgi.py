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

"""OpenStack's APIs under gunicorn."""

from collections.abc import Mapping

from lab import files
from lab import network
from lab import process
from lab.services import base

_GUNICORN = """\
import sys

# OpenStack's applications parse the command line as if it were theirs.
sys.argv = sys.argv[:1]
bind = "{host}:{port}"
worker_class = "gthread"
workers = {workers}
threads = {threads}
timeout = 300
keepalive = 75
graceful_timeout = 2
control_socket_disable = True
"""


def server(
    site: base.Site,
    name: str,
    application: str,
    env: Mapping[str, str],
    workers: int = 1,
    threads: int = 16,
) -> process.Process:
    """gunicorn with one application, on the port of ``name``.

    :param application: ``module:attribute``.
    """
    settings = site.etc / f"gunicorn-{name}.py"
    files.write(
        settings,
        _GUNICORN.format(
            host=network.LOOPBACK,
            port=site.ports.get(name),
            workers=workers,
            threads=threads,
        ),
    )
    return site.server(
        name,
        [base.BIN / "gunicorn", "--config", settings, application],
        env,
    )


def auth_token(
    site: base.Site, user: str, memcached: str
) -> dict[str, object]:
    """The ``[keystone_authtoken]`` section of a service."""
    return credentials(site, user) | {
        "www_authenticate_uri": site.url("keystone") + "/v3",
        "memcached_servers": memcached,
        "service_token_roles": "service",
        "service_token_roles_required": True,
    }


def credentials(site: base.Site, user: str) -> dict[str, object]:
    """keystoneauth's options for one of the service users."""
    return {
        "auth_type": "password",
        "auth_url": site.url("keystone") + "/v3",
        "username": user,
        "password": site.passwords.get(user),
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


#: The one region of the lab.
REGION = "RegionOne"
