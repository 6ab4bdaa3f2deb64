"""Any card there may be."""

from __future__ import annotations

from hypothesis import strategies as st

from codetether_adapters.a2a.card import Extension, Interface, Profile, Provider, Scheme, Skill, schemes

__all__ = ["profiles"]

_TEXTS = st.text(max_size=12)
_SOME = st.lists(_TEXTS, max_size=3).map(tuple)
_GRANTS = st.lists(st.sampled_from(["authorization_code", "implicit", "client_credentials"]))
_TOLD = st.fixed_dictionaries(
    {},
    optional={
        "token_endpoint": _TEXTS | st.none(),
        "authorization_endpoint": _TEXTS,
        "device_authorization_endpoint": _TEXTS,
        "grant_types_supported": _GRANTS,
    },
)
_PROVIDERS = st.builds(Provider, issuer=_TEXTS, told=_TOLD, scopes=_SOME)


def _schemes() -> st.SearchStrategy[tuple[Scheme, ...]]:
    present = st.builds(schemes, st.none() | _PROVIDERS, certificates=st.booleans())
    return st.just(()) | present


def profiles() -> st.SearchStrategy[Profile]:
    """With whatever texts; the last interface is of release 0.3, or there is none of it."""
    return st.builds(
        Profile,
        version=_TEXTS,
        interfaces=st.sampled_from(
            [
                (Interface("/rpc", "JSONRPC", "1.0"), Interface("/rpc", "JSONRPC", "0.3")),
                (Interface("/rest", "HTTP+JSON", "1.0"),),
            ]
        ),
        skills=st.lists(
            st.builds(Skill, id=_TEXTS, name=_TEXTS, description=_TEXTS, tags=_SOME, examples=_SOME), max_size=3
        ).map(tuple),
        schemes=_schemes(),
        extensions=st.lists(st.builds(Extension, _TEXTS, _TEXTS), max_size=2).map(tuple),
        push=st.booleans(),
    )
