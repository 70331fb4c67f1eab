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

"""Steps as log lines: the code first, so that they can be filtered."""

import logging as stdlib_logging

from oslo_log import log as logging

from nova_ha import ports
from nova_ha.core import model

LOG = logging.getLogger(__name__)

LEVELS = {
    model.Severity.INFO: stdlib_logging.INFO,
    model.Severity.WARNING: stdlib_logging.WARNING,
    model.Severity.ALARM: stdlib_logging.ERROR,
}


class LogNotifier(ports.Notifier):
    """One line a step."""

    def emit(self, event: model.AuditEvent) -> None:
        LOG.log(LEVELS[event.severity], "%s", line(event))


def line(event: model.AuditEvent) -> str:
    """``code host=... case=... message``, on one line whatever it holds."""
    parts = [event.code]
    if event.host is not None:
        parts.append(f"host={event.host}")
    if event.case is not None:
        parts.append(f"case={event.case}")
    parts.append(event.message)
    return " ".join(" ".join(parts).split())
