"""The closed lists of reason codes; `docs/reason-codes.md` is generated from them.

Each code has one sentence that says what it means and one that says what to do; neither ever carries a value.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """A reason code with its meaning and the next step for whoever meets it."""

    meaning: str
    remedy: str

    def __new__(cls, code: str, meaning: str, remedy: str) -> Code:
        """Make a member whose value is the code alone."""
        member = object.__new__(cls)
        member._value_ = code
        member.meaning = meaning
        member.remedy = remedy
        return member


class Reason(Code):
    """Why intake refused a record; the sender finds the code in its receipt."""

    MALFORMED_JSON = ("malformed-json", "The value is not one JSON document in UTF-8.", "Send strict JSON (RFC 8259).")
    DUPLICATE_KEY = ("duplicate-key", "An object names a member twice.", "Name each member once.")
    # … the decoder's and the profile's codes stand here (one `profile-<rule>` per numbered rule)
    TOO_LARGE = ("too-large", "The record is larger than 256 KiB.", "Send less, or a reference (`dataref`).")
    UNKNOWN_TYPE = ("unknown-type", "The catalogue has no such event type.", "See `expathub schemas docs` for the types.")
    UNKNOWN_VERSION = ("unknown-version", "The event type has no such major version.", "Use a version of the catalogue.")
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
    POISON = ("poison", "Processing this event ended the process three times.", "Mend the code, then release or discard.")


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
