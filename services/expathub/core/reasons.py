"""The closed lists of reason codes; `docs/reason-codes.md` is generated from them.

Each code has one sentence that says what it means and one that says what to do; neither ever carries a value.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class Code(Enum):
    """A reason code with its meaning and the next step for whoever meets it."""

    meaning: str
    remedy: str

    def __new__(cls, code: str, meaning: str = "", remedy: str = "") -> Self:
        """Make a member whose value is the code alone; `Reason("schema")` finds it by that."""
        member = object.__new__(cls)
        member._value_ = code
        member.meaning = meaning
        member.remedy = remedy
        return member


class Reason(Code):
    """Why intake refused a record; the sender finds the code in its receipt."""

    # The record and its headers
    NO_VALUE = ("no-value", "The record has a null value.", "Send the event; nothing is taken back by a null value.")
    TOO_LARGE = (
        "too-large",
        "The record, or its event in canonical form, is larger than 256 KiB.",
        "Send less, or a reference (`dataref`).",
    )
    HEADERS_TOO_LARGE = (
        "headers-too-large",
        "The record has more than 64 headers, or more than 16 KiB of them.",
        "Leave out the headers that are not part of the event.",
    )
    HEADER_NOT_TEXT = ("header-not-text", "A header is null or not UTF-8.", "Send every header as text in UTF-8.")
    HEADER_TWICE = ("header-twice", "`content-type` or a `ce_` header is there twice.", "Send each of them once.")
    HEADER_DIFFERS = (
        "header-differs",
        "In structured mode a `ce_` header says something else than the body.",
        "Leave out the `ce_` headers, or repeat the attributes exactly.",
    )
    CONTENT_TYPE = (
        "content-type",
        "`content-type` is missing or is none that the hub takes.",
        "Send `application/cloudevents+json`, or `ce_` headers with JSON as `content-type`; as charset only UTF-8.",
    )
    BATCH = ("batch", "The record is a batch of events.", "Send one event a record.")
    # The text (RFC 8259, narrowed as in RFC 7493)
    MALFORMED_JSON = ("malformed-json", "The value is not one JSON document.", "Send strict JSON (RFC 8259).")
    NOT_UTF_8 = (
        "not-utf-8",
        "The value is not text in UTF-8.",
        "Encode it in UTF-8 and in nothing else.",
    )
    BYTE_ORDER_MARK = ("byte-order-mark", "The value begins with a byte order mark.", "Send UTF-8 without the mark.")
    LONE_SURROGATE = (
        "lone-surrogate",
        "A string escapes half of a surrogate pair.",
        "Escape both halves, or send the character itself.",
    )
    FORBIDDEN_CHARACTER = (
        "forbidden-character",
        "A string or name holds a control character or a noncharacter of Unicode.",
        "Leave it out; `data` may hold tabs and line ends, attributes neither.",
    )
    NOT_A_NUMBER = ("not-a-number", "NaN or Infinity stands where JSON has no such value.", "Send a number or null.")
    NUMBER_OUT_OF_RANGE = (
        "number-out-of-range",
        "An integer is beyond ±(2^53 - 1), or a number beyond what a double holds.",
        "Send it as a string.",
    )
    NEGATIVE_ZERO = ("negative-zero", "An integer is a negative zero.", "Send 0.")
    DUPLICATE_KEY = ("duplicate-key", "An object names a member twice.", "Name each member once.")
    SIMILAR_KEY = (
        "similar-key",
        "Two members of an object differ only in how Unicode composes their names.",
        "Name each member once, in normalization form C.",
    )
    TOO_DEEP = ("too-deep", "Arrays and objects are nested deeper than 32 levels.", "Send a flatter document.")
    TOO_MANY_MEMBERS = ("too-many-members", "An object has more than 2,000 members.", "Send fewer.")
    TOO_MANY_VALUES = ("too-many-values", "The document holds more than 10,000 values.", "Send fewer.")
    STRING_TOO_LONG = (
        "string-too-long",
        "A string or name has more than 16,384 characters.",
        "Send less, or a reference (`dataref`).",
    )
    # The envelope (CloudEvents 1.0)
    NOT_AN_OBJECT = ("not-an-object", "In structured mode the value is no JSON object.", "Send one event as an object.")
    DATA_TWICE = ("data-twice", "The event has both `data` and `data_base64`.", "Send `data` alone.")
    DATA_BASE64 = (
        "data-base64",
        "The event has `data_base64`; the hub carries JSON only.",
        "Send the payload in `data`.",
    )
    ATTRIBUTE_NAME = (
        "attribute-name",
        "An attribute's name is none: 1 to 20 lower-case letters and digits.",
        "Rename the attribute, or move it into `data`.",
    )
    ATTRIBUTE_VALUE = (
        "attribute-value",
        "An attribute's value is no string, boolean or 32-bit integer, or not the kind that this attribute has.",
        "Send the kind that CloudEvents gives the attribute; structures belong in `data`.",
    )
    RESERVED_ATTRIBUTE = (
        "reserved-attribute",
        "An attribute's name begins with `hub`, or a `ce_` header has a name that is no attribute in binary mode.",
        "Leave it out: `hub` is the hub's own, the payload is the value and its type is `content-type`.",
    )
    # The NL GOV profile and what the hub asks beyond it: one code per rule of `expathub.core.profile`
    PROFILE_SPECVERSION = ("profile-specversion", "`specversion` is not `1.0`.", "Send `1.0`.")
    PROFILE_ID = (
        "profile-id",
        "`id` is missing, empty, longer than 255 characters or holds a full stop.",
        "Send an id that is unique under your `source`, best a UUID.",
    )
    PROFILE_SOURCE = (
        "profile-source",
        "`source` is no URN of a Dutch organisation's system and no absolute URI of another.",
        "Send `urn:nld:oin:<20 digits>:systeem:<name>`, or the URI agreed with the hub.",
    )
    PROFILE_TYPE = (
        "profile-type",
        "`type` is no reverse domain name in lower case with one version at its end.",
        "Send a type such as `nl.brp.ingeschreven.immigratie.v1`.",
    )
    PROFILE_SUBJECT = (
        "profile-subject",
        "`subject` is no dossier id.",
        "Send the UUID of the dossier in lower case; an event for everyone has a UUID of its own.",
    )
    PROFILE_TIME = (
        "profile-time",
        "`time` is no moment of RFC 3339 with its zone.",
        "Send e.g. `2026-01-31T09:30:00Z`: a real day, 00:00:00 to 23:59:59, and `Z` or an offset.",
    )
    PROFILE_DATACONTENTTYPE = (
        "profile-datacontenttype",
        "`datacontenttype` is not JSON in UTF-8.",
        "Send `application/json` or leave it out.",
    )
    PROFILE_DATASCHEMA = (
        "profile-dataschema",
        "`dataschema` is no absolute URI with `https` or `urn`, or it names another version than `type` does.",
        "Send one that fits or leave it out; the hub never fetches it.",
    )
    PROFILE_DATAREF = (
        "profile-dataref",
        "`dataref` is no URI-reference, or carries a user name or password.",
        "Send a link that works for all recipients; they sign in with what is theirs.",
    )
    PROFILE_SEQUENCE = (
        "profile-sequence",
        "`sequence` is empty or has no order, or `sequencetype` is `Integer` and it is no 32-bit integer.",
        "Send digits padded with zeros to 20, without `sequencetype`.",
    )
    PROFILE_SEQUENCETYPE = (
        "profile-sequencetype",
        "`sequencetype` is not `Integer`, or stands there without `sequence`.",
        "Leave it out.",
    )
    PROFILE_EXPIRYTIME = (
        "profile-expirytime",
        "`expirytime` is no moment of RFC 3339 with its zone.",
        "Send e.g. `2026-01-31T09:30:00Z` or leave it out.",
    )
    PROFILE_DATACLASSIFICATION = (
        "profile-dataclassification",
        "`dataclassification` is none that the hub understands.",
        "Send `public`, `internal`, `confidential` or `restricted`.",
    )
    # What the profile advises: refused only where the sender's entry in partners.yaml says so (`strict`)
    PROFILE_ID_UUID = ("profile-id-uuid", "`id` is no UUID.", "Send a UUID, or have the rule taken out of `strict`.")
    PROFILE_SOURCE_REGISTERED = (
        "profile-source-registered",
        "`source` does not name the organisation by a number of a register.",
        "Send `urn:nld:oin:<20 digits>:systeem:<name>`.",
    )
    PROFILE_TYPE_NL = ("profile-type-nl", "`type` does not begin with `nl.`.", "Send a type of the catalogue.")
    PROFILE_TIME_UTC = (
        "profile-time-utc",
        "`time` is missing or not in UTC.",
        "Send the moment at which the event was logged, with `Z`.",
    )
    PROFILE_DATACONTENTTYPE_PLAIN = (
        "profile-datacontenttype-plain",
        "`datacontenttype` is not plain `application/json`.",
        "Send just that.",
    )
    PROFILE_DATASCHEMA_HTTPS = (
        "profile-dataschema-https",
        "`dataschema` is missing or not reached over HTTPS.",
        "Send where the schema of `data` stands.",
    )
    PROFILE_SEQUENCE_PADDED = (
        "profile-sequence-padded",
        "`sequence` is not padded to 20 digits, or has a `sequencetype` beside it.",
        "Pad it with zeros, and leave `sequencetype` out.",
    )
    PROFILE_TRACEPARENT_FORM = (
        "profile-traceparent-form",
        "`traceparent` has not the form of W3C Trace Context.",
        "Send it as your tracing library writes it, or leave it out.",
    )
    PROFILE_PARTITIONKEY_SUBJECT = (
        "profile-partitionkey-subject",
        "`partitionkey` is another than `subject`.",
        "Send the dossier id, or leave it out.",
    )
    PROFILE_DATA_SIZE = (
        "profile-data-size",
        "The event is larger than 64 KiB.",
        "Send less, or a reference (`dataref`).",
    )
    # What the sender may say, and what is told already
    UNKNOWN_TYPE = (
        "unknown-type",
        "The catalogue has no such event type.",
        "See `expathub schemas docs`.",
    )
    UNKNOWN_VERSION = (
        "unknown-version",
        "The event type has no such major version.",
        "Use one of the catalogue.",
    )
    RETIRED_VERSION = ("retired-version", "This major version has ended.", "Send a live version.")
    NOT_YOUR_SOURCE = ("not-your-source", "`source` is not the sender's.", "Send with your own source URN.")
    NOT_YOUR_TYPE = ("not-your-type", "The sender's roles may not publish this type.", "Ask the hub's owners.")
    NOT_YOUR_MUNICIPALITY = (
        "not-your-municipality",
        "The event speaks for another municipality.",
        "Only the municipality that the event names can publish it.",
    )
    BSN_IN_ATTRIBUTE = (
        "bsn-in-attribute",
        "A context attribute or the key holds what may be a BSN.",
        "Use the dossier id; personal data belong in `data`.",
    )
    SCHEMA = ("schema", "`data` does not fit the schema of its version.", "Mend the field the pointer names.")
    SAME_ID_OTHER_BYTES = (
        "same-id-other-bytes",
        "An event with this `source` and `id` and another content was accepted before.",
        "Give a new event a new id.",
    )
    DUPLICATE = ("duplicate", "The very same event was accepted before.", "Nothing to do.")
    PARTNER_ENDED = ("partner-ended", "The sender no longer takes part.", "Ask the hub's owners.")
    POISON = ("poison", "Processing this record ended the process three times.", "Report it; send a corrected event.")


class Flag(Code):
    """What is odd about an event that was accepted all the same; counted per sender, never refused."""

    TIME_AHEAD = ("time-ahead", "`time` is more than 60 s after the hub received the event.", "Set the sender's clock.")
    TIME_OLD = (
        "time-old",
        "`time` is more than 14 days before the hub received the event.",
        "Find out what kept the event back, or who sends old ones again.",
    )
    SEQUENCE_REPEATED = (
        "sequence-repeated",
        "`sequence` is that of the last accepted event of this source.",
        "Count every event once.",
    )
    SEQUENCE_BACK = (
        "sequence-back",
        "`sequence` is lower than that of the last accepted event of this source.",
        "Send in order; a source has one counter.",
    )
    SEQUENCE_GAP = (
        "sequence-gap",
        "`sequence` is higher than the next one of this source.",
        "Find what is missing: not sent, or refused.",
    )


class Held(Code):
    """Why a disclosure cannot be made now and waits, in order, in its dossier."""

    RESIDENCE_UNKNOWN = (
        "residence-unknown",
        "The municipality of residence is not known yet.",
        "It is told as soon as an event names the municipality.",
    )
    UNREACHABLE_VERSION = (
        "unreachable-version",
        "No lens carries this event to the version that the partner reads.",
        "Add a lens or raise the version in partners.yaml, then release.",
    )
    LEAK_STOPPED = (
        "leak-stopped",
        "The second filter found what this partner may never have.",
        "A fault of the hub: mend the grant, then release or discard.",
    )
    HELD_BEHIND = ("held-behind", "An earlier event of this dossier waits for the same partner.", "Release that one.")
    POISON = (
        "poison",
        "Processing this event ended the process three times.",
        "Mend the code; release or discard.",
    )


class Withheld(Code):
    """Why a partner that a selector chose is not told, or why nobody is."""

    SECRECY = ("secrecy", "The person's data are secret (geheimhouding).", "Nothing to do.")
    CONSENT_WITHDRAWN = ("consent-withdrawn", "The consent was withdrawn or never given.", "Nothing to do.")
    EXPIRED = ("expired", "The event or the consent has expired.", "Nothing to do.")
    NO_RECIPIENT = ("no-recipient", "No partner is chosen for this event.", "Nothing to do.")
    NO_LONGER_RECIPIENT = ("no-longer-recipient", "The partner is not chosen any more.", "Nothing to do.")
    NOT_GRANTED = ("not-granted", "No grant gives this partner a field of this version.", "See the type's about.yaml.")
    NEVER_TOLD = ("never-told", "The partner was never told what this event takes back.", "Nothing to do.")
    DISCARDED = ("discarded", "An operator put it aside.", "See the command's `why`.")
    HELD_FULL = ("held-full", "The dossier holds as much as it may (512 KiB).", "Release or discard what waits.")
    PARTNER_ENDED = ("partner-ended", "The partner no longer takes part.", "Nothing to do.")
    COMMAND = ("command", "A command of an operator has no recipient.", "Nothing to do.")
