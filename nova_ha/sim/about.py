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

"""What an entry of the journal is about."""

from nova_ha.core import model
from nova_ha.sim import journal as journal_mod


def event(entry: journal_mod.Entry) -> model.AuditEvent | None:
    """The engine's own event, where an engine has told it."""
    told = entry.details.get("event")
    return told if isinstance(told, model.AuditEvent) else None


def host(entry: journal_mod.Entry) -> str:
    """The host that it names, or else whom it happened to."""
    told = event(entry)
    if told is not None and told.host is not None:
        return str(told.host)
    return str(entry.details.get("host", entry.who))


def concerns(entry: journal_mod.Entry, name: str) -> bool:
    """Whether it is about a host, an engine or an instance."""
    if name in (entry.who, host(entry), entry.details.get("instance")):
        return True
    told = event(entry)
    return told is not None and told.details.get("instance") == name
