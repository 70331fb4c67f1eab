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

"""What must hold, whatever happens: the invariants of the design.

One class an invariant. Each says what it checks, from which truth, and with
which tolerance and why. They know everything - what every machine runs, what
the tree holds, who leads - and are known to nobody who decides.

They look whenever something happens that could break them (an entry of the
journal, a change of the tree), at the very step, so that nothing can be
broken and mended between two looks.
"""
