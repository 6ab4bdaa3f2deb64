"""Whether the official SDK takes the signatures of cards: pairs of a card and a JWK set in, a truth for each out."""

import json
import sys

import jwt
from a2a.client.card_resolver import parse_agent_card
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier


def is_signed(card, keys):
    known = {each["kid"]: jwt.PyJWK(each) for each in keys["keys"]}
    nobody = jwt.PyJWK({"kty": "oct", "k": "bm9ib2R5"}, algorithm="HS256")
    verify = create_signature_verifier(lambda kid, jku: known.get(kid, nobody), ["ES256"])
    try:
        verify(parse_agent_card(card))
    except SignatureVerificationError:
        return False
    return True


json.dump([is_signed(card, keys) for card, keys in json.load(sys.stdin)], sys.stdout)
