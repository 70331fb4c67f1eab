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

"""Who may do what, by oslo.policy.

The names of the rules, their defaults and their meaning; policy_file overrides
them.
"""

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_policy import opts
from oslo_policy import policy

from nova_ha import exception
from nova_ha.core import audit
from nova_ha.rpc import callers
from nova_ha.rpc import messages

POLICY_FILE = "policy.yaml"
"""Beside nova-ha.conf unless [oslo_policy] policy_file names another."""

_ADMIN = "nova_ha:admin"
_READER = "nova_ha:reader"

READ = "nova_ha:read"
PAUSE = "nova_ha:pause"
RESUME = "nova_ha:resume"
ARM = "nova_ha:arm"
DISARM = "nova_ha:disarm"
CONFIRM = "nova_ha:confirm_fenced"
EVACUATE = "nova_ha:evacuate"
MAINTENANCE = "nova_ha:host:maintenance"
RESERVE = "nova_ha:host:reserve"
DOMAINS = "nova_ha:host:domains"
RELEASE = "nova_ha:host:release"
POWER = "nova_ha:fence:power"
CLEAR = "nova_ha:fence:clear"

_COMMANDS = {
    PAUSE: ("Stop everything at its next step.", ["pause"]),
    RESUME: ("End a pause.", ["resume"]),
    ARM: ("Let nova_ha fence and evacuate.", ["arm"]),
    DISARM: ("Have it only watch and judge.", ["disarm"]),
    CONFIRM: (
        "Vouch that a host is off. That is proof: its instances are started "
        "elsewhere at once, and a mistake corrupts their disks.",
        ["confirm-fenced"],
    ),
    EVACUATE: ("Have a host recovered that is dead.", ["evacuate"]),
    MAINTENANCE: (
        "Take a host out, or bring it back.",
        ["host maintenance"],
    ),
    RESERVE: ("Keep a host free for evacuated instances.", ["host reserve"]),
    DOMAINS: (
        "Say which hosts share a failure or a storage domain.",
        ["host domains"],
    ),
    RELEASE: ("Take a host out of quarantine.", ["host release"]),
    POWER: (
        "Keep a record of switching a host. The command itself speaks to the "
        "devices, with the fencing.yaml of its machine, and does not without "
        "the record.",
        ["fence off", "fence on"],
    ),
    CLEAR: ("Believe a barred fence device again.", ["fence clear"]),
}

_READING = (
    "status",
    "watch",
    "host list",
    "host show",
    "case list",
    "case show",
    "case export",
    "fence check",
    "fence audit",
)


def list_rules() -> list[policy.RuleDefault]:
    """All rules, documented, with their defaults."""
    return [
        policy.RuleDefault(
            _ADMIN,
            "role:admin",
            "Who may change something, where no rule below says otherwise.",
        ),
        policy.RuleDefault(
            _READER,
            f"rule:{_ADMIN} or (role:reader and system_scope:all)",
            "Who may look. Each user has the role reader in a project of "
            "their own; the hypervisors are nobody's project.",
        ),
        _rule(
            READ,
            _READER,
            "Read hosts, verdicts, cases, switches and what operators did. "
            "Most commands read before they change anything.",
            _READING,
        ),
        *(
            _rule(name, _ADMIN, meaning, commands)
            for name, (meaning, commands) in _COMMANDS.items()
        ),
    ]


def _rule(
    name: str, who: str, meaning: str, commands: Sequence[str]
) -> policy.DocumentedRuleDefault:
    # A path and a method are what an API would have.
    operations: list[Any] = [
        {"method": "nova-ha", "path": one} for one in commands
    ]
    return policy.DocumentedRuleDefault(
        name, f"rule:{who}", meaning, operations
    )


def of_switch(asked: messages.Switch) -> Sequence[str]:
    """The rules for what is switched."""
    found = []
    if asked.armed is not None:
        found.append(ARM if asked.armed else DISARM)
    if asked.paused is not None:
        found.append(PAUSE if asked.paused else RESUME)
    return found or [READ]


def of_deed(entry: audit.Entry) -> Sequence[str]:
    """The rules for what is put on record."""
    return [CLEAR if entry.deed is audit.Deed.CLEAR else POWER]


def enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """One that knows the rules."""
    # Older releases of oslo.policy look for policy.json.
    opts.set_defaults(conf, policy_file=POLICY_FILE)
    made = policy.Enforcer(conf)
    made.register_defaults(list_rules())
    return made


def default_enforcer() -> policy.Enforcer:
    """For oslo.policy's own commands, such as oslopolicy-policy-generator."""
    conf = cfg.ConfigOpts()
    conf([], project="nova-ha")
    return enforcer(conf)


class Rights:
    """The rules in force; policy_file is read again when it changes."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """:raises ConfigError: policy_file cannot be used."""
        self._enforcer = enforcer(conf)
        self._load()

    def demand(self, rule: str, caller: callers.Caller) -> None:
        """:raises Forbidden: ``caller`` may not.
        :raises ConfigError: policy_file cannot be used any more.
        """
        self._load()
        if not self._enforcer.authorize(rule, {}, dict(caller.credentials)):
            raise exception.Forbidden(
                f"the rule {rule} of nova_ha's policy does not permit it to "
                f"{caller.name}"
            )

    def _load(self) -> None:
        try:
            self._enforcer.load_rules()
        except (ValueError, cfg.Error, OSError) as error:
            raise exception.ConfigError(
                "[oslo_policy] policy_file", " ".join(str(error).split())
            ) from None
