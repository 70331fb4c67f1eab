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

"""Somebody who has stolen the credentials of a hypervisor's agent."""

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import znodes
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import parts as parts_mod


def write(parts: parts_mod.Parts, host: str, path: str, data: str) -> None:
    """Try to write a node; the journal tells what ZooKeeper says to that.

    :param host: whose agent's credentials are used, from that host.
    :param path: below the root of the tree.
    """
    program = kernel_mod.Program(parts.kernel, host)
    program.spawn(lambda: _write(parts, program, path, data), "thief")


def _write(
    parts: parts_mod.Parts, program: kernel_mod.Program, path: str, data: str
) -> None:
    session = parts.zookeeper.client(
        program,
        program.name,
        user=acl.Role.AGENT.value,
        host=program.name,
    )
    try:
        _set_or_create(session, f"{parts.paths.root}/{path}", data.encode())
    except exception.NovaHaError as error:
        parts.journal.note(program.name, "zookeeper.refused", str(error))
    else:
        parts.journal.note(program.name, "zookeeper.written", path)
    session.close()


def _set_or_create(session: znodes.Znodes, path: str, data: bytes) -> None:
    try:
        session.set(path, data)
    except znodes.NodeMissing:
        session.create(path, data)
