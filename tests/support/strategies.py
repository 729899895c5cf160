# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies for property tests: texts that XML can carry, and documents in every shape."""

from __future__ import annotations

from hypothesis import strategies as st

# XML 1.0: tab, line feed, carriage return, and everything from the blank on but surrogates and two noncharacters.
_CARRIED = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
_PITFALLS = st.sampled_from(
    ["\r", "\n", "\t", "\r\n", "]]>", "<![CDATA[", "&amp;", "&", "<", ">", '"', "'", "<!--", "-->", "<?", "%41", "&#13;",
     " ", "  ", "\u00a0", "\u2028", "\u0085", "\u007f", "\ufeff", "\U0001f511", "\U0010fffd", "漢字", "Ё", "e\u0301"]
)  # fmt: skip

xml_texts = st.lists(st.one_of(_PITFALLS, st.text(_CARRIED, max_size=8)), max_size=8).map("".join)
"""Any text that XML can carry, mostly made of what is easily mangled."""

filled_texts = xml_texts.filter(str.strip)
uuids = st.uuids().map(str)
any_case_uuids = st.builds(lambda value, upper: value.upper() if upper else value, uuids, st.booleans())

_CSV_PARTS = st.sampled_from(
    [b";", b",", b"\t", b'"', b'""', b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xff", b"#", b" ", b"\xc2\x85",
     b"sep=;\n", b"name", b"tenant", b"type", b"bios_id", b"user_data", b"admin_password", b"complete", b"A", b"2026-02-30",
     b"2026-03-01T08:00:00", b"0001-01-01T00:00:00", b"9999-12-31T23:59:59+00:01", b"423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1",
     b"- ", b": ", b"[", b"{", b"&a ", b"*a", b"!!", b"9" * 5000, b"x" * 140_000]
)  # fmt: skip

csv_bytes = st.lists(st.one_of(_CSV_PARTS, _CSV_PARTS, st.binary(max_size=4)), max_size=40).map(b"".join)
"""Any bytes, mostly such as could be a CSV file or a text in YAML."""

_SIX_FIELDS = st.lists(st.one_of(_CSV_PARTS, st.just(b"2026-03-01T08:00:00")), min_size=6, max_size=6).map(b";".join)
report_bytes = st.one_of(st.binary(max_size=300), csv_bytes, st.lists(_SIX_FIELDS, max_size=5).map(b"\n".join))
"""Any bytes, mostly such as could be a report."""
