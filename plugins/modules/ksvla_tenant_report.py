#!/usr/bin/python
# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generates and fetches a protection report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ksvla_tenant_report
short_description: Generate a protection report and fetch it
version_added: 1.0.0
description:
  - Has the Integration Server generate a report on when virtual machines were protected, and fetches it as a CSV file.
  - The file is fetched into a temporary file in the folder of O(dest), readable by its owner only. After an
    interruption the module continues where it stopped. The file is moved into place when it is whole and differs from
    the existing one.
  - What is not a report, such as a page of a proxy, is refused, and an existing file stays.
  - A report of the same tenant and period that an earlier run on this machine started and did not fetch is fetched
    instead of generating another, up to an hour after it was started.
  - The report is summed up while it is fetched, in memory that grows neither with its size nor with the number of virtual
    machines. A large one needs temporary files meanwhile, of up to a fifth of its size, in the folder of O(dest).
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ksvla.light_agent.waiting
  - ksvla.light_agent.waiting.canceling
  - ksvla.light_agent.attributes
  - ksvla.light_agent.attributes.multitenancy
  - ansible.builtin.files
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second time changes nothing.
    support: partial
    details: A new report may hold new periods. Give both ends of the period, in the past, to get the same content again.
options:
  tenant_name:
    description:
      - Name of the tenant to report on, compared exactly.
      - With neither O(tenant_name) nor O(tenant_id) the report is about all virtual machines, also those of no tenant.
      - In check mode, a tenant that does not exist is assumed to be created by an earlier task; a warning says so.
    type: str
  tenant_id:
    description:
      - Id of the tenant to report on.
    type: str
  period_start:
    description:
      - Beginning of the period as C(YYYY-MM-DDThh:mm:ss) without a zone, in the server's time. A date alone means the
        beginning of that day.
      - By default the earliest record of the server.
    type: str
  period_end:
    description:
      - End of the period, written in the same way. By default now.
      - The records are reliable when the end is at least 60 minutes ago.
    type: str
  report_id:
    description:
      - Fetch this report, made before, instead of generating one. The server keeps reports for 24 hours.
    type: str
  dest:
    description:
      - The file to write. Without it the report is only read, for its summary.
      - A new file is readable by its owner only. One that is replaced keeps its owner and permissions, unless O(owner),
        O(group) or O(mode) say otherwise.
    type: path
  summary:
    description:
      - What RV(summary) is about.
      - With V(vms), a report on more than 50,000 virtual machines is written to O(dest), and then the task fails.
      - With V(none), fetching is fastest.
    type: str
    choices: [none, tenants, vms]
    default: tenants
  return_periods:
    description:
      - Whether to return every single period.
      - A report with more than 50,000 periods is written to O(dest), and then the task fails.
    type: bool
    default: false
  allow_less:
    description:
      - Whether the report may replace a file that holds more. Otherwise the task fails, and the file stays.
      - A file holds more when it has more protection periods or more virtual machines in the time between
        O(period_start) and O(period_end), so that the report of another month may replace it. A report without periods
        replaces none that has some, and with O(report_id) the whole file counts.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait for the report to be generated, including the requests. Fetching it is not limited.
    type: float
    default: 600
notes:
  - Protection reports must be enabled on the Integration Server (C(EnableProtectionReports)), or they are empty.
  - In check mode no report is generated, so its content is not known; a change is predicted. With O(report_id) the
    report is read and the prediction is exact.
  - With O(wait=false) the report is not fetched. A later task with the same tenant and period that waits fetches it,
    and so does one with O(report_id). The task counts as changed if it started a report, not if it attached to one.
"""

EXAMPLES = r"""
- name: Fetch the report of a tenant for January
  ksvla.light_agent.ksvla_tenant_report:
    host: ksv.example.com
    ca_path: /etc/ksv/ca.pem
    password: "{{ vault_multitenancy_password }}"
    tenant_name: Northwind
    period_start: "2026-01-01T00:00:00"
    period_end: "2026-02-01T00:00:00"
    dest: /srv/reports/northwind-2026-01.csv
    mode: "0640"
    summary: vms
  register: january

- name: Show for how many hours each virtual machine was protected
  ansible.builtin.debug:
    msg: "{{ item.vm_name }}: {{ item.protected_seconds // 3600 }} h"
  loop: "{{ january.summary }}"

- name: Go on fetching a report after a break
  ksvla.light_agent.ksvla_tenant_report:
    report_id: 3a5ed0c4-0b6b-4f0a-8f0e-6a2c1b0d9e8f
    dest: /srv/reports/all.csv
"""

RETURN = r"""
report_id:
  description: Id of the report on the server; V(none) in check mode, unless it was given, and with O(wait=false) until
    it is finished.
  returned: always, also on failure
  type: str
  sample: 3a5ed0c4-0b6b-4f0a-8f0e-6a2c1b0d9e8f
dest:
  description: The file that was written.
  returned: always
  type: str
  sample: /srv/reports/northwind-2026-01.csv
size_bytes:
  description: Length of the report.
  returned: always
  type: int
  sample: 5120
checksum_sha256:
  description: SHA-256 of the report.
  returned: always
  type: str
  sample: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
periods:
  description: Every period of the report.
  returned: with O(return_periods=true)
  type: list
  elements: dict
  sample:
    - tenant_id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
      tenant_name: Northwind
      vm_id: 0a4f7e53-6d38-4f0a-9a55-6e0c0d1c2b3a
      vm_name: web-01
      protected_from: "2026-01-01T08:00:00"
      protected_to: "2026-01-01T20:00:00"
summary:
  description:
    - How many periods there are, and how many seconds they cover. Periods of one virtual machine that overlap count once.
    - With O(summary=tenants), an entry for each tenant, with the number of its virtual machines in C(vms).
    - With O(summary=vms), an entry for each virtual machine, with C(vm_id) and C(vm_name). With O(summary=none), none.
    - C(tenant_id) and C(tenant_name) are V(none) for virtual machines of no tenant.
  returned: always
  type: list
  elements: dict
  sample:
    - tenant_id: 6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11
      tenant_name: Northwind
      vms: 2
      periods: 3
      protected_seconds: 86400
tasks:
  description: The task of the server that generated the report, as it was last seen. On failure, without the one in
    RV(task).
  returned: always, also on failure
  type: list
  elements: dict
  sample: []
task:
  description: The task of the server that failed or did not end in time.
  returned: on failure, when there is one
  type: dict
  sample:
    id: 0b3f5a44-8f0e-4a53-9c7b-0d7d3f1d9a11
    type: CreateTenantReport
    state: Failed
    stage: WritingReport
    progress: 50
    created: "2026-01-31T12:00:00"
    state_changed: "2026-01-31T12:00:07"
    last_changed: "2026-01-31T12:00:07"
    result:
    error: The connection to Kaspersky Security Center is not configured.
    error_code: KSC_ServiceNotConfigured
    parameters: {}
    children: []
remaining:
  description: What is still to be done, with O(wait=false).
  returned: always
  type: list
  elements: str
  sample: [fetch]
error_code:
  description: The server's own code of the error.
  returned: on failure, when the server gives one
  type: str
  sample: VIRMT_TenantWithSpecifiedIdNotFound
hint:
  description: What to do about the error.
  returned: on failure, when there is something to advise
  type: str
  sample: "No tenant has this id: list the tenants with ksvla_tenant_info, or give the tenant's name instead of its id."
"""

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import ModuleDefinition
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import run_module
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.ensure import fetch_report

DEFINITION = ModuleDefinition(
    function=fetch_report,
    never_blank=["tenant_name", "tenant_id", "period_start", "period_end", "report_id", "dest"],
    options={
        **arguments.connection(),
        **arguments.multitenancy_account(),
        **arguments.waiting(600, cancel=True),
        "tenant_name": {"type": "str"},
        "tenant_id": {"type": "str"},
        "period_start": {"type": "str"},
        "period_end": {"type": "str"},
        "report_id": {"type": "str"},
        "dest": {"type": "path"},
        "summary": {"type": "str", "choices": ["none", "tenants", "vms"], "default": "tenants"},
        "return_periods": {"type": "bool", "default": False},
        "allow_less": {"type": "bool", "default": False},
    },
    mutually_exclusive=[
        ("tenant_name", "tenant_id"),
        *(("report_id", option) for option in ("tenant_name", "tenant_id", "period_start", "period_end")),
    ],
    writes_files=True,
)


def main() -> None:
    """Run the module."""
    run_module(DEFINITION)


if __name__ == "__main__":
    main()
