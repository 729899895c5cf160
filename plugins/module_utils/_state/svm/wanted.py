# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SVMs that the user wants, checked before anything is sent.

Source: "SVM deployment request", "SVM reconfiguration request", "SVM removal" (SVM management).
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ..._addresses import require_address, split_address
from ..._errors import InputError
from ..._module.context import Parameters
from ..._validation import require_ip_address, require_no_final_line_break, require_text

STATIC, DYNAMIC = "static", "dynamic"
PRESENT, RECONFIGURED, ABSENT = "present", "reconfigured", "absent"
LANGUAGES = ("de", "en", "fr", "ja", "ru", "zh-Hans", "zh-Hant")
_WHICH = ("name", "svm_id", "infrastructure_id", "location")
_RESOURCES = ("storage", "flavor", "volume_type", "availability_zone", "server_group")
"""Options that take effect when an SVM is deployed, and never again."""
_PASSWORDS = ("root_password", "klconfig_password", "new_klconfig_password")
_KSC_PORTS = {"port": 14000, "ssl_port": 13000}
_TO_DEPLOY = ("name", "infrastructure_id", "location", "networks", "ksc", "root_password", "klconfig_password")
_STATIC_ONLY = ("ip_addresses", "mask", "gateway")
_LONGEST_PASSWORD = 60
_OF_PASSWORDS = frozenset(string.ascii_letters + string.digits + string.punctuation)


@dataclass(frozen=True)
class Network:
    """A network adapter as the user describes it; ``network`` is an id or a name."""

    network: str
    addressing: str = DYNAMIC
    primary: bool = False
    vlan_id: Optional[int] = None
    ip_addresses: tuple[str, ...] = ()
    mask: Optional[str] = None
    gateway: Optional[str] = None
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ksc:
    """How an SVM connects to the Administration Server; what was not given has the usual value."""

    address: str
    port: int
    ssl_port: int
    language: Optional[str] = None


@dataclass(frozen=True)
class Dns:
    """The DNS servers of an SVM."""

    main: str
    alternative: Optional[str] = None


@dataclass(frozen=True)
class WantedSvm:
    """One SVM as the user describes it; what was not given is None.

    :param index: Its place in the list, for messages.
    :param resources: What it is deployed on, by option: ``storage``, ``flavor``, and so on.
    :param networks: With exactly one primary; None to leave the networks as they are.
    """

    index: int
    infrastructure_id: str
    name: Optional[str] = None
    svm_id: Optional[str] = None
    location: Optional[str] = None
    resources: Mapping[str, str] = field(default_factory=dict)
    networks: Optional[tuple[Network, ...]] = None
    ksc: Optional[Ksc] = None
    dns: Optional[Dns] = None
    allow_root_ssh: Optional[bool] = None
    root_password: Optional[str] = field(default=None, repr=False)
    klconfig_password: Optional[str] = field(default=None, repr=False)
    new_klconfig_password: Optional[str] = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return str(self.name or self.svm_id)

    @property
    def where(self) -> str:
        return f"svms[{self.index}] ({self.label})"


@dataclass(frozen=True)
class WantedSvms:
    """What the user wants of all of them.

    :param all_with_name: Whether a removal takes every SVM that has the name in its place.
    :param warnings: What the options may not mean as they are written.
    """

    state: str
    svms: tuple[WantedSvm, ...]
    image_id: Optional[str] = None
    localization: Optional[str] = None
    skip_integrity_check: bool = False
    threads_count: int = 1
    all_with_name: bool = False
    warnings: tuple[str, ...] = ()


def wanted_svms(parameters: Parameters) -> WantedSvms:
    """Return the SVMs of the parameters; raise InputError naming the first option that is invalid."""
    state = parameters["state"]
    require_text(parameters.get("localization"), "localization")
    if parameters["threads_count"] < 1:
        raise InputError("threads_count must be 1 or more.")
    if parameters["all_with_name"] and state != ABSENT:
        raise InputError("all_with_name can be given with state: absent only.")
    svms = tuple(_svm(index, entry, parameters) for index, entry in enumerate(parameters["svms"]))
    if state == PRESENT and not parameters.get("image_id") and any(one.svm_id is None for one in svms):
        raise InputError("image_id is required: SVMs are deployed from an image, see ksvla_svm_image.")
    options = ("image_id", "localization", "skip_integrity_check", "threads_count", "all_with_name")
    given = {option: parameters[option] for option in options}
    return WantedSvms(state, svms, **given, warnings=() if state == ABSENT else tuple(_warnings(parameters)))


def _svm(index: int, entry: Mapping[str, Any], parameters: Parameters) -> WantedSvm:
    where, state = f"svms[{index}]", parameters["state"]

    def texts(options: Sequence[str]) -> dict[str, Any]:
        given = {option: entry[option] for option in options if entry.get(option) is not None}
        for option, text in given.items():
            require_text(text, f"{where}.{option}")
        return given

    which, resources, passwords = texts(_WHICH), texts(_RESOURCES), texts(_PASSWORDS)
    if "name" not in which and "svm_id" not in which:
        raise InputError(f"{where}: name or svm_id is required.")
    if "infrastructure_id" not in which:
        raise InputError(f"{where}.infrastructure_id is required: the infrastructure in which the SVM is.")
    if state == ABSENT:
        return WantedSvm(index, **which)
    _check_given(where, entry, state)
    for option, password in passwords.items():
        require_no_final_line_break(password, f"{where}.{option}")
        if state == PRESENT or option != "klconfig_password":
            _check_new_password(password, f"{where}.{option}")
    wanted = WantedSvm(
        index,
        **which,
        **passwords,
        resources=resources,
        networks=_networks(f"{where}.networks", entry.get("networks")),
        ksc=_ksc(f"{where}.ksc", entry.get("ksc"), parameters.get("localization")),
        dns=_dns(f"{where}.dns", entry.get("dns")),
        allow_root_ssh=entry.get("allow_root_ssh"),
    )
    if wanted.dns is None and any(network.addressing == STATIC for network in wanted.networks or ()):
        raise InputError(f"{where}.dns.main is required: static addressing needs a DNS server.")
    return wanted


def _check_given(where: str, entry: Mapping[str, Any], state: str) -> None:
    if state == PRESENT:
        missing = [option for option in _TO_DEPLOY if not entry.get(option)]
        if missing and entry.get("svm_id") is None:
            raise InputError(f"{where} ({entry.get('name')}): {_are(missing)} required to deploy an SVM.")
        if entry.get("new_klconfig_password"):
            raise InputError(
                f"{where}.new_klconfig_password can be given with state: reconfigured only. Give klconfig_password."
            )
        return
    if not entry.get("klconfig_password"):
        raise InputError(f"{where}.klconfig_password is required: the current password of klconfig.")
    changes = ("networks", "ksc", "dns", "root_password", "new_klconfig_password")
    if not any(entry.get(option) for option in changes) and entry.get("allow_root_ssh") is None:
        raise InputError(f"{where}: there is nothing to reconfigure. Give {', '.join(changes)} or allow_root_ssh.")


def _check_new_password(password: str, option: str) -> None:
    """Refuse a password that an SVM does not accept: a deployment would fail only after the image was uploaded."""
    if len(password) > _LONGEST_PASSWORD:
        raise InputError(f"{option} has more than {_LONGEST_PASSWORD} characters, which an SVM does not accept.")
    if not _OF_PASSWORDS.issuperset(password):
        accepted = f"Latin letters, digits and {string.punctuation}"
        raise InputError(f"{option} contains a character that an SVM does not accept. Use {accepted}")


def _ksc(where: str, ksc: Optional[Mapping[str, Any]], localization: Optional[str]) -> Optional[Ksc]:
    if ksc is None:
        return None
    address = ksc["address"].strip()
    require_address(address, f"{where}.address")
    if split_address(address)[1] is not None:
        raise InputError(f"{where}.address must not contain a port: {address!r}. Give port and ssl_port beside it.")
    for name in _KSC_PORTS:
        _require_range(ksc.get(name), f"{where}.{name}", 1, 65535)
    require_text(ksc.get("language"), f"{where}.language")
    usual = {**_KSC_PORTS, "language": localization}
    given = {name: value for name, value in ksc.items() if name in usual and value is not None}
    return Ksc(address, **{**usual, **given})


def _dns(where: str, dns: Optional[Mapping[str, Any]]) -> Optional[Dns]:
    if dns is None:
        return None
    for option in ("main", "alternative"):
        require_ip_address(dns.get(option), f"{where}.{option}")
    return Dns(**dns)


def _networks(where: str, networks: Optional[Sequence[Mapping[str, Any]]]) -> Optional[tuple[Network, ...]]:
    """Return the networks with exactly one primary: a single one is it by itself."""
    if networks is None:
        return None
    if not networks:
        raise InputError(f"{where} is empty: an SVM needs a network. Leave it out to leave the networks as they are.")
    alone = len(networks) == 1 and networks[0].get("primary") is None
    found = tuple(_network(f"{where}[{index}]", network, alone) for index, network in enumerate(networks))
    primary = sum(network.primary for network in found)
    if primary != 1:
        raise InputError(f"{where} must have exactly one primary network (primary: true), not {primary}.")
    return found


def _network(where: str, given: Mapping[str, Any], alone: bool) -> Network:
    _require_range(given.get("vlan_id"), f"{where}.vlan_id", 0, 4094)
    lists = {option: tuple(given.get(option) or ()) for option in ("ip_addresses", "security_groups")}
    network = Network(**{**given, **lists, "primary": alone or bool(given.get("primary"))})
    present = [option for option in _STATIC_ONLY if getattr(network, option)]
    missing = [option for option in _STATIC_ONLY if option not in present]
    if network.addressing == STATIC:
        if missing:
            raise InputError(f"{where}: {_are(missing)} required for static addressing.")
        return static_addressing(where, network)
    if present:
        raise InputError(f"{where}: {', '.join(present)} can be given with addressing: static only.")
    return network


def static_addressing(where: str, network: Network) -> Network:
    """Return an adapter with the mask as it is sent: dotted, and for IPv6 the length of the prefix.

    What may be right is accepted: networks of two addresses (/31, /127) and of one (/32, /128), where the gateway is
    elsewhere, and gateways of IPv6 that are link-local.

    :param where: How messages name the adapter, such as ``svms[0].networks[0]``.
    :raises InputError: naming the first option that cannot be right: an SVM that cannot be reached costs an hour.
    """
    for index, text in enumerate(network.ip_addresses):
        require_ip_address(text, f"{where}.ip_addresses[{index}]")
    require_ip_address(network.gateway, f"{where}.gateway")
    addresses = [ipaddress.ip_address(text) for text in network.ip_addresses]
    gateway = ipaddress.ip_address(network.gateway or "")
    if any(one.version != gateway.version for one in addresses):
        raise InputError(
            f"{where}: ip_addresses and gateway mix IPv4 and IPv6. An adapter has one mask and one gateway, so all must be "
            "of the same version."
        )
    length = _prefix_length(network.mask or "", gateway.version, f"{where}.mask")
    if gateway in addresses:
        raise InputError(f"{where}.gateway is the address of the SVM itself: {gateway}.")
    networks = [ipaddress.ip_network(f"{one}/{length}", strict=False) for one in addresses]
    elsewhere = gateway.is_unspecified or gateway.is_link_local
    if not elsewhere and not any(gateway in one or one.num_addresses == 1 for one in networks):
        shown = ", ".join(dict.fromkeys(map(str, networks)))
        raise InputError(
            f"{where}.gateway is not in the network of the SVM, {shown}: {gateway}. Correct it, or the mask."
        )
    return replace(network, mask=str(networks[0].netmask) if gateway.version == 4 else str(length))


def _prefix_length(mask: str, version: int, option: str) -> int:
    """Return how many bits of an address name its network, from that number or from a mask of ones, then zeros."""
    kind, bits = (ipaddress.IPv4Network, 32) if version == 4 else (ipaddress.IPv6Network, 128)
    for length in range(1, bits + 1):
        if mask.strip().lower() in (str(length), str(kind((0, length)).netmask)):
            return length
    example = "255.255.255.0" if version == 4 else "64, the length of the prefix"
    raise InputError(f"{option} is not a valid IPv{version} subnet mask: {mask!r}. Give one such as {example}.")


def _require_range(value: Optional[int], option: str, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InputError(f"{option} must be from {least} to {most}, not {value}.")


def _are(options: Sequence[str]) -> str:
    return f"{', '.join(options)} {'is' if len(options) == 1 else 'are'}"


def _warnings(parameters: Parameters) -> Iterator[str]:
    """Give a warning for each option that has another effect than it seems to have, or that may have none.

    The server does not show what connection to the Administration Server an SVM has, and replaces it as a whole. It has no
    call that moves an SVM.
    """
    languages = {"localization": parameters.get("localization")}
    for index, entry in enumerate(parameters["svms"]):
        ksc = entry.get("ksc") or {}
        languages[f"svms[{index}].ksc.language"] = ksc.get("language")
        if parameters["state"] != RECONFIGURED:
            continue
        kept = [option for option in _RESOURCES if entry.get(option)]
        if kept:
            yield (
                f"svms[{index}]: {', '.join(kept)} cannot be changed for an existing SVM and will be ignored. To change it, "
                "remove the SVM and deploy it again."
            )
        usual = {**_KSC_PORTS, "language": parameters.get("localization")}
        missing = [f"{option} {value}" for option, value in usual.items() if ksc and not ksc.get(option)]
        if missing:
            yield (
                f"svms[{index}].ksc is replaced as a whole and gets {', '.join(missing)}, as nothing else is given. If the "
                "SVM has other values, give them."
            )
    for option, language in languages.items():
        if language and language not in LANGUAGES:
            yield (
                f"{option} {language!r} is not on the documented list ({', '.join(LANGUAGES)}; upper and lower case "
                "matter). It is sent as it is."
            )
