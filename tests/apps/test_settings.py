"""Settings: who decides, what is understood, and what a mistake is told."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents import LAUNCHES, AcpTemplate, CommandTemplate
from codetether_apps.settings import (
    GivenCodebase,
    GivenToken,
    Settings,
    SettingsError,
    described,
    documented,
    misspelt_variables,
    read_settings,
    settings_from_flags,
    table,
)
from codetether_apps.settings.quantities import DURATION, SIZE
from codetether_apps.settings.tokens import TOKENS
from codetether_core.access import ROLES


@pytest.fixture(autouse=True)
def _nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file of this machine's user counts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def read(directory: Path, flags: dict[str, object] | None = None, **environment: str) -> Settings:
    """The settings of this environment alone."""
    return read_settings(flags, environment=environment, directory=directory)


def refusal(directory: Path, flags: dict[str, object] | None = None, **environment: str) -> SettingsError:
    """What a mistake is told."""
    with pytest.raises(SettingsError) as caught:
        read(directory, flags, **environment)
    return caught.value


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=10_000)))
def test_a_duration_that_is_shown_can_be_read(duration: timedelta) -> None:
    """``config show`` prints what a setting takes."""
    assert DURATION.read(DURATION.show(duration)) == duration


@given(st.integers(1, 2**50))
def test_a_size_that_is_shown_can_be_read(size: int) -> None:
    """``config show`` prints what a setting takes."""
    assert SIZE.read(SIZE.show(size)) == size


@given(st.text())
def test_a_text_is_a_quantity_or_refused_in_words(text: str) -> None:
    """Nothing but ``ValueError``, which does not repeat what may be a secret."""
    for kind in (DURATION, SIZE, TOKENS):
        try:
            kind.read(text)
        except ValueError as error:
            assert len(text) < 3 or text not in str(error)


_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
_PARTS = st.from_regex(r"[A-Za-z0-9_.:/+-]{1,20}", fullmatch=True)


@given(_NAMES, _PARTS, st.sampled_from(sorted(ROLES)))
def test_a_last_part_is_a_role_only_if_we_know_it(name: str, token: str, role: str) -> None:
    """Tokens may hold colons; nobody has to know how many. A role that is misspelt is no part of a token."""
    assert TOKENS.read(f"{name}:{token}:{role}") == (GivenToken(name, token, frozenset({role})),)
    assert TOKENS.read(f"{name}:{token}:X{role}") == (GivenToken(name, f"{token}:X{role}"),)
    with pytest.raises(ValueError, match="one of admin, agent, editor, operator, viewer, worker"):
        TOKENS.read(f"{name}:{token}:x{role}")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("10m", 600), ("1h30m", 5400), ("500ms", 0.5), ("30d", 2_592_000), ("45", 45), ("0.5", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    """As people write them; a plain number is seconds, as the deployed system has it."""
    assert DURATION.read(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "10 parsecs", "-5s", "0s", "5s5", "1e9", "nan", "99999999999d"])
def test_durations_that_are_none(text: str) -> None:
    """Zero is no duration either: nothing may wait no time."""
    with pytest.raises(ValueError, match="a duration such as"):
        DURATION.read(text)


@pytest.mark.parametrize(
    ("text", "size"), [("4MiB", 4 * 2**20), ("16 KiB", 16_384), ("500kB", 500_000), ("65536", 65_536)]
)
def test_sizes(text: str, size: int) -> None:
    """Powers of two and of ten."""
    assert SIZE.read(text) == size


def test_who_decides(tmp_path: Path) -> None:
    """Flag, then environment, then the nearer file, then the user's, then the default; and each says so."""
    user = tmp_path / "config" / "codetether" / "codetether.toml"
    user.parent.mkdir(parents=True)
    user.write_text('[server]\nport = 1\nhost = "::1"\nasgi = "uvicorn"\nbase_path = "/user"\n')
    (tmp_path / "codetether.toml").write_text('[server]\nport = 2\nhost = "127.0.0.2"\nasgi = "hypercorn"\n')
    settings = read(tmp_path, {"server.port": "4"}, CODETETHER_PORT="3", CODETETHER_HOST="127.0.0.3")
    assert settings.server.port == 4
    assert settings.origin("server.port") == "flag --port"
    assert settings.server.host == "127.0.0.3"
    assert settings.origin("server.host") == "environment CODETETHER_HOST"
    assert settings.server.asgi == "hypercorn"
    assert settings.origin("server.asgi") == f"file {tmp_path / 'codetether.toml'}"
    assert settings.server.base_path == "/user"
    assert settings.origin("server.base_path") == f"file {user}"
    assert settings.leases.ttl == timedelta(seconds=60)
    assert settings.origin("leases.ttl") == "default"


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        ({"A2A_HOST": "::1"}, "server.host", "::1"),
        ({"A2A_PORT": "9"}, "server.port", 9),
        ({"DATABASE_URL": "sqlite:////d", "A2A_REDIS_URL": "redis://r"}, "storage.store", "sqlite:////d"),
        ({"A2A_REDIS_URL": "redis://r"}, "storage.store", "redis://r"),
        ({"A2A_REDIS_URL": "redis://r"}, "storage.notifier", None),
        ({"DATABASE_URL": "postgresql://d/x", "A2A_REDIS_URL": "redis://r"}, "storage.notifier", "redis://r"),
        ({"A2A_DATABASE_URL": "postgresql://d/x", "A2A_REDIS_URL": "redis://r"}, "storage.notifier", "redis://r"),
        ({"DATABASE_URL": "postgresql://d/x"}, "storage.notifier", None),
        ({"CODETETHER_STORE": "redis://o", "A2A_REDIS_URL": "redis://r"}, "storage.notifier", None),
        (
            {"DATABASE_URL": "postgresql://d/x", "A2A_REDIS_URL": "redis://r", "CODETETHER_STORE": "redis://o"},
            "storage.notifier",
            None,
        ),
        (
            {"DATABASE_URL": "postgresql://d/x", "A2A_REDIS_URL": "redis://r", "CODETETHER_NOTIFIER": "redis://o"},
            "storage.notifier",
            "redis://o",
        ),
        ({"A2A_SERVER_URL": "https://s"}, "client.server", "https://s"),
        ({"A2A_AUTH_TOKEN": "t"}, "client.token", "t"),
        ({"A2A_MAX_CONCURRENT_TASKS": "7"}, "worker.slots", 7),
        ({"A2A_WORKER_NAME": "w", "CODETETHER_WORKER_NAME": "ours"}, "worker.name", "ours"),
        ({"A2A_AUTH_TOKENS": "ci:abc:admin"}, "auth.tokens", (GivenToken("ci", "abc:admin"),)),
        ({"CODETETHER_TOKENS": "ci:abc:admin"}, "auth.tokens", (GivenToken("ci", "abc", frozenset({"admin"})),)),
    ],
)
def test_the_deployed_names(tmp_path: Path, environment: dict[str, str], name: str, value: Any) -> None:
    """They mean what they meant; our own names come first."""
    settings = read_settings(environment=environment, directory=tmp_path)
    section, _, key = name.partition(".")
    assert getattr(getattr(settings, section), key) == value


def test_secrets_in_files(tmp_path: Path) -> None:
    """``*_FILE`` names the file; both at once is a mistake; a secret has no flag and is never shown."""
    file = tmp_path / "secret"
    file.write_text("hush-hush\n")
    settings = read(tmp_path, CODETETHER_TOKEN_FILE=str(file), CODETETHER_TOKENS="me:very-secret")
    assert settings.client.token == "hush-hush"
    shown = repr(settings) + "".join(f"{each}" for each in described(settings))
    assert "hush-hush" not in shown
    assert "very-secret" not in shown
    assert all(row.flag is None for row in table() if row.secret)
    both = refusal(tmp_path, CODETETHER_TOKEN_FILE=str(file), CODETETHER_TOKEN="x")
    assert both.message == "CODETETHER_TOKEN and CODETETHER_TOKEN_FILE are both set"
    missing = refusal(tmp_path, CODETETHER_TOKEN_FILE=str(tmp_path / "nowhere"))
    assert "cannot be read" in missing.message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1/db?user=ct&password=s3cret",
        "postgresql://u:s3cret@h/db?sslpassword=s3cret&sslmode=require",
        "redis://:s3cret#s3cret@h/0",
        "redis://:a/s3cret@h/0",
        "redis://:a@s3cret@h/0",
    ],
)
def test_a_password_is_not_shown_wherever_it_stands(tmp_path: Path, url: str) -> None:
    """Among the options, or with characters that ought to have been percent-encoded."""
    settings = read_settings(environment={"CODETETHER_STORE": url}, directory=tmp_path)
    assert "s3cret" not in settings.store_shown
    assert all("s3cret" not in each.value for each in described(settings))


def test_a_password_in_a_store_is_not_shown(tmp_path: Path) -> None:
    """Everything else of the URL is."""
    settings = read(tmp_path, DATABASE_URL="postgresql://me:hush@db:5432/x")
    assert settings.store_shown == "postgresql://me:***@db:5432/x"
    assert "hush" not in "".join(f"{each}" for each in described(settings))


def test_a_store_and_its_notifier_say_where_they_are_from(tmp_path: Path) -> None:
    """Each by its own name, from a file too; without their passwords."""
    file = tmp_path / "redis"
    file.write_text("redis+cluster://me:hush@a:7000,b:7001\n")
    settings = read(tmp_path, DATABASE_URL="postgresql://me:hush@db/x", A2A_REDIS_URL_FILE=str(file))
    shown = {each.name: each for each in described(settings)}
    assert shown["storage.store"][1:] == ("postgresql://me:***@db/x", "environment DATABASE_URL")
    assert shown["storage.notifier"][1:] == (
        "redis+cluster://me:***@a:7000,b:7001",
        f"file {file} (A2A_REDIS_URL_FILE)",
    )
    assert {each.name: each for each in described(read(tmp_path))}["storage.notifier"].value == "the store itself"
    assert "hush" not in repr(settings)
    assert "`A2A_REDIS_URL` beside `DATABASE_URL` or `A2A_DATABASE_URL`" in documented()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CODETETHER_NOTIFIER": "hush"}, ["storage.notifier", "environment CODETETHER_NOTIFIER", "redis://"]),
        ({"CODETETHER_PORT": "http"}, ["server.port", "environment CODETETHER_PORT", "0 to 65535", "'http'"]),
        ({"A2A_PORT": "70000"}, ["server.port", "environment A2A_PORT", "65535"]),
        ({"CODETETHER_ASGI": "gunicorn"}, ["server.asgi", "hypercorn, uvicorn"]),
        ({"CODETETHER_LEASE_TTL": "soon"}, ["leases.ttl", "60s"]),
        ({"CODETETHER_TOKENS": "hush"}, ["auth.tokens", "name:token"]),
        ({"CODETETHER_TOKENS": "ci::admin"}, ["auth.tokens", "ci", "it is empty"]),
        ({"CODETETHER_TOKENS": "a:same,b:same"}, ["auth.tokens", "a and b"]),
        ({"CODETETHER_TOKENS": "dev:secret:edtor"}, ["auth.tokens", "role", "dev", "editor"]),
        ({"CODETETHER_AUTH": "maybe"}, ["auth.enabled", "on or off"]),
    ],
)
def test_a_mistake_names_the_setting_its_origin_and_what_would_be_right(
    tmp_path: Path, environment: dict[str, str], words: list[str]
) -> None:
    """And never a secret's value."""
    message = refusal(tmp_path, None, **environment).message
    assert all(word in message for word in words), message
    assert "hush" not in message
    assert "same," not in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[server]\nprot = 1", "did you mean server.port?"),
        ("[sever]\nport = 1", "did you mean server?"),
        ("port = 1", "write port under [server]"),
        ("[server]\nttl = 1", "did you mean leases.ttl?"),
        (
            '[agents.x]\nprotocol = "acp"\nprompt = "stdin"',
            "there are protocol, agent, command, model, env, set, timeout, initialize_timeout, idle_timeout",
        ),
        ('[agents.x]\nprotocol = "mcp"', "leave it out for a command that prints text"),
        ("[agents.x]\ncomand = []", "there are protocol, command, prompt, model, session, env, set, timeout"),
    ],
)
def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_known(tmp_path: Path, text: str, hint: str) -> None:
    """A misspelt setting must not be a default in disguise."""
    (tmp_path / "codetether.toml").write_text(text)
    assert refusal(tmp_path).hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "[server",
        "server = 1",
        "[agents]\nx = 1",
        "[agents.x]\ncommand = []",
        "[agents.x]\ncommand = [1]",
        '[agents.x]\ncommand = ["x"]\nprompt = "mail"',
        '[agents.x]\ncommand = ["x"]\nprompt = 1',
        '[agents.x]\ncommand = ["x"]\nmodel = ["--model"]',
        '[agents.x]\ncommand = ["x"]\ntimeout = "soon"',
        '[agents.x]\ncommand = ["x"]\nset = { A = 1 }',
        '[agents.x]\nprompt = "none"',
        "[agents.x]\nprotocol = 1",
        '[agents.x]\nprotocol = "acp"',
        '[agents.opencode]\nprotocol = "acp"\nagent = "unheard-of"',
        '[agents.opencode]\nprotocol = "acp"\ncommand = []',
        '[agents.opencode]\nprotocol = "acp"\nidle_timeout = "soon"',
        "[server]\nport = true",
        "[server]\nhost = 1",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with it."""
    (tmp_path / "codetether.toml").write_text(text)
    assert str(tmp_path / "codetether.toml") in refusal(tmp_path).message


def test_agents_in_the_file(tmp_path: Path) -> None:
    """Templates of commands; the nearer file's wins by name."""
    (tmp_path / "codetether.toml").write_text('[agents.review]\ncommand = ["review", "-x"]\nenv = ["KEY"]\n')
    template = read(tmp_path).agents["review"]
    assert template == CommandTemplate(name="review", command=("review", "-x"), env=("KEY",))


def test_all_of_a_template_can_be_in_the_file(tmp_path: Path) -> None:
    """There is one class for it, so nothing is out of reach."""
    (tmp_path / "codetether.toml").write_text(
        """
        [agents.build]
        command = ["opencode", "run", "--format", "json"]
        prompt = "argument"
        model = ["--model", "{model}"]
        session = ["--session={session}"]
        env = ["KEY"]
        set = { CI = "1" }
        timeout = "2h"
        """
    )
    assert read(tmp_path).agents["build"] == CommandTemplate(
        name="build",
        command=("opencode", "run", "--format", "json"),
        prompt="argument",
        model=("--model", "{model}"),
        session=("--session={session}",),
        env=("KEY",),
        set={"CI": "1"},
        timeout=timedelta(hours=2),
    )


def test_an_agent_that_speaks_acp_needs_a_command_only_if_it_is_unknown(tmp_path: Path) -> None:
    """Its own name may be that of the known one, or say which it is; a command of one's own goes before."""
    (tmp_path / "codetether.toml").write_text(
        """
        [agents.opencode]
        protocol = "acp"
        [agents.review]
        protocol = "acp"
        agent = "claude"
        env = ["ANTHROPIC_API_KEY"]
        timeout = "2h"
        initialize_timeout = "1m"
        idle_timeout = "10m"
        [agents.gemini]
        protocol = "acp"
        command = ["/opt/gemini", "--experimental-acp"]
        model = ["--model", "{model}"]
        """
    )
    agents = read(tmp_path).agents
    assert agents["opencode"] == AcpTemplate(name="opencode", command=("opencode", "acp"))
    assert agents["review"] == AcpTemplate(
        name="review",
        command=LAUNCHES["claude"],
        env=("ANTHROPIC_API_KEY",),
        timeout=timedelta(hours=2),
        initialize_timeout=timedelta(minutes=1),
        idle_timeout=timedelta(minutes=10),
    )
    assert agents["gemini"].command == ("/opt/gemini", "--experimental-acp")
    assert agents["gemini"].model == ("--model", "{model}")


def test_what_comes_by_npm_is_pinned() -> None:
    """A run does what the last one did, whatever was published meanwhile."""
    fetched = [command[-1] for command in LAUNCHES.values() if command[0] == "npx"]
    assert fetched and all(re.fullmatch(r"@[\w-]+/[\w-]+@\d+\.\d+\.\d+", package) for package in fetched)


def test_where_tasks_may_register_codebases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home directory and the neighbours of what is served; never all there is, unless somebody says so."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "code").mkdir()
    codebases = f"a:{tmp_path / 'code'},top:/usr"
    default = read(tmp_path, CODETETHER_CODEBASES=codebases).worker
    assert default.registrable == tuple(sorted((tmp_path, tmp_path / "home")))
    assert read(tmp_path, CODETETHER_WORKER_ROOTS="/,/srv").worker.registrable == (Path("/"), Path("/srv"))


def test_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made from the table; lists by repetition; only an entrypoint's own sections."""
    monkeypatch.chdir(tmp_path)
    argv = ["--codebase", f"a:{tmp_path}", "--codebase", str(tmp_path), "--max-concurrent-tasks", "3"]
    settings = settings_from_flags("x", "", ("worker",), argv)
    assert settings.worker.codebases == (GivenCodebase("a", tmp_path), GivenCodebase(tmp_path.name, tmp_path))
    assert settings.worker.slots == 3
    with pytest.raises(SystemExit) as refused:
        settings_from_flags("x", "", ("worker",), ["--port", "1"])
    assert refused.value.code == 2


def test_the_table_is_sound() -> None:
    """No name, variable or flag twice; every row is documented."""
    rows = table()
    names = [row.name for row in rows]
    variables = [variable for row in rows for variable in (row.variable, *row.aliases)]
    flags = [row.flag for row in rows if row.flag]
    for each in (names, variables, flags):
        assert len(each) == len(set(each))
    assert all(f"`{row.name}`" in documented() for row in rows)


def test_variables_that_are_misspelt() -> None:
    """They are told of at the start, with what was probably meant; what others set is theirs."""
    found = misspelt_variables(
        {
            "CODETETHER_PROT": "1",
            "CODETETHER_PORT": "1",
            "CODETETHER_TOKEN_FILE": "x",
            "CODETETHER_TOKEN_FIEL": "x",
            "CODETETHER_SERVICE_HOST": "10.0.0.1",
            "CODETETHER_PORT_8000_TCP_ADDR": "10.0.0.1",
            "HOME": "/",
        }
    )
    assert found == {"CODETETHER_PROT": "CODETETHER_PORT", "CODETETHER_TOKEN_FIEL": "CODETETHER_TOKEN_FILE"}
