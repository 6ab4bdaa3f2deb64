"""The logins of a store: one, or two.

With one it does everything, and row security asks it which rows it means to work on. With two, the first does what is
done for a tenant, and no setting makes it see more than one tenant's rows; the other one, the keeper, has made the
schema, and does what concerns all: it looks for what is due, follows the log, trims it, changes the schema. Roles
belong to all databases of a server, so who is the keeper is for each database to say: its tables' owner, and who was
given that role.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import SCHEMA_NAME, Connection, Row, connect
from codetether_core.errors import Invalid

__all__ = ["Logins", "admit", "check_logins"]

_KEEPER: Final = "store_keeper"
"""The setting that names the second one."""

_SHUT_OUT: Final = """
SELECT quote_ident(session_user), quote_ident(keeper.rolname), keeper.rolsuper
FROM pg_class AS walled JOIN pg_namespace AS schema ON schema.oid = walled.relnamespace
JOIN pg_roles AS keeper ON keeper.oid = coalesce(
    (SELECT role FROM pg_policy, unnest(polroles) AS role
     WHERE polrelid = walled.oid AND polname = 'everybodys' LIMIT 1), walled.relowner
)
WHERE schema.nspname = %s AND walled.relrowsecurity AND NOT EXISTS (
    SELECT FROM pg_policy, unnest(polroles) AS role
    WHERE polrelid = walled.oid AND polname = 'everybodys' AND (role = 0 OR pg_has_role(role, 'USAGE'))
) AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolbypassrls)
LIMIT 1
"""
"""Who we are, the role we lack if there is a table all of whose rows we may not see, and whether that role may do
anything. Role 0 is everybody."""

_UNBOUND: Final = f"""
WITH schema AS (
    SELECT oid, nspowner FROM pg_namespace WHERE nspname = '{SCHEMA_NAME}'
), tables AS (
    SELECT pg_class.oid, relowner, relrowsecurity FROM pg_class JOIN schema ON schema.oid = relnamespace
    WHERE relkind = 'r'
), role AS (
    SELECT oid, rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication OR rolname IN (
            'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'
        ) AS powerful,
        rolname = %s OR oid IN (SELECT nspowner FROM schema UNION SELECT relowner FROM tables) AS owns
    FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')
)
SELECT quote_ident(session_user), quote_ident(rolname), powerful, owns FROM role
WHERE powerful OR owns OR EXISTS (SELECT FROM schema WHERE has_schema_privilege(role.oid, schema.oid, 'CREATE'))
OR EXISTS (
    SELECT FROM tables WHERE has_table_privilege(role.oid, tables.oid, 'TRUNCATE, REFERENCES, TRIGGER')
    OR NOT relrowsecurity AND has_table_privilege(role.oid, tables.oid, 'INSERT, UPDATE, DELETE')
)
ORDER BY powerful OR owns DESC, (rolname = session_user) = (powerful OR owns) DESC LIMIT 1
"""  # noqa: S608
"""Who we are, and a role that we have or can get which gets around row security: by what it is, as an owner, or by
rights that ``admit`` does not give, which whoever is its member has as well."""

_HOLD: Final = "SELECT session_user, pg_advisory_lock(%s)"
_IS_HELD: Final = """
SELECT session_user, EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
    AND (classid::bigint << 32) | objid::bigint = %s
)
"""


@frozen
class Logins:
    """Addresses of the same database: ``bound`` sees one tenant's rows at a time, ``keeper`` those of all."""

    bound: Address
    keeper: Address

    @classmethod
    def parse(cls, url: str, keeper: str | None = None) -> Logins:
        """Read the addresses; ``Invalid``."""
        bound = Address.parse(url)
        return cls(bound, bound if keeper is None else Address.parse(keeper, _KEEPER))

    @property
    def apart(self) -> bool:
        """Whether there are two."""
        return self.keeper is not self.bound


async def check_logins(keeper: Connection, logins: Logins) -> str | None:
    """The name of the login that is bound, if there are two.

    ``Invalid`` says which one may too little, or too much, and the statement that changes it.
    """
    row = await (await keeper.execute(_SHUT_OUT, [SCHEMA_NAME])).fetchone()
    if row is not None:
        login, role, powerful = row
        instead = f"name the login {role}" if logins.apart else f"set CODETETHER_STORE_KEEPER to the login {role}"
        raise Invalid(
            logins.keeper.setting,
            f"has the login {login}, which may not see everybody's rows",
            hint=instead if powerful else f"{instead}, or let this one do it: GRANT {role} TO {login}",
        )
    if not logins.apart:
        return None
    bound = await connect(logins.bound)
    try:
        name, kept_by = await _in_one_place(bound, keeper)
        await _check_bound(bound, kept_by)
    finally:
        await bound.close()
    return name


async def admit(keeper: Connection, login: str) -> None:
    """Let a login that is bound use the tables, in a transaction that nobody else does this in."""
    await keeper.execute("CALL admit(%s)", [login])


async def _in_one_place(bound: Connection, keeper: Connection) -> tuple[str, str]:
    """The names of both, whose sessions are of one database if one sees what the other one holds."""
    key = secrets.randbits(62)
    (kept_by, _) = await _only(keeper, _HOLD, [key])
    (name, held) = await _only(bound, _IS_HELD, [key])
    await keeper.execute("SELECT pg_advisory_unlock(%s)", [key])
    if not held:
        raise Invalid(_KEEPER, "names another database than the store", hint="name that one, with another login")
    return name, kept_by


async def _check_bound(bound: Connection, kept_by: str) -> None:
    row = await (await bound.execute(_UNBOUND.encode(), [kept_by])).fetchone()
    if row is None:
        return
    login, role, powerful, owns = row
    if login != role:
        problem = f"can become {role}, which gets around row security"
        hint = f"REVOKE {role} FROM {login}, or from the one through which it has that role"
    elif powerful:
        problem = "is not bound by row security"
        hint = f"ALTER ROLE {login} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION"
    elif owns:
        problem = "owns what row security is to protect"
        hint = "name another one, which is made so: CREATE ROLE codetether_tenants LOGIN PASSWORD '…'"
    else:
        problem = f"has rights to the schema {SCHEMA_NAME} that get around row security"
        hint = (
            f"REVOKE CREATE ON SCHEMA {SCHEMA_NAME} FROM {login}, PUBLIC;"
            f" REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA_NAME} FROM {login}, PUBLIC"
        )
    hint = f"beside CODETETHER_STORE_KEEPER it has to be bound: {hint}"
    raise Invalid("store", f"has the login {login}, which {problem}", hint=hint)


async def _only(connection: Connection, sql: str, values: Sequence[object]) -> Row:
    row = await (await connection.execute(sql.encode(), values)).fetchone()
    return row or ()
