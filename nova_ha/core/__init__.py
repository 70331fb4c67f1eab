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

"""The decisions of nova_ha: pure, no I/O, no clock, standard library only.

Read in this order: :mod:`model` (the nouns), :mod:`events` and
:mod:`actions` (what comes in, what goes out), :mod:`liveness` and
:mod:`verdict` (who is dead, and why we think so), :mod:`brake`,
:mod:`transitions` and :mod:`recovery` (what is done about it, state by
state), :mod:`proof` (what permits it), :mod:`surveys`, :mod:`intake`,
:mod:`moves`, :mod:`runners`, :mod:`targets` and :mod:`evacuation` (each
instance's way), :mod:`settling`, :mod:`leftovers` and :mod:`returning` (how it
ends).
"""
