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

"""From options to the notifier of a process."""

import oslo_messaging
from oslo_config import cfg

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import notify
from tests import base


class OpenTest(base.TestCase):
    def open(self, url):
        conf = cfg.ConfigOpts()
        conf([])
        notify.register_opts(conf)
        # Registers its own options when it is first asked for a transport.
        oslo_messaging.get_notification_transport(conf, url="fake://")
        conf.set_override("transport_url", url)
        return notify.open_notifier(conf, clock.SystemClock())

    def test_no_url_of_a_bus_is_an_error_that_does_not_quote_it(self):
        for url in ("nonsense", "rabbit://u:secret@host:port/"):
            error = self.assertRaises(exception.ConfigError, self.open, url)
            self.assertIn("transport_url", str(error))
            self.assertNotIn("secret", str(error))
            self.assertIn("rabbit://USER", str(error))

    def test_without_a_driver_nothing_is_sent(self):
        self.open("fake://").close()
