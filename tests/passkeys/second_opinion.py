"""PyPI's webauthn judges what authd judged: new passkeys and signatures, most of them bent in one place.

Where one takes what the other refuses, a rule below must say why, and find it in the answer. A difference without
a rule fails, and so does a rule that nothing came under: it would explain what nobody has seen.
"""

import base64
import collections
import io
import json
import re
import sys

import cbor2
from house import check, equal, summary
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm

ALGORITHMS = [Algorithm.EDDSA, Algorithm.ECDSA_SHA_256, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
UP, UV, BE, BS, AT, ED = 1, 4, 8, 16, 64, 128

# The longest of each that authd looks at, in bytes.
LONGEST = {"clientDataJSON": 4096, "attestationObject": 16384, "authenticatorData": 4096, "signature": 1024}


def loose(text):
    """Base64url as Python's library reads it: with padding or without, and without whatever is no base64."""
    return base64.urlsafe_b64decode(text + "===")


def strict(text, longest):
    """Base64url without padding, in the one way in which bytes are written."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return False
    data = loose(text)
    return base64.urlsafe_b64encode(data).decode().rstrip("=") == text and len(data) <= longest


class Case:
    """An answer, and all that rules ask of it."""

    def __init__(self, corpus, case):
        self.corpus, self.case = corpus, case
        self.new = case["ceremony"] == "registration"
        self.stored = case.get("stored")
        self.authd = case["authd"]
        self.takes = "taken" in self.authd
        self.code = self.authd.get("refused")

    @property
    def answer(self):
        return json.loads(self.case["credential"])

    def member(self, name):
        return loose(self.answer["response"][name])

    @property
    def client_data(self):
        return json.loads(self.member("clientDataJSON"))

    @property
    def data(self):
        """The authenticator data."""
        return cbor2.loads(self.member("attestationObject"))["authData"] if self.new else self.member("authenticatorData")

    @property
    def flags(self):
        return self.data[32]

    @property
    def attested(self):
        """The new credential's id, and what follows it."""
        length = int.from_bytes(self.data[53:55], "big")
        return self.data[55 : 55 + length], self.data[55 + length :]

    def items(self):
        """What stands as CBOR in the authenticator data: each as it is, and as a value."""
        rest = io.BytesIO(self.attested[1] if self.flags & AT else self.data[37:])
        for flag in (AT, ED):
            if self.flags & flag:
                begin = rest.tell()
                value = cbor2.load(rest)
                yield flag, rest.getvalue()[begin : rest.tell()], value

    def judge(self):
        """What webauthn says: whether it takes the answer, and what it then holds it for, or why not."""
        common = {
            "credential": self.case["credential"],
            "expected_challenge": loose(self.corpus["challenge"]),
            "expected_rp_id": self.corpus["rp_id"],
            "expected_origin": self.corpus["origins"],
            "require_user_verification": self.case["user_verification"],
        }
        try:
            if self.new:
                return True, verify_registration_response(supported_pub_key_algs=ALGORITHMS, **common)
            key, count = loose(self.stored["public_key"]), self.stored["sign_count"]
            return True, verify_authentication_response(
                credential_public_key=key, credential_current_sign_count=count, **common
            )
        except Exception as error:  # pylint: disable=broad-except # it raises whatever its libraries do
            return False, f"{type(error).__name__}: {error}"


# What authd refuses and webauthn takes, by the code of authd's refusal.


def not_as_to_json_gives_it(case):
    """webauthn reads base64 with padding, of both alphabets and with strange letters in it; it bounds nothing."""
    answer, response = case.answer, case.answer["response"]
    names = ["clientDataJSON", "attestationObject"] if case.new else ["clientDataJSON", "authenticatorData", "signature"]
    good = [strict(answer[name], 1023) for name in ("id", "rawId")]
    good += [strict(response[name], LONGEST[name]) for name in names]
    handle, transports = response.get("userHandle"), response.get("transports")
    good.append(case.new or handle is None or strict(handle, 64))
    ways = isinstance(transports, list) and len(transports) <= 16 and all(isinstance(way, str) for way in transports)
    good.append(not case.new or transports is None or ways)
    return not all(good)


def repeated_or_of_another_type(case):
    """webauthn keeps the last of two members of one name, and takes `crossOrigin` for true or false whatever it is."""
    repeated = []

    def members(pairs):
        names = [name for name, _ in pairs]
        repeated.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    client_data = json.loads(case.member("clientDataJSON"), object_pairs_hook=members)
    return bool(repeated) or not isinstance(client_data.get("crossOrigin"), bool | None)


def another_text_of_the_same_challenge(case):
    """webauthn compares bytes; the standard compares base64url as it stands there (§7.1 step 8, §7.2 step 11)."""
    challenge = case.client_data["challenge"]
    return challenge != case.corpus["challenge"] and loose(challenge) == loose(case.corpus["challenge"])


def inside_another_page(case):
    """webauthn doesn't look at `crossOrigin`; authd's pages are in no other's (§7.1 step 10, §7.2 step 13)."""
    return case.client_data.get("crossOrigin") is True


def with_a_page_around(case):
    """webauthn doesn't look at `topOrigin` (§7.1 step 11, §7.2 step 14)."""
    return case.client_data.get("topOrigin") is not None


def extensions_of_another_form(case):
    """webauthn takes any CBOR for extensions; they are a map with texts for names (§9.5)."""
    value = [(raw, value) for flag, raw, value in case.items() if flag == ED]
    return any(
        not isinstance(value, dict)
        or raw[0] == 0xBF
        or len(value) > 16
        or not all(isinstance(name, str) for name in value)
        for raw, value in value
    )


def another_users(case):
    """webauthn leaves the user handle to its caller (§7.2 step 6)."""
    handle = case.answer["response"].get("userHandle")
    return not case.new and loose(handle) != loose(case.corpus["user_handle"])


def another_credential(case):
    """webauthn leaves it to its caller which credential it is."""
    return not case.new and loose(case.answer["id"]) != loose(case.stored["id"])


def the_device_speaks_of_another(case):
    """webauthn doesn't compare the id in the authenticator data with that of the answer."""
    return case.new and case.attested[0] != loose(case.answer["id"])


def bytes_after_the_object(case):
    """webauthn reads the attestation object and lets be what follows."""
    rest = io.BytesIO(case.member("attestationObject"))
    cbor2.load(rest)
    return rest.read() != b""


def an_id_of_no_length(case):
    """webauthn bounds no id; one has 1 to 1,023 bytes (§5.8.3)."""
    return not 1 <= len(loose(case.answer["id"])) <= 1023


def a_statement_of_none(case):
    """webauthn passes over members of a statement that it doesn't know; that of `none` is empty (§8.7)."""
    members = cbor2.loads(case.member("attestationObject"))
    return members["fmt"] == "none" and members["attStmt"] != {}


def more_than_the_object_has(case):
    """webauthn takes an attestation object without a statement, with any other members, and in pieces."""
    members = cbor2.loads(case.member("attestationObject"))
    try:
        cbor2.loads(case.member("attestationObject"), allow_indefinite=False)
    except cbor2.CBORDecodeError:
        return True
    return "attStmt" not in members or len(members) > 4 or not all(isinstance(name, str) for name in members)


def no_key_of_that_algorithm(case):
    """webauthn looks at a key when it first verifies with it; authd when it is registered (§5.8.5, §6.5.1.1), and
    at how long one of RSA is."""
    key = case.attested[1]
    try:
        decoded = decode_credential_public_key(key)
        decoded_public_key_to_cryptography(decoded)
    except Exception:  # pylint: disable=broad-except # a key that nobody can read
        return True
    members = cbor2.load(io.BytesIO(key))
    of = {Algorithm.EDDSA: {1, 3, -1, -2}, Algorithm.ECDSA_SHA_256: {1, 3, -1, -2, -3}}
    kinds = {Algorithm.EDDSA: 1, Algorithm.ECDSA_SHA_256: 2, Algorithm.RSASSA_PKCS1_v1_5_SHA_256: 3}
    fits = set(members) == of.get(decoded.alg, {1, 3, -1, -2}) and members[1] == kinds[decoded.alg]
    if not fits or decoded.alg == Algorithm.EDDSA:
        return not fits
    if decoded.alg == Algorithm.ECDSA_SHA_256:
        return (members[-1], len(members[-2]), len(members[-3])) != (1, 32, 32)
    return members[-1][0] == 0 or not 2048 <= int.from_bytes(members[-1], "big").bit_length() <= 8192


def not_what_it_was(case):
    """webauthn keeps no flag of the registration to compare with (§7.2 step 19)."""
    return bool(case.flags & BE) != case.stored["backup_eligible"]


def a_credential_in_a_signature(case):
    """webauthn passes over a credential that stands where a signature is wanted; there must be none (§6.1)."""
    return not case.new and bool(case.flags & AT)


AUTHD_REFUSES = {
    "malformed": not_as_to_json_gives_it,
    "client_data": repeated_or_of_another_type,
    "challenge": another_text_of_the_same_challenge,
    "cross_origin": inside_another_page,
    "top_origin": with_a_page_around,
    "extensions": extensions_of_another_form,
    "user_handle": another_users,
    "credential_id": another_credential,
    "credential_id_length": an_id_of_no_length,
    "attestation_statement": a_statement_of_none,
    "attested_credential_id": the_device_speaks_of_another,
    "attestation_object_trailing": bytes_after_the_object,
    "attestation_object": more_than_the_object_has,
    "public_key": no_key_of_that_algorithm,
    "backup_eligibility_changed": not_what_it_was,
    "attested_data_unexpected": a_credential_in_a_signature,
}

# What authd takes and webauthn refuses.


def not_the_shortest_form(case):
    """webauthn writes CBOR anew and then counts bytes, so that a number in a longer form is wrong to it."""
    return any(cbor2.dumps(value) != raw for _, raw, value in case.items())


def a_token_binding(case):
    """webauthn reads `tokenBinding`, which Level 3 has no more: authd passes over it."""
    return "status" not in case.client_data["tokenBinding"]


def an_unknown_attachment(case):
    """webauthn wants to know `authenticatorAttachment`; Level 3 has unknown ones passed over (§5.1)."""
    return case.answer["authenticatorAttachment"] not in ("platform", "cross-platform")


def an_attestation(case):
    """webauthn verifies attestations; authd asks for none and takes any for none."""
    return case.new and cbor2.loads(case.member("attestationObject"))["fmt"] != "none"


WEBAUTHN_REFUSES = [not_the_shortest_form, a_token_binding, an_unknown_attachment, an_attestation]


def holds(rule, case):
    try:
        return rule(case)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, cbor2.CBORError):
        return False


def explanation(case):
    """The rule that says why the two differ."""
    rules = WEBAUTHN_REFUSES if case.takes else [AUTHD_REFUSES.get(case.code, lambda _: False)]
    return next((rule for rule in rules if holds(rule, case)), None)


def same(case, theirs):
    """Whether both hold what they take for the same."""
    ours = case.authd["taken"]
    known = {
        "sign_count": theirs.sign_count if case.new else theirs.new_sign_count,
        "user_verified": theirs.user_verified,
        "backed_up": theirs.credential_backed_up,
        "backup_eligible": theirs.credential_device_type == "multi_device",
    }
    if case.new:
        known["id"] = base64.urlsafe_b64encode(theirs.credential_id).decode().rstrip("=")
        known["public_key"] = base64.urlsafe_b64encode(theirs.credential_public_key).decode().rstrip("=")
        aaguid = bytes.fromhex(theirs.aaguid.replace("-", ""))
        known["aaguid"] = base64.urlsafe_b64encode(aaguid).decode().rstrip("=")
    return all(known[name] == value for name, value in ours.items())


def main(file):
    with open(file, encoding="utf-8") as text:
        corpus = json.load(text)
    counts, met = collections.Counter(), collections.Counter()
    for raw in corpus["cases"]:
        case = Case(corpus, raw)
        takes, theirs = case.judge()
        counts[raw["ceremony"], case.takes, takes] += 1
        if takes == case.takes:
            check(not takes or same(case, theirs), f"{raw['bent']}: both take it, and for another thing: {theirs}")
            continue
        rule = explanation(case)
        if rule:
            met[rule] += 1
        check(rule is not None, f"{raw['bent']}: authd says {case.authd}, webauthn {theirs}: {raw['credential']}")
    for (ceremony, ours, theirs), count in sorted(counts.items()):
        words = {True: "takes", False: "refuses"}
        print(f"{ceremony}: authd {words[ours]}, webauthn {words[theirs]}: {count}")
    for rule in [*AUTHD_REFUSES.values(), *WEBAUTHN_REFUSES]:
        print(f"{met[rule]:4} {rule.__name__.replace('_', ' ')}")
        check(met[rule] > 0, f"nothing came under the rule {rule.__name__}")
    for ceremony in ("registration", "authentication"):
        total = sum(count for key, count in counts.items() if key[0] == ceremony)
        check(total >= 500, f"only {total} of {ceremony}")
    equal(counts["registration", True, True] > 100, True, "some are taken by both")
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
