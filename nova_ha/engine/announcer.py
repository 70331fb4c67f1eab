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

"""What is told of hosts beside their cases."""

from oslo_log import log as logging

from nova_ha.core import model
from nova_ha.core import publication
from nova_ha.core import verdict as verdict_mod
from nova_ha.engine import telling

LOG = logging.getLogger(__name__)

VERDICT, WOULD, MISTAKE = "verdict", "would", "mistake"
"""Topics of what is told of a host: each change once."""


class Announcer:
    """Words for what the controller finds."""

    def __init__(self, teller: telling.Teller) -> None:
        self._teller = teller

    def verdict(self, host: model.HostName, verdict: model.Verdict) -> None:
        """A host is judged otherwise than before."""
        code, severity = publication.code(verdict)
        if code == (self._teller.last(host, VERDICT) or "host.alive"):
            return
        message = verdict_mod.EXPLAIN[verdict.reason]
        if verdict.detail:
            message += f" ({verdict.detail})"
        self._teller.renew(host, WOULD)
        self._teller.once(
            host,
            VERDICT,
            model.AuditEvent(
                code=code, severity=severity, host=host, message=message
            ),
        )

    def would_fence(
        self,
        host: model.HostName,
        verdict: model.Verdict,
        stopped: model.Hold,
    ) -> None:
        """It would be fenced, were it not for a switch."""
        self._teller.once(
            host,
            WOULD,
            model.AuditEvent(
                code="host.would_fence",
                severity=model.Severity.WARNING,
                host=host,
                message=f"would fence {host}: "
                f"{verdict_mod.EXPLAIN[verdict.reason]}; nothing is "
                f"done: {stopped.value}",
            ),
        )

    def mistake(self, host: model.HostName, error: Exception) -> None:
        """Of ours, about one host; called where it was caught."""
        told = self._teller.once(
            host,
            MISTAKE,
            model.AuditEvent(
                code="engine.mistake",
                severity=model.Severity.ALARM,
                host=host,
                message=f"{type(error).__name__} in this engine: the host is "
                "not looked after; the log has the details. Report it",
            ),
        )
        if told:
            LOG.exception("Host %s could not be looked after", host)
