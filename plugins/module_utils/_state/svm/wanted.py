# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SVMs that the user wants, checked before anything is sent.

Source: "SVM deployment request", "SVM reconfiguration request", "SVM removal" (SVM management).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import InputError
from ..._module.context import Parameters
from ..._validation import require_ip_address, require_text
from .addresses import static_addressing

STATIC = "static"
_TEXTS = (
    "name",
    "svm_id",
    "infrastructure_id",
    "location",
    "storage",
    "flavor",
    "volume_type",
    "availability_zone",
    "server_group",
    "root_password",
    "klconfig_password",
    "new_klconfig_password",
)
_DEFAULT_KSC_PORTS = {"port": 14000, "ssl_port": 13000}
_TO_DEPLOY = ("name", "infrastructure_id", "location", "networks", "ksc", "root_password", "klconfig_password")
_FOR_GOOD = ("storage", "flavor", "volume_type", "availability_zone", "server_group")
"""Options that take effect when an SVM is deployed, and never again."""


@dataclass(frozen=True)
class WantedSvm:
    """One SVM as the user wrote it; what was not given is None.

    :param index: Its place in the list, for messages.
    :param networks: With exactly one primary.
    """

    index: int
    infrastructure_id: str = ""
    name: Optional[str] = None
    svm_id: Optional[str] = None
    location: Optional[str] = None
    storage: Optional[str] = None
    flavor: Optional[str] = None
    volume_type: Optional[str] = None
    availability_zone: Optional[str] = None
    server_group: Optional[str] = None
    networks: Optional[list[dict[str, Any]]] = None
    ksc: Optional[Mapping[str, Any]] = None
    dns: Optional[Mapping[str, Any]] = None
    allow_root_ssh: Optional[bool] = None
    root_password: Optional[str] = field(default=None, repr=False)
    klconfig_password: Optional[str] = field(default=None, repr=False)
    new_klconfig_password: Optional[str] = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """How messages name it."""
        return str(self.name or self.svm_id)

    @property
    def static(self) -> bool:
        """Whether any of its networks has static addressing."""
        return any(network["addressing"] == STATIC for network in self.networks or [])


def wanted_svms(parameters: Parameters) -> list[WantedSvm]:
    """Return the SVMs of the parameters.

    :raises InputError: naming the first option that cannot be right.
    """
    state = parameters["state"]
    require_text(parameters.get("image_id"), "image_id")
    require_text(parameters.get("localization"), "localization")
    if parameters["threads_count"] < 1:
        raise InputError("threads_count must be 1 or more.")
    wanted = [_checked(index, entry, parameters) for index, entry in enumerate(parameters["svms"])]
    if state == "present":
        creates = [one for one in wanted if one.svm_id is None]
        if creates and not parameters.get("image_id"):
            raise InputError("image_id is missing: SVMs are deployed from an image, see ksvla_svm_image.")
    _refuse_repeated(wanted)
    return wanted


def _checked(index: int, entry: Mapping[str, Any], parameters: Parameters) -> WantedSvm:
    where, state = f"svms[{index}]", parameters["state"]
    for option in _TEXTS:
        require_text(entry.get(option), f"{where}.{option}")
    if entry.get("name") is None and entry.get("svm_id") is None:
        raise InputError(f"{where} needs a name or a svm_id.")
    if entry.get("infrastructure_id") is None:
        raise InputError(f"{where}.infrastructure_id is missing: it tells in which infrastructure the SVM is.")
    if state == "present" and entry.get("svm_id") is None:
        missing = [option for option in _TO_DEPLOY if not entry.get(option)]
        if missing:
            raise InputError(f"{where} ({entry.get('name')}) lacks {', '.join(missing)}: needed to deploy an SVM.")
    if state == "reconfigured":
        _check_reconfigured(where, entry)
    if entry.get("new_klconfig_password") and state == "present":
        raise InputError(f"{where}.new_klconfig_password goes with state: reconfigured; give klconfig_password.")
    networks = None if state == "absent" else _networks(where, entry.get("networks"))
    ksc = _ksc(entry.get("ksc"), parameters)
    checked = WantedSvm(index, **{**entry, "networks": networks, "ksc": ksc})
    if state != "absent":
        _check_connections(where, checked)
    return checked


def _check_reconfigured(where: str, entry: Mapping[str, Any]) -> None:
    if not entry.get("klconfig_password"):
        raise InputError(f"{where}.klconfig_password is missing: the present password of klconfig is needed.")
    changes = ("networks", "ksc", "dns", "root_password", "new_klconfig_password")
    if not any(entry.get(option) for option in changes) and entry.get("allow_root_ssh") is None:
        raise InputError(f"{where} has nothing to reconfigure: give {', '.join(changes)} or allow_root_ssh.")


def _ksc(ksc: Optional[Mapping[str, Any]], parameters: Parameters) -> Optional[Mapping[str, Any]]:
    """Return the connection to the Administration Server; what is not given has the usual value."""
    if not ksc:
        return ksc
    usual = {**_DEFAULT_KSC_PORTS, "language": parameters.get("localization")}
    return {**usual, **{option: value for option, value in ksc.items() if value is not None}}


def doubtful_changes(parameters: Parameters) -> Iterator[str]:
    """Give a warning for each SVM that is reconfigured in another way than its options seem to say.

    The server does not show what connection to the Administration Server an SVM has, and replaces it as a whole. It has no
    call that moves an SVM.
    """
    for index, entry in enumerate(parameters["svms"]):
        kept = [option for option in _FOR_GOOD if entry.get(option)]
        if kept:
            yield (
                f"svms[{index}]: {', '.join(kept)} cannot be changed of an SVM that is there and left as it is. Remove it "
                "with state absent and deploy it anew."
            )
        ksc = entry.get("ksc")
        missing = [option for option in ("port", "ssl_port", "language") if not ksc.get(option)] if ksc else []
        if missing:
            values = _ksc(ksc, parameters) or {}
            usual = ", ".join(f"{option} {values[option]}" for option in missing)
            yield (
                f"svms[{index}].ksc is replaced as a whole and gets {usual}, as nothing else is given. If the SVM has "
                "other values, give them."
            )


def _check_connections(where: str, wanted: WantedSvm) -> None:
    dns = wanted.dns or {}
    for option in ("main", "alternative"):
        require_ip_address(dns.get(option), f"{where}.dns.{option}")
    if wanted.static and not dns.get("main"):
        raise InputError(f"{where}.dns.main is missing: static addressing needs a DNS server.")
    ksc = wanted.ksc or {}
    if wanted.ksc is not None:
        require_text(ksc.get("address") or "", f"{where}.ksc.address")
    for option in ("port", "ssl_port"):
        if ksc.get(option) is not None and not 0 < ksc[option] < 65536:
            raise InputError(f"{where}.ksc.{option} must be from 1 to 65535, not {ksc[option]}.")


def _networks(where: str, networks: Optional[Sequence[Mapping[str, Any]]]) -> Optional[list[dict[str, Any]]]:
    """Return the networks with exactly one primary: a single one is it by itself."""
    if networks is None:
        return None
    if not networks:
        raise InputError(f"{where}.networks is empty: an SVM needs a network; leave it out to leave networks alone.")
    checked = [_network(f"{where}.networks[{index}]", network) for index, network in enumerate(networks)]
    if len(checked) == 1 and checked[0].get("primary") is None:
        checked[0]["primary"] = True
    primary = sum(1 for network in checked if network.get("primary"))
    if primary != 1:
        raise InputError(f"{where}.networks must have exactly one primary network (primary: true), not {primary}.")
    return checked


def _network(where: str, network: Mapping[str, Any]) -> dict[str, Any]:
    require_text(network.get("network"), f"{where}.network")
    vlan_id = network.get("vlan_id")
    if vlan_id is not None and not 0 <= vlan_id <= 4094:
        raise InputError(f"{where}.vlan_id must be from 0 to 4094, not {vlan_id}.")
    details = ("ip_addresses", "mask", "gateway")
    if network["addressing"] != STATIC:
        wrong = [option for option in details if network.get(option)]
        if wrong:
            raise InputError(f"{where}: {', '.join(wrong)} can be given with addressing: static only.")
        return dict(network)
    missing = [option for option in details if not network.get(option)]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}: needed for static addressing.")
    return static_addressing(where, network)


def _refuse_repeated(wanted: Sequence[WantedSvm]) -> None:
    """Refuse an SVM that is listed twice."""
    seen: dict[tuple[str, ...], WantedSvm] = {}
    for one in wanted:
        infrastructure_id = one.infrastructure_id.lower()
        keys: list[tuple[str, ...]] = [("SVM id", infrastructure_id, one.svm_id)] if one.svm_id else []
        if one.name and not one.svm_id:
            keys.append(("name", infrastructure_id, one.location or "", one.name))
        for key in keys:
            if key in seen:
                raise InputError(f"svms[{seen[key].index}] and svms[{one.index}] have the same {key[0]}: {key[-1]}.")
            seen[key] = one
