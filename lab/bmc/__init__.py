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
"""Baseboard management controllers that really cut a machine's power.

Both kinds are real network services: ipmi_sim for IPMI, sushy-emulator for
Redfish. What they report and change is the fake machine's power. A fault is
told to them while they run (:class:`lab.bmc.faults.Faults`), and each keeps
a transcript of what it was asked and what it answered.
"""
