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
"""A file to source for work by hand."""

import pathlib
import shlex
from collections.abc import Mapping

from lab import files
from lab.services import base
from lab.services import keystone
from lab.services import wsgi

#: The last microversion in which an evacuated server starts again.
MICROVERSION = "2.94"


def write(site: base.Site, extra: Mapping[str, str]) -> pathlib.Path:
    """Write ``openrc``, which holds the administrator's password.

    :param extra: further variables.
    """
    variables = {
        "OS_AUTH_URL": site.url("keystone") + "/v3",
        "OS_USERNAME": keystone.ADMIN,
        "OS_PASSWORD": site.passwords.get(keystone.ADMIN),
        "OS_PROJECT_NAME": keystone.ADMIN,
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_REGION_NAME": wsgi.REGION,
        "OS_COMPUTE_API_VERSION": MICROVERSION,
        **extra,
    }
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
    ]
    lines.append(f"export PATH={shlex.quote(str(base.BIN))}:$PATH")
    path = site.state_dir / "openrc"
    files.write(path, "\n".join(lines) + "\n")
    return path
