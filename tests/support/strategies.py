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
