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

"""Which machine this is, and under which name it goes."""

import pathlib

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import exception
from nova_ha import version
from nova_ha.core import model

LOG = logging.getLogger(__name__)

_LONGEST_NAME = 255
"""Nova's own limit for a host name."""

# What systemd leaves in /etc/machine-id of an image before its first boot.
_NO_MACHINE_ID = ("", "uninitialized")


def describe_self(conf: cfg.ConfigOpts) -> model.Beacon:
    """Return this host's beacon, still without check results and roles.

    Needs the options of :mod:`nova_ha.conf.agent`.

    :raises ConfigError: the host has no usable name, machine or boot id.
    """
    return model.Beacon(
        host=host_name(conf),
        boot_id=model.BootId(
            _required(conf.agent.boot_id_file, "[agent] boot_id_file")
        ),
        machine_id=read_machine_id(conf.agent.machine_id_file),
        system_uuid=_system_uuid(conf.agent.system_uuid_file),
        agent_version=version.version_string(),
    )


def host_name(conf: cfg.ConfigOpts) -> model.HostName:
    """Return ``[DEFAULT] host``, exactly as it is written.

    :raises ConfigError: it is no name that Nova could have.
    """
    return check_name(conf.host or "", "[DEFAULT] host")


def check_name(name: str, option: str) -> model.HostName:
    """Return the name of a Nova service as it is written.

    :param option: what has named it, for the error.
    :raises ConfigError: it is no name that Nova could have.
    """
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise exception.ConfigError(
            option,
            f"{name[:80]!r} is not the name of a Nova service",
            "take it from 'openstack compute service list'",
        )
    return model.HostName(name)


def read_machine_id(path: str) -> str:
    """Return the id of this installation of an operating system.

    :raises ConfigError: there is none.
    """
    option = "[agent] machine_id_file"
    machine_id = _required(path, option).lower()
    if machine_id in _NO_MACHINE_ID:
        raise exception.ConfigError(
            option,
            f"{path} holds no machine id yet",
            "run systemd-machine-id-setup; clones need an id of their own",
        )
    return machine_id


def _required(path: str, option: str) -> str:
    try:
        value = pathlib.Path(path).read_text().strip()
    except UnicodeDecodeError:
        value = ""
    except OSError as error:
        raise exception.ConfigError(
            option, f"{path}: {error.strerror}"
        ) from error
    if not value or not value.isprintable():
        raise exception.ConfigError(option, f"{path} holds no id")
    return value


def _system_uuid(path: str) -> str:
    """Return the DMI system UUID in lower case, empty where there is none:
    not every machine has one, and its chassis can be checked by hand."""
    try:
        return pathlib.Path(path).read_text().strip().lower()
    except (OSError, UnicodeDecodeError) as error:
        LOG.warning(
            "The system UUID is not known (%s), so it cannot be compared "
            "with what the fence device reports",
            getattr(error, "strerror", None) or "not text",
        )
        return ""
