"""Settings: which source wins, what is refused, and what is never shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from anchorecli.config import OPTIONS, FeedSettings, Secret, Settings, Webhook, load
from anchorecli.config.options import duration, size
from anchorecli.errors import UsageError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, with no system-wide file."""
    monkeypatch.setattr("anchorecli.config.sources.SYSTEM_FILE", tmp_path / "etc" / "config.yaml")
    (tmp_path / "home").mkdir()
    (tmp_path / "job").mkdir()
    return tmp_path / "home"


def settings(home: Path, flags: Mapping[str, Any] | None = None, /, **env: str) -> Settings:
    return load(flags, {"HOME": str(home), **env}, cwd=home.parent / "job")


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def local(home: Path, text: str) -> Path:
    return write(home.parent / "job" / ".anchore.yaml", text)


def user(home: Path, text: str) -> Path:
    return write(home / ".config" / "anchore" / "config.yaml", text)


def system(home: Path, text: str) -> Path:
    return write(home.parent / "etc" / "config.yaml", text)


def explicit(home: Path, text: str | bytes) -> Settings:
    path = write(home.parent / "job" / "my.yaml", text)
    return load({}, {"HOME": str(home)}, config_file=path, cwd=home.parent / "job")


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_defaults(home: Path) -> None:
    found = settings(home)

    assert found == Settings(store=home / ".local/share/anchore/store.db")
    assert {origin for _, _, origin in found.entries()} == {"default"}


def test_every_source_wins_over_the_next(home: Path) -> None:
    system(home, "fail-on: low\n")
    assert settings(home).fail_on == "low"
    user(home, "fail-on: medium\n")
    assert settings(home).fail_on == "medium"
    local(home, "fail-on: high\n")
    assert settings(home).fail_on == "high"
    assert settings(home, ANCHORE_FAIL_ON="Critical").fail_on == "critical"
    assert settings(home, {"fail_on": "negligible"}, ANCHORE_FAIL_ON="critical").fail_on == "negligible"
    assert settings(home, {"fail_on": None}, ANCHORE_FAIL_ON="").fail_on == "high"


def test_files_are_merged_key_by_key(home: Path) -> None:
    system(home, "feeds: {debian: {url: 'https://mirror/debian'}, osv: {url: 'https://mirror/osv'}}\ntimeout: 30\n")
    user(home, "feeds: {osv: {url: 'https://mine/osv'}}\nretention: {days: 3}\n")
    local(home, "feeds: {debian: {enabled: false}}\nretention: {}\n")

    found = settings(home)

    assert found.feeds == {
        "debian": FeedSettings("https://mirror/debian", enabled=False),
        "osv": FeedSettings("https://mine/osv"),
    }
    assert (found.timeout, found.retention_days) == (30, 3)
    assert found.origins["timeout"] == f"{home.parent}/etc/config.yaml:2"
    assert found.origins["feeds.osv.url"] == f"{home}/.config/anchore/config.yaml:1"


def test_policy_and_fail_on_exclude_each_other(home: Path) -> None:
    user(home, "policy: /p.yaml\n")
    found = settings(home, ANCHORE_FAIL_ON="high")
    assert (found.policy, found.fail_on) == ("", "high")
    assert "policy" not in found.origins
    found = settings(home, {"policy": "/q.yaml"}, ANCHORE_FAIL_ON="high")
    assert (found.policy, found.fail_on) == ("/q.yaml", "")
    with pytest.raises(UsageError, match=r"^--fail-on: fail-on excludes policy") as error:
        settings(home, {"policy": "/q.yaml", "fail_on": "high"})
    assert "--policy" in error.value.hint
    user(home, "policy: /p.yaml\nfail-on: low\n")
    with pytest.raises(UsageError, match=r"config\.yaml:2: fail-on excludes policy"):
        settings(home)


def test_what_click_read_from_the_environment_is_no_flag(home: Path) -> None:
    env = {"ANCHORE_POLICY": "/p.yaml", "ANCHORE_TIMEOUT": "90", "ANCHORE_OUTPUT": "a b"}
    found = settings(home, {"policy": "/p.yaml", "timeout": 90.0, "outputs": ("a", "b"), "quiet": True}, **env)
    assert found.origins == {
        "policy": "ANCHORE_POLICY",
        "timeout": "ANCHORE_TIMEOUT",
        "output": "ANCHORE_OUTPUT",
        "quiet": "--quiet",
    }
    assert settings(home, {"policy": "/p.yaml", "fail_on": "high"}, **env).fail_on == "high"
    with pytest.raises(UsageError, match=r"^ANCHORE_FAIL_ON: a severity"):
        settings(home, {"fail_on": "bad"}, ANCHORE_FAIL_ON="bad")


def test_a_named_file_is_the_only_one(home: Path) -> None:
    user(home, "fail-on: low\nquiet: true\n")
    path = write(home.parent / "job" / "my.yaml", "fail-on: high\n")

    for found in (
        load({}, {"HOME": str(home)}, config_file=path),
        load({}, {"HOME": str(home), "ANCHORE_CONFIG": str(path)}),
    ):
        assert (found.fail_on, found.quiet) == ("high", False)


def test_xdg_places(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "xdg" / "anchore" / "config.yaml", "quiet: true\n")
    found = settings(home, XDG_CONFIG_HOME=str(tmp_path / "xdg"), XDG_DATA_HOME=str(tmp_path / "data"))
    assert found.quiet
    assert found.store == tmp_path / "data" / "anchore" / "store.db"
    assert not settings(home, XDG_CONFIG_HOME="relative/xdg").quiet


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "{}\n"])
def test_a_file_without_content_says_nothing(home: Path, text: str) -> None:
    assert explicit(home, text) == settings(home)


# ── every key ───────────────────────────────────────────────────────────────────────────────────────────────────────

EXAMPLES: dict[str, tuple[str, Any]] = {
    "store": ("/s/store.db", Path("/s/store.db")),
    "platform": ("linux/arm/v7", "linux/arm/v7"),
    "tls-verify": ("false", False),
    "authfile": ("/a.json", "/a.json"),
    "timeout": ("90", 90.0),
    "http-timeout": ("0.5", 0.5),
    "policy": ("/p.yaml", "/p.yaml"),
    "fail-on": ("high", "high"),
    "vex": ("/v.json", ("/v.json",)),
    "output": ("json", ("json",)),
    "offline": ("true", True),
    "quiet": ("yes", True),
    "verbose": ("2", 2),
    "retention.days": ("7", 7),
    "retention.count": ("20", 20),
    "watch.interval": ("30m", 1800),
    "limits.layer-bytes": ("4GiB", 4 << 30),
    "limits.entries": ("1000", 1000),
    "limits.file-bytes": ("500kB", 500_000),
    "limits.fact-bytes": ("100MB", 100_000_000),
    "limits.analyzers": ("java.depth=50", (("java.depth", 50),)),
    "secret-search.enabled": ("true", True),
    "secret-search.max-file-bytes": ("1MiB", 1 << 20),
    "content-search": ("GPL=.*GPL-[23]", ("GPL=.*GPL-[23]",)),
    "content-search-file-bytes": ("2MB", 2_000_000),
    "retrieve-files": ("/etc/passwd", ("etc/passwd",)),
    "retrieve-file-bytes": ("10kB", 10_000),
    "verify-packages": ("true", True),
    "certificates": ("true", True),
    "declared": ("true", True),
    "hints": ("true", True),
    "all-layers": ("true", True),
    "feeds.trusted-keys": ("/k.pub", ("/k.pub",)),
    "feeds.upstream": ("https://feeds.example", "https://feeds.example"),
    "require-signed-feed": ("true", True),
    "malware.enabled": ("true", True),
    "malware.clamd": ("clamd.example:3310", "clamd.example:3310"),
}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_is_understood_from_file_environment_and_flag(home: Path, option: Any) -> None:
    text, value = EXAMPLES[option.key]
    group, _, name = option.key.rpartition(".")

    in_file = explicit(home, f"{group}: {{{name}: {text}}}\n" if group else f"{name}: {text}\n")
    in_environment = settings(home, **{option.variable: text})
    as_flag = settings(home, {option.flag: text})

    for found in (in_file, in_environment, as_flag):
        assert getattr(found, option.field) == value
        assert type(getattr(found, option.field)) is type(value)
    assert in_file.origins[option.key].endswith("my.yaml:1")
    assert in_environment.origins[option.key] == option.variable
    assert as_flag.origins[option.key].startswith("--")


def test_flags_may_be_what_click_makes_of_them(home: Path) -> None:
    found = settings(home, {"timeout": 90.0, "tls_verify": False, "verbose": 2, "store": Path("/s"), "outputs": ("a",)})
    assert (found.timeout, found.tls_verify, found.verbose) == (90.0, False, 2)
    assert (found.store, found.outputs) == (Path("/s"), ("a",))


@pytest.mark.parametrize("key", ["retention.days", "retention.count", "limits.file-bytes"])
@pytest.mark.parametrize("word", ["off", "none", "'off'"])
def test_a_bound_can_be_switched_off(home: Path, key: str, word: str) -> None:
    group, _, name = key.rpartition(".")
    found = explicit(home, f"{group}: {{{name}: {word}}}\n" if group else f"{name}: {word}\n")
    assert getattr(found, key.replace("-", "_").replace(".", "_")) is None


def test_paths_of_a_file_are_relative_to_it(home: Path) -> None:
    user(home, "policy: bundles/ci.yaml\nauthfile: ~/auth.json\nstore: /var/store.db\n")
    found = settings(home)
    assert found.policy == f"{home}/.config/anchore/bundles/ci.yaml"
    assert found.authfile == f"{home}/auth.json"
    assert found.store == Path("/var/store.db")
    assert settings(home, {"policy": "ci.yaml"}).policy == "ci.yaml"
    user(home, "feeds: {trusted-keys: [a.pub, ~/b.pub], debian: {enabled: false}}\n")
    assert settings(home).feeds_trusted_keys == (f"{home}/.config/anchore/a.pub", f"{home}/b.pub")
    assert not settings(home).feed_enabled("debian")


def test_lists_in_the_environment(home: Path) -> None:
    found = settings(
        home,
        ANCHORE_OUTPUT="table json=out.json",
        ANCHORE_FEED_URL="debian=http://a/ osv=https://b",
        ANCHORE_WEBHOOK="https://h/1 https://h/2",
        ANCHORE_WEBHOOK_SECRET="key",
    )
    assert found.outputs == ("table", "json=out.json")
    assert (found.feed_url("debian"), found.feed_url("osv:PyPI"), found.feed_url("ghsa")) == (
        "http://a/",
        "https://b",
        "",
    )
    assert [hook.url.reveal({}) for hook in found.webhooks] == ["https://h/1", "https://h/2"]
    assert found.webhooks[0].secret.reveal({"ANCHORE_WEBHOOK_SECRET": "key"}) == "key"


def test_flags_may_be_lists_or_one_text(home: Path) -> None:
    found = settings(home, {"webhook": "https://h/1", "feed_url": ("osv=https://b",), "outputs": ("a b=c",)})
    assert found.webhooks == (Webhook(Secret("text", "https://h/1")),)
    assert found.feed_url("osv") == "https://b"
    assert found.outputs == ("a b=c",)
    assert not settings(home, {"webhook": None, "feed_url": ()}).webhooks


def test_a_feed_can_be_switched_off(home: Path) -> None:
    user(home, "feeds: {osv: {enabled: no}}\n")
    found = settings(home)
    assert not found.feed_enabled("osv")
    assert not found.feed_enabled("osv:PyPI")
    assert found.feed_enabled("debian")


@pytest.mark.parametrize(("text", "number"), [("90s", 90), ("1d12h", 129600), ("2 w", 1209600), ("1h 5m", 3900)])
def test_durations(text: str, number: int) -> None:
    assert duration(text) == number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("1k", 1000), ("1KiB", 1024), ("2 MB", 2_000_000), ("3B", 3)])
def test_sizes(text: str, number: int) -> None:
    assert size(text) == number


# ── webhooks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_webhooks(home: Path) -> None:
    text = """\
webhooks:
  - https://plain.example/a
  - url: {env: HOOK_URL}
    events: [vuln_update]
    headers:
      Authorization: {file: token}
      X-Team: blue
    secret: {env: HOOK_KEY}
"""
    write(home.parent / "job" / "token", "Bearer t0ken\n")
    plain, whole = explicit(home, text).webhooks

    assert plain == Webhook(Secret("text", "https://plain.example/a"))
    assert whole.events == ("vuln_update",)
    env = {"HOOK_URL": "https://h/x", "HOOK_KEY": "k"}
    assert whole.url.reveal(env) == "https://h/x"
    assert {name: value.reveal(env) for name, value in whole.headers.items()} == {
        "Authorization": "Bearer t0ken",
        "X-Team": "blue",
    }
    assert whole.secret.reveal(env) == "k"


@pytest.mark.parametrize("env", [{}, {"HOOK_URL": ""}])
def test_a_secret_that_is_not_there_is_told_when_it_is_needed(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"\$HOOK_URL is not set"):
        Secret("env", "HOOK_URL").reveal(env)


def test_a_secret_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Secret("file", str(tmp_path / "none")).reveal({})
    with pytest.raises(UsageError, match="no UTF-8"):
        Secret("file", str(write(tmp_path / "binary", b"\xff\xfe"))).reveal({})
    with pytest.raises(UsageError, match="empty"):
        Secret("file", str(write(tmp_path / "empty", b"\n"))).reveal({})


def test_secrets_are_never_shown(home: Path) -> None:
    text = """\
feeds: {debian: {url: 'https://user:s3cret@mirror.example/debian?key=s3cret'}}
webhooks:
  - https://user:s3cret@hooks.example:8443/s3cret?x=s3cret
  - {url: "https://h/", headers: {Authorization: s3cret}, secret: s3cret}
"""
    found = explicit(home, text)

    assert "s3cret" not in found.describe()
    assert "s3cret" not in repr(found.webhooks)
    shown = dict((key, value) for key, value, _ in found.entries())
    assert shown["feeds.debian.url"] == "https://mirror.example/debian"
    assert shown["webhooks"].startswith("https://hooks.example:8443/… (tag_update, vuln_update, policy_eval)")


def test_describe_says_where_each_value_comes_from(home: Path) -> None:
    local(home, "\nfail-on: high\n")
    lines = settings(home, {"offline": True}, ANCHORE_TIMEOUT="5").describe().splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines}

    assert table["fail-on"] == ["high", f"{home.parent}/job/.anchore.yaml:2"]
    assert table["offline"] == ["true", "--offline"]
    assert table["timeout"] == ["5.0", "ANCHORE_TIMEOUT"]
    assert table["platform"] == ["-", "default"]


# ── the working directory's file ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "webhooks: [https://evil.example]",
        "feeds: {debian: {url: 'https://evil.example'}}",
        "authfile: auth.json",
        "tls-verify: false",
        "store: store.db",
        "output: json=../../.bashrc",
        "output: [table, json=report.json]",
        "retention: {days: 1}",
        "watch: {interval: 1s}",
        "limits: {entries: 1}",
        "timeout: 1",
    ],
)
def test_the_working_directory_has_no_say_in_where_things_go(home: Path, text: str) -> None:
    path = local(home, text)
    with pytest.raises(UsageError, match=r"anchore\.yaml:1: .* not taken from the working directory's file") as error:
        settings(home)
    assert "--config" in error.value.hint

    load({}, {"HOME": str(home)}, config_file=path)


@pytest.mark.parametrize("target", ["/dev/tty", "/dev/zero", "..", "nowhere"])
def test_the_working_directorys_file_is_a_file(home: Path, target: str) -> None:
    (home.parent / "job" / ".anchore.yaml").symlink_to(target)
    with pytest.raises(UsageError, match=r"no regular file|No such file"):
        settings(home)


def test_the_working_directory_decides_about_its_own_job(home: Path) -> None:
    local(home, "policy: ci.yaml\noutput: [json]\nfeeds: {osv: {enabled: false}}\n")
    found = settings(home)
    assert found.policy == f"{home.parent}/job/ci.yaml"
    assert (found.outputs, found.feed_enabled("osv")) == (("json",), False)


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("polcy: x.yaml", ":1: unknown key 'polcy'", "policy"),
        ("\n\nfail_on: high", ":3: unknown key 'fail_on'", "fail-on"),
        ("retention: {dayz: 1}", ":1: unknown key 'dayz'", "days"),
        ("zzzzzzzz: 1", ":1: unknown key 'zzzzzzzz'", "one of all-layers, authfile"),
        ("feeds: {debian: {uri: 'http://x'}}", ":1: unknown key 'uri'", "url"),
        ("webhooks: [{url: 'http://x', header: {}}]", ":1: unknown key 'header'", "headers"),
        ("webhooks: [{url: 'http://x', events: [vuln]}]", ":1: unknown events 'vuln'", "vuln_update"),
        ("policy: a\npolicy: b", ":2: policy stands there twice", "remove"),
        ("policy:", ":1: policy has no value", "remove the line"),
        ("policy: [a]", ":1: policy must be a single value", "policy: value"),
        ("policy: 5", ":1: policy: it is read as int", "'5'"),
        ("policy: ''", ":1: policy: a value is missing", ""),
        ("fail-on: no", ":1: fail-on: it is read as bool", "'no'"),
        ("fail-on: hgih", ":1: fail-on: a severity is wanted", "'hgih'"),
        ("offline: 3", ":1: offline: it is read as int", "'3'"),
        ("offline: maybe", ":1: offline: true or false is wanted", "maybe"),
        ("verbose: -1", ":1: verbose: a whole number", "-1"),
        ("retention: {days: 0}", ":1: retention.days: a number above 0", "0"),
        ("retention: 5", ":1: retention must be a mapping", "key: value"),
        ("retention.days: 5", ":1: unknown key 'retention.days'", "retention"),
        ("watch: {interval: 5}", ":1: watch.interval: a duration is wanted", "5"),
        ("watch: {interval: 0d}", ":1: watch.interval: a duration above 0", "0d"),
        ("timeout: 0", ":1: timeout: a number of seconds above 0", "0"),
        ("timeout: .nan", ":1: timeout: a duration is wanted", "nan"),
        ("limits: {layer-bytes: 4XB}", ":1: limits.layer-bytes: a size is wanted", "4XB"),
        ("platform: amd64", ":1: platform: a platform is wanted", "amd64"),
        ("feeds: {debian: {url: 'file:///etc'}}", ":1: feeds.debian.url: an http or https URL", "file:"),
        ("feeds: {debian: {url: 'http://h:port/'}}", ":1: feeds.debian.url: an http or https URL", ""),
        ("feeds: [debian]", ":1: feeds must be a mapping", ""),
        ("feeds: {debian: false}", ":1: feeds.debian must be a mapping", ""),
        ("webhooks: [{events: [vuln_update]}]", ":1: a webhook without url", "add url"),
        ("webhooks: [{url: {env: A, file: B}}]", ":1: url has 2 places", "{env: NAME}"),
        ("webhooks: [{url: {}}]", ":1: url has 0 places", "{env: NAME}"),
        ("webhooks: [[]]", ":1: webhooks must be a mapping", ""),
        ("? [a]\n: b", ":1: a key that is no word", "key: value"),
        ("- policy", ":1: the file must be a mapping", "key: value"),
        ("policy", ":1: the file must be a mapping", "key: value"),
        ("policy: [", "no YAML", "line"),
        ("a: b: c", ":1: no YAML", "line"),
        ("policy: a\n---\npolicy: b", ":2: no YAML", "line"),
        ("policy: *nowhere", ":1: no YAML", "line"),
        ("feeds:\n" + "".join(f"  f{n}: {{}}\n" for n in range(1001)), ":2: feeds has more than 1000 keys", "shorten"),
        (f"output: [{'a,' * 1001}]", ":1: output has more than 1000 items", "shorten"),
        ("[" * 5000, "nested too deeply", "configuration file"),
        ("retention: &a {days: *a}", "no YAML|single value|found", ""),
    ],
)
def test_mistakes_name_the_line_and_the_nearest_name(home: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        explicit(home, text)
    assert "my.yaml" in error.value.message
    assert hint in error.value.hint
    assert error.value.exit_code == 2


@pytest.mark.parametrize("data", [b"\xff\xfe\xfa", b"policy: \x00", b"policy: \x80abc"])
def test_bytes_that_are_no_text(home: Path, data: bytes) -> None:
    with pytest.raises(UsageError, match="no YAML"):
        explicit(home, data)


def test_a_file_that_is_not_there_or_too_large(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file") as error:
        load({}, {"HOME": str(home)}, config_file=tmp_path / "none.yaml")
    assert "--config" in error.value.hint
    with pytest.raises(UsageError, match="more than"):
        explicit(home, "#" * (1 << 20) + "\n")
    user(home, "").unlink()
    (home / ".config" / "anchore" / "config.yaml").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        settings(home)


@pytest.mark.parametrize(
    ("flags", "env", "message"),
    [
        ({}, {"ANCHORE_FAIL_ON": "bad"}, "^ANCHORE_FAIL_ON: a severity"),
        ({}, {"ANCHORE_TLS_VERIFY": "2"}, "^ANCHORE_TLS_VERIFY: true or false"),
        ({}, {"ANCHORE_INTERVAL": "soon"}, "^ANCHORE_INTERVAL: a duration"),
        ({}, {"ANCHORE_FEED_URL": "http://x"}, "^ANCHORE_FEED_URL: "),
        ({}, {"ANCHORE_WEBHOOK": "example.com"}, "^ANCHORE_WEBHOOK: an http"),
        ({"fail_on": "bad"}, {}, "^--fail-on: a severity"),
        ({"interval": "soon"}, {}, "^--interval: a duration"),
        ({"timeout": -5.0}, {}, "^--timeout: a number"),
        ({"webhook": "ftp://s3cret"}, {}, "^--webhook: an http"),
        ({"feed_url": ["=http://x"]}, {}, "^--feed-url: NAME=URL"),
    ],
)
def test_mistakes_in_flags_and_environment(
    home: Path, flags: dict[str, Any], env: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        settings(home, flags, **env)
    assert "s3cret" not in error.value.message + error.value.hint


def test_a_feed_that_does_not_exist(home: Path) -> None:
    user(home, "feeds:\n  debain: {enabled: false}\n")
    with pytest.raises(UsageError, match=r"config\.yaml:2: unknown feed 'debain'") as error:
        load({}, {"HOME": str(home)}, cwd=home, feeds=("debian", "osv"))
    assert "debian" in error.value.hint


def test_yaml_is_loaded_only_for_a_file(home: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from anchorecli import config;"
        "from anchorecli.config import load;"
        f"sys.modules['anchorecli.config.sources'].SYSTEM_FILE = Path({str(home / 'none')!r});"
        f"load({{}}, {{'HOME': {str(home)!r}}}, cwd=Path({str(home)!r}));"
        "print('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
