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

"""What etc/ holds for a distribution: judged by the tools that read it."""

import configparser
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests import base

ETC = pathlib.Path(__file__).resolve().parents[2] / "etc/nova-ha"
UNITS = sorted((ETC / "systemd").glob("*.service"))

EXPOSURE = 25
"""Of 100, by systemd-analyze: what it calls OK ends at 40."""


def read(path: pathlib.Path) -> configparser.ConfigParser:
    """A unit, whose repeated options are not looked at."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def entries() -> list[list[str]]:
    """Type, path, mode, user and group of all files of tmpfiles.d."""
    return [
        line.split()[:5]
        for path in (ETC / "tmpfiles.d").glob("*.conf")
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    ]


class UnitTest(base.TestCase):
    def test_the_agent_starts_before_nova_and_gates_it(self):
        agent = read(ETC / "systemd/nova-ha-agent.service")
        for name in ("nova-compute", "libvirt-guests"):
            gate = read(ETC / f"systemd/{name}.service.d/nova-ha.conf")
            # As root, and in whatever state nova's own things are.
            self.assertRegex(
                gate["Service"]["ExecStartPre"],
                r"^\+/usr/bin/nova-ha-agent .* wait-ready$",
            )
            self.assertEqual("infinity", gate["Service"]["TimeoutStartSec"])
            self.assertEqual("nova-ha-agent.service", gate["Unit"]["After"])
        self.assertIn("nova-compute.service", agent["Unit"]["Before"])

    def test_every_user_is_made_by_somebody(self):
        made = {"root", "nova"} | set(
            re.findall(
                r"(?m)^u\s+(\S+)",
                (ETC / "sysusers.d/nova-ha.conf").read_text(),
            )
        )
        used = {read(path)["Service"]["User"] for path in UNITS}
        for _, _, _, user, group in entries():
            used |= {user, group}
        self.assertEqual(set(), used - made)

    def test_no_secret_is_for_everybody(self):
        modes = [
            int(mode, 8) for kind, _, mode, *_ in entries() if kind == "z"
        ]
        self.assertNotEqual([], modes)
        self.assertEqual([], [mode for mode in modes if mode & 0o027])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd")
    def test_systemd_understands_the_units_and_finds_them_hardened(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        for unit in UNITS:
            copy = pathlib.Path(directory) / unit.name
            # Not installed here.
            copy.write_text(
                re.sub(
                    r"(?m)^ExecStart=\S+",
                    "ExecStart=/bin/true",
                    unit.read_text(),
                )
            )
            # It passes over what it does not know, and says so.
            self.assertNotIn(
                unit.name, self._analyze("verify", "--man=no", str(copy))
            )
            self._analyze(
                "security",
                "--offline=true",
                f"--threshold={EXPOSURE}",
                str(copy),
            )

    def _analyze(self, *arguments: str) -> str:
        done = subprocess.run(
            ["systemd-analyze", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stderr
