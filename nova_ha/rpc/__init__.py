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

"""The operators' commands over oslo.messaging.

Every engine serves the same topic, and any of them answers: it reads the tree,
or writes down what is asked for, and the leading engine, which watches the
tree, acts on it. So nothing depends on the bus: :mod:`.client` is one of two
stores of the command line, and the other goes to ZooKeeper directly.
"""
