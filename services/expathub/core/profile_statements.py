"""Every MUST and SHOULD of the NL GOV profile for CloudEvents 1.1, in our own words, and who sees to it.

A table of statements; what is checked on an event stands in `expathub.core.profile`, and is named here by its reason.
Statements that no single event can show are seen to by the hub, its catalogue or an agreement, or by nobody but the
producer: that is said too. The order and the sections are those of the profile; statements that CloudEvents repeats are
taken together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from expathub.core.reasons import Reason


class Level(Enum):
    """How strong a statement of the profile is (RFC 2119); REQUIRED is a MUST, RECOMMENDED a SHOULD."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its level, section and text; the reasons by which it is checked, and what else sees to it."""

    level: Level
    section: str
    text: str
    reasons: tuple[Reason, ...] = ()
    otherwise: str = ""


MUST, MUST_NOT, SHOULD, SHOULD_NOT = Level
R = Reason

_PRODUCER: Final = "Only the producer can know."
_DOCUMENTED: Final = "The catalogue says it (`expathub schemas docs`)."

STATEMENTS: Final = (
    # --- attributes in general
    Statement(
        MUST,
        "Context Attributes",
        "Every required attribute is there: `id`, `source`, `specversion` and `type`.",
        (R.PROFILE_ID, R.PROFILE_SOURCE, R.PROFILE_SPECVERSION, R.PROFILE_TYPE),
    ),
    Statement(
        MUST,
        "Attribute Naming Convention",
        "Names are lower-case letters and digits of ASCII.",
        (R.ATTRIBUTE_NAME,),
    ),
    Statement(
        SHOULD_NOT, "Attribute Naming Convention", "Names are no longer than 20 characters.", (R.ATTRIBUTE_NAME,)
    ),
    Statement(
        SHOULD,
        "Attribute Naming Convention",
        "Names are short and say what they mean.",
        otherwise="Nobody can check that.",
    ),
    Statement(
        MUST,
        "Type System",
        "A value is a boolean, a 32-bit integer, text, bytes, a URI, a URI-reference or a moment.",
        (R.ATTRIBUTE_VALUE,),
    ),
    Statement(
        MUST,
        "Type System",
        "Text holds no control characters, noncharacters or halves of characters.",
        (R.FORBIDDEN_CHARACTER, R.LONE_SURROGATE),
    ),
    Statement(
        MUST,
        "Type System",
        "Every type can be written as text and read back the same.",
        otherwise="The hub reads both modes of an event to the same attributes.",
    ),
    # --- id
    Statement(MUST, "id", "`id` is text that is not empty.", (R.PROFILE_ID,)),
    Statement(
        MUST,
        "id",
        "`source` and `id` together name one event and no other.",
        (R.SAME_ID_OTHER_BYTES, R.DUPLICATE),
        "Held against what was accepted in the last 14 days.",
    ),
    Statement(MUST, "id", "An id that names the event for good is used where there is one.", otherwise=_PRODUCER),
    Statement(SHOULD, "id", "Otherwise the id is made at random, as a UUID.", (R.PROFILE_ID_UUID,)),
    Statement(MUST, "id", "That such an id means nothing else is written with the schema.", otherwise=_DOCUMENTED),
    # --- source
    Statement(MUST, "source", "`source` is a URI-reference that is not empty.", (R.PROFILE_SOURCE,)),
    Statement(SHOULD, "source", "`source` is an absolute URI.", (R.PROFILE_SOURCE,), "The hub takes nothing else."),
    Statement(SHOULD, "source", "`source` is a URN in the namespace `nld`.", (R.PROFILE_SOURCE_REGISTERED,)),
    Statement(
        SHOULD,
        "source",
        "It names the organisation, and after that its system.",
        (R.PROFILE_SOURCE, R.PROFILE_SOURCE_REGISTERED),
    ),
    Statement(
        SHOULD,
        "source",
        "A government organisation is named by its OIN, another Dutch one by its KvK number.",
        (R.PROFILE_SOURCE_REGISTERED,),
    ),
    Statement(
        SHOULD,
        "source",
        "An organisation elsewhere in the EU is named by its eIDAS legal identifier.",
        otherwise="Agreed with each partner abroad, in `partners.yaml`.",
    ),
    Statement(
        SHOULD,
        "source",
        "Organisations agree on how they and their systems are named.",
        (R.NOT_YOUR_SOURCE,),
        "`partners.yaml` holds what was agreed.",
    ),
    Statement(SHOULD, "source", "It is general enough to stay the same when more is published.", otherwise=_PRODUCER),
    Statement(
        MUST_NOT,
        "source",
        "`source` refers to a place where data are fetched.",
        (R.NOT_YOUR_SOURCE,),
        "`expathub check` refuses a partner whose source is an address.",
    ),
    # --- specversion
    Statement(MUST, "specversion", "`specversion` is `1.0`.", (R.PROFILE_SPECVERSION,)),
    # --- type
    Statement(MUST, "type", "`type` is a reverse domain name.", (R.PROFILE_TYPE,)),
    Statement(
        MUST,
        "type",
        "With versions, it holds one number, after the letter `v`.",
        (R.PROFILE_TYPE,),
        "The hub needs one.",
    ),
    Statement(MUST, "type", "Whoever asks what a type means gets an exact answer.", otherwise=_DOCUMENTED),
    Statement(
        SHOULD,
        "type",
        "A change that breaks nobody leaves the type as it is.",
        otherwise="Inside a major only compatible additions: `expathub schemas diff`.",
    ),
    Statement(
        SHOULD,
        "type",
        "A change that breaks somebody gives another type.",
        (R.SCHEMA,),
        "A new major; `expathub check` refuses a break inside one.",
    ),
    Statement(
        SHOULD,
        "type",
        "The old and the new event are both sent for some time.",
        otherwise="The hub makes one of the other with lenses, until the sunset.",
    ),
    Statement(
        SHOULD,
        "type",
        "It is named by a data source, else a domain, else a law.",
        (R.PROFILE_TYPE_NL, R.UNKNOWN_TYPE),
        "The catalogue holds the names.",
    ),
    Statement(MUST, "type", "A domain is named in the plural.", (R.UNKNOWN_TYPE,), "The catalogue holds the names."),
    Statement(
        SHOULD_NOT,
        "type",
        "The name of an organisation is part of it.",
        (R.UNKNOWN_TYPE,),
        "The catalogue holds the names.",
    ),
    # --- datacontenttype, dataschema
    Statement(MUST, "datacontenttype", "`datacontenttype` is a media type.", (R.PROFILE_DATACONTENTTYPE,)),
    Statement(
        SHOULD,
        "datacontenttype",
        "The payload is JSON.",
        (R.PROFILE_DATACONTENTTYPE, R.PROFILE_DATACONTENTTYPE_PLAIN),
        "The hub takes nothing else.",
    ),
    Statement(
        SHOULD,
        "datacontenttype",
        "Where it is left out and the format changes on the way, it is written out.",
        otherwise="The hub writes it out in every event that it passes on.",
    ),
    Statement(
        MUST,
        "dataschema",
        "`dataschema` is an absolute URI that is not empty.",
        (R.PROFILE_DATASCHEMA, R.PROFILE_DATASCHEMA_HTTPS),
    ),
    Statement(SHOULD, "dataschema", "A schema that breaks the one before has another URI.", otherwise=_PRODUCER),
    Statement(
        SHOULD,
        "dataschema",
        "The same data are not described by different schemas.",
        otherwise="One catalogue for all.",
    ),
    # --- subject, time
    Statement(
        MUST,
        "subject",
        "`subject` is text that is not empty.",
        (R.PROFILE_SUBJECT,),
        "The hub takes a dossier id only.",
    ),
    Statement(MUST, "time", "`time` is a moment of RFC 3339.", (R.PROFILE_TIME,)),
    Statement(MUST, "time", "All that one source says of time it means in the same way.", otherwise=_PRODUCER),
    Statement(SHOULD, "time", "`time` is when the event was logged.", (R.PROFILE_TIME_UTC,), _PRODUCER),
    Statement(MUST, "time", "What `time` means is written down.", otherwise=_DOCUMENTED),
    Statement(
        SHOULD_NOT,
        "time",
        "`time` is when something happened in the world.",
        otherwise="The schemas of the catalogue have fields in `data` for that.",
    ),
    # --- extensions
    Statement(
        MUST,
        "Extension Context Attributes",
        "Extensions keep to the same names and types.",
        (R.ATTRIBUTE_NAME, R.ATTRIBUTE_VALUE),
    ),
    Statement(
        SHOULD,
        "Defining Extensions",
        "An extension is defined in full, under a name that clashes with no known one.",
        (R.RESERVED_ATTRIBUTE,),
        "The hub gives a meaning to documented extensions alone.",
    ),
    Statement(
        SHOULD,
        "Defining Extensions",
        "What a sender adds beside the event is passed on as such.",
        otherwise="The hub passes on what a grant names, and nothing else (GDPR art. 5).",
    ),
    Statement(
        SHOULD,
        "Notational Conventions",
        "Whoever is between passes on optional attributes.",
        otherwise="The hub passes on what a grant names, and nothing else (GDPR art. 5).",
    ),
    Statement(
        SHOULD,
        "dataref",
        "What `dataref` leads to is there long enough for all recipients.",
        (R.PROFILE_DATAREF,),
        "Only the form can be checked.",
    ),
    Statement(MUST, "sequence", "`sequence` is there, not empty, and has an order as text.", (R.PROFILE_SEQUENCE,)),
    Statement(
        SHOULD,
        "sequence",
        "It grows by one step each time.",
        (R.PROFILE_SEQUENCE_PADDED,),
        "Gaps and repeats are counted, never refused.",
    ),
    Statement(MUST, "sequencetype", "`sequencetype` is text that is not empty.", (R.PROFILE_SEQUENCETYPE,)),
    Statement(
        MUST,
        "sequencetype",
        "With `Integer`, `sequence` is a signed 32-bit integer.",
        (R.PROFILE_SEQUENCE,),
    ),
    Statement(
        MUST,
        "sequencetype",
        "With `Integer`, it begins at 1 and goes up by 1.",
        otherwise="Gaps and repeats are counted, never refused.",
    ),
    # --- size
    Statement(
        MUST,
        "Size Limits",
        "Whoever is between passes on events of up to 64 KByte.",
        otherwise="The hub takes 256 KiB and passes on at least 64 KiB.",
    ),
    Statement(
        SHOULD, "Size Limits", "Recipients take events of at least 64 KByte.", otherwise="Agreed with each partner."
    ),
    Statement(
        SHOULD,
        "Size Limits",
        "The largest encoding on the way is what counts.",
        (R.TOO_LARGE,),
        "The hub counts the canonical form.",
    ),
    Statement(
        SHOULD,
        "Size Limits",
        "Events are small, and refer to what is large.",
        (R.TOO_LARGE, R.PROFILE_DATA_SIZE),
    ),
    # --- privacy and security
    Statement(
        SHOULD_NOT,
        "Privacy and Security",
        "Attributes hold or hint at sensitive information.",
        (R.BSN_IN_ATTRIBUTE, R.PROFILE_SUBJECT),
        "Nine digits that stand alone and pass the 11-test are refused in every attribute and in the key.",
    ),
    Statement(
        SHOULD,
        "Privacy and Security",
        "Payloads are encrypted for those who may read them.",
        otherwise="Not by the hub, which must minimise; connections and disks are encrypted.",
    ),
    Statement(
        SHOULD,
        "Privacy and Security",
        "The protocol is secured.",
        otherwise="Kafka and HTTP with TLS: see `SECURITY.md`.",
    ),
)
"""All of them; the number of a statement is its place, from 1."""


def numbers_of(reason: Reason) -> tuple[int, ...]:
    """Return the numbers of the statements that a reason checks."""
    return tuple(number for number, one in enumerate(STATEMENTS, start=1) if reason in one.reasons)
