#!/bin/bash
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

# Called by stack.sh, unstack.sh and clean.sh once for each phase.

_XTRACE_NOVA_HA_PLUGIN=$(set +o | grep xtrace)
set +o xtrace

source "$NOVA_HA_DIR/devstack/lib/nova-ha"

if is_service_enabled nova-ha-agent nova-ha-engine nova-ha-zookeeper; then
    case "$1 $2" in
        "stack pre-install")
            echo_summary "Installing the system packages of nova_ha"
            install_nova_ha_packages
            ;;
        "stack install")
            echo_summary "Installing nova_ha"
            install_nova_ha
            ;;
        "stack post-config")
            echo_summary "Configuring nova_ha"
            configure_nova_ha
            create_nova_ha_accounts
            init_nova_ha
            # Before Nova: an agent sees the whole life of its nova-compute.
            start_nova_ha_agent
            ;;
        "stack extra")
            echo_summary "Starting nova_ha"
            start_nova_ha_engine
            ;;
        "unstack ")
            stop_nova_ha
            ;;
        "clean ")
            cleanup_nova_ha
            ;;
    esac
fi

$_XTRACE_NOVA_HA_PLUGIN
