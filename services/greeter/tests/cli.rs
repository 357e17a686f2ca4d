//! What the program says and how it ends, asked as a person or a script does.

#![expect(clippy::unwrap_used, reason = "a test ends where what it stands on is missing")]
#![expect(clippy::disallowed_methods, reason = "a test reads the files it changes copies of")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The configuration that ships.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/greeter.yaml")
}

/// Runs greeter in a folder with nothing of the environment.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greeter"));
    command.env_clear().current_dir(folder).args(arguments).output().unwrap()
}

/// Runs greeter with the configuration that ships.
fn greeter(arguments: &[&str]) -> Output {
    let shipped = shipped();
    run_in(Path::new(env!("CARGO_TARGET_TMPDIR")), &[arguments, &["--conf", shipped.to_str().unwrap()]].concat())
}

/// A folder of this test's own, with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, content) in files {
        std::fs::write(folder.path().join(file), content).unwrap();
    }
    folder
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What `check` says about this configuration, which is rejected.
fn rejected(yaml: &str) -> String {
    let output = run_in(folder(&[("x.yaml", yaml)]).path(), &["check", "--conf", "x.yaml"]);
    assert_eq!((output.status.code(), out(&output)), (Some(78), String::new()), "{}", err(&output));
    err(&output)
}

fn token(arguments: &[&str]) -> String {
    let output = greeter(&[&["token", "--sub", "ada"], arguments].concat());
    assert!(output.status.success(), "{}", err(&output));
    format!("Authorization: Bearer {}", out(&output).trim())
}

#[test]
fn a_misspelt_handler_is_rejected_with_its_place_and_what_was_meant() {
    let yaml = std::fs::read_to_string(shipped()).unwrap().replacen("auth, house-rules]", "auht, house-rules]", 1);
    let line = yaml.lines().position(|line| line.contains("auht")).unwrap();
    let column = yaml.lines().nth(line).unwrap().find("auht").unwrap();
    let text = rejected(&yaml);
    assert!(
        text.starts_with(&format!(
            "x.yaml:{}:{}: chain.provider.default[4]: there is no handler `auht`\n",
            line + 1,
            column + 1
        )),
        "{text}"
    );
    assert!(text.contains("\n  help: did you mean `auth`?\n"), "{text}");
    assert!(text.ends_with("The configuration has 1 problem.\n"), "{text}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let yaml = "\
chain: { provider: { default: [rate-limit, rate-limit, auth, house-rules] } }
handlers:
  rate-limit: { brust: 5, rate: fast }
  auth: { jwt: { issuer: a, audience: b, keys: { file: none.json } } }
  house-rules: {}
protocols: { rest: { listen: ':9090', header-read-timeout: 0s } }
nonsense: 1
timeout: [1]
operations: { greeting.hello: { chain: nowhere } }
";
    let text = rejected(yaml);
    let places = [
        "x.yaml:1:44: chain.provider.default[1]: chain `default` lists `rate-limit` twice",
        "x.yaml:3:17: handlers.rate-limit.brust",
        "x.yaml:3:33: handlers.rate-limit.rate",
        "x.yaml:4:56: handlers.auth.jwt.keys.file: `none.json` cannot be read",
        "x.yaml:6:30: protocols.rest.listen",
        "x.yaml:6:60: protocols.rest.header-read-timeout",
        "x.yaml:7:1: nonsense",
        "x.yaml:8:10: timeout",
        "x.yaml:9:40: operations.greeting.hello.chain",
    ];
    for place in places {
        assert_eq!(text.matches(place).count(), 1, "{place} in {text}");
    }
    assert!(text.ends_with(&format!("The configuration has {} problems.\n", places.len())), "{text}");
    assert_eq!(text.matches("\n  help: ").count(), places.len(), "each has a remedy: {text}");
}

#[test]
fn what_only_follows_from_something_wrong_is_not_reported() {
    let shipped = std::fs::read_to_string(shipped())
        .unwrap()
        .replace("keys/", &format!("{}/", shipped().with_file_name("keys").display()));
    for (name, right, wrong) in [
        ("no-chain", "chain:\n", "chian:\n"),
        ("no-auth", "rate-limit, auth,", "rate-limit, auht,"),
        ("no-jwt", "    jwt:\n", "    jtw:\n"),
        ("no-base", "extends: default", "extends: defualt"),
    ] {
        let text = rejected(&shipped.replacen(right, wrong, 1));
        assert!(text.ends_with("The configuration has 1 problem.\n"), "{name}: {text}");
    }
}

#[test]
fn a_key_that_is_gone_says_what_to_write_instead_wherever_it_is_said() {
    let text = rejected("port: 8080\nprotocols: { rest: { port: 8080 } }\nchain: { default: [auth] }\n");
    for place in [
        "x.yaml:1:1: port: nothing reads `port` here: it was renamed, or is another program's word\n",
        "help: write `protocols.rest.listen: \":8080\"`\n",
        "x.yaml:2:22: protocols.rest.port: nothing reads `port` here",
        "help: write `listen: \":8080\"`\n",
        "x.yaml:3:10: chain.default: nothing reads `default` here",
        "help: write `chain.provider.default`\n",
    ] {
        assert!(text.contains(place), "{place} in {text}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_greeter"));
    let output =
        command.env_clear().env("CHASSIS__PORT", "80").args(["check", "--conf"]).arg(shipped()).output().unwrap();
    assert!(err(&output).starts_with("environment CHASSIS__PORT: port: nothing reads `port` here"), "{}", err(&output));
}

#[test]
fn check_finds_what_only_a_start_would_find() {
    // Too long for a name (RFC 1035 §2.3.4), so that nobody else has to be asked.
    let name = "x".repeat(64);
    let (named, nobody) =
        (format!("protocols.rest.listen={name}:80"), format!("listen: nobody can listen at `{name}`: "));
    let cases = [
        (&*named, &*nobody),
        (
            "admin.listen=unix:/none/a.sock",
            "admin.listen: no socket can be made in `/none`: there is no such directory",
        ),
        ("protocols.rest.listen=:65536", "protocols.rest.listen: `:65536` has no port from 0 to 65535"),
        ("protocols.rest.max-header-bytes=1B", "protocols.rest.max-header-bytes: 1 is not from 1KiB to 1MiB"),
    ];
    for (set, expected) in cases {
        let output = greeter(&["check", "--set", set]);
        let text = err(&output);
        assert!(output.status.code() == Some(78) && text.contains(expected), "{expected} in {text}");
        assert!(text.contains("\n  help: "), "{text}");
    }
}

#[test]
fn every_address_that_cannot_be_taken_is_said_at_once() {
    let sets = ["protocols.rest.listen=unix:/none/a.sock", "admin.listen=192.0.2.1:9090"];
    let output = greeter(&sets.iter().flat_map(|set| ["--set", set]).collect::<Vec<_>>());
    let text = err(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("protocol `rest` (--set protocols.rest.listen) does not start: "), "{text}");
    assert!(text.contains("\n  help: the folder `/none` is not there: create it, or choose another path\n"), "{text}");
    assert!(text.contains("listener `admin` (--set admin.listen) does not start: "), "{text}");
}

#[test]
fn a_file_that_is_no_configuration_is_told_by_what_it_is() {
    let row = |name: &str| format!("{name}: &{name} [{}]\n", ["*z"; 9].join(", "));
    let bomb = format!("z: &z [1]\n{}", ["a", "b", "c", "d", "e", "f"].map(row).concat());
    let bomb = ["b", "c", "d", "e", "f"].iter().zip("abcde".chars()).fold(bomb, |bomb, (name, above)| {
        let line = format!("{name}: &{name} [");
        let (before, after) = bomb.split_once(&line).unwrap();
        format!("{before}{line}{}", after.replacen("*z", &format!("*{above}"), 9))
    });
    let large = "#".repeat((1 << 20) + 1);
    for (name, content, expected) in [
        ("tabs", "log:\n\tlevel: info\n", "x.yaml:2:2: this is not YAML: a tab is used for indentation"),
        ("twice", "log: {}\nlog: {}\n", "x.yaml:2:1: log: the key `log` is there twice"),
        ("list", "- a\n", "x.yaml:1:1: the file is not a map of keys"),
        ("cut", "log: { level: info\n", "this is not YAML: a `{` before this is not closed"),
        ("empty", "", "x.yaml says nothing: it is empty"),
        ("comment", "# nothing\n", "x.yaml says nothing: it is empty"),
        ("large", &large, "x.yaml:1:1: the file is larger than 1 MiB"),
        ("binary", "PK\u{3}\u{4}", "x.yaml:1:3: the control character U+0003 is not allowed in YAML"),
        ("bomb", &bomb, "more than 100000 values, aliases expanded"),
    ] {
        let text = rejected(content);
        assert!(text.contains(expected) && text.contains("\n  help: "), "{name}: {text}");
    }
}

#[test]
fn yaml_that_cannot_be_read_is_rejected_with_its_place() {
    let text = rejected("handlers:\n  rate-limit: { rate: 5/s\nx: 1\n");
    assert!(text.starts_with("x.yaml:3:"), "{text}");
    assert!(text.contains("this is not YAML"), "{text}");
}

#[test]
fn the_reference_of_all_keys_is_checked_as_one_and_starts_nothing() {
    let reference = shipped().with_file_name("chassis.yaml");
    let reference = reference.to_str().unwrap();
    let folder = folder(&[]);
    let folder = folder.path();
    let checked = run_in(folder, &["check", "--conf", reference]);
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    assert!(out(&checked).starts_with("ok: this is the reference of all keys"), "{}", out(&checked));
    assert_eq!(run_in(folder, &["routes", "--conf", reference]).status.code(), Some(78));
    // As soon as it says something of its own, it is a configuration like any other.
    let set = "drain.delay=1s";
    assert_eq!(run_in(folder, &["check", "--conf", reference, "--set", set]).status.code(), Some(78));
}

#[test]
fn what_is_not_there_to_be_read_is_named() {
    let folder = folder(&[]);
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("empty")).unwrap();
    let none = run_in(folder, &["check", "--conf", "empty"]);
    assert_eq!(none.status.code(), Some(78));
    assert!(err(&none).contains("the directory `empty` holds no YAML file"), "{}", err(&none));
    let missing = run_in(folder, &["check", "--conf", "missing.yaml"]);
    assert!(err(&missing).contains("`missing.yaml` cannot be read"), "{}", err(&missing));
    let nothing = run_in(folder, &["check"]);
    assert_eq!(nothing.status.code(), Some(78));
    assert!(
        err(&nothing).starts_with("no configuration was read: there is no conf/greeter.yaml here\n  help: "),
        "{}",
        err(&nothing)
    );
}

#[test]
fn a_key_file_that_cannot_be_read_is_rejected_at_the_value_that_names_it() {
    let yaml = std::fs::read_to_string(shipped()).unwrap().replace("keys/development.jwks.json", "keys/none.json");
    let text = rejected(&yaml);
    assert!(text.contains(": handlers.auth.jwt.keys.file: `keys/none.json` cannot be read"), "{text}");
    assert!(text.ends_with("The configuration has 1 problem.\n"), "{text}");
}

#[test]
fn two_listeners_cannot_have_one_address() {
    let cases: [(&[&str], &str); 4] = [
        (
            &["protocols.rest-b.listen=127.0.0.1:8080"],
            "--set protocols.rest-b.listen: protocols.rest-b.listen: `protocols.rest.listen` (",
        ),
        (
            &["protocols.rest-b={}"],
            "protocols.rest.listen: `127.0.0.1:8080` and the `:8080` of `protocols.rest-b.listen`",
        ),
        (
            &["admin.listen=0.0.0.0:8080"],
            "--set admin.listen: admin.listen: `0.0.0.0:8080` and the `127.0.0.1:8080` of `protocols.rest.listen` (",
        ),
        (
            &["protocols.rest.listen=:9090"],
            "protocols.rest.listen: `:9090` and the `127.0.0.1:9090` of `admin.listen` (",
        ),
    ];
    for (sets, expected) in cases {
        let sets: Vec<_> = sets.iter().flat_map(|set| ["--set", set]).collect();
        let output = greeter(&[&["check"][..], &sets].concat());
        let text = err(&output);
        assert!(output.status.code() == Some(78) && text.contains(expected), "{expected} in {text}");
        assert!(text.contains("\n  help: give one of the two another port or another address\n"), "{text}");
    }
    let any = greeter(&["check", "--set", "protocols.rest.listen=:0", "--set", "admin.listen=:0"]);
    assert_eq!(any.status.code(), Some(0), "{}", err(&any));
}

#[test]
fn what_a_later_source_replaces_is_not_blamed() {
    let text = err(&greeter(&["check", "--set", "chain.provider.writing=[]"]));
    assert!(text.contains("--set chain.provider.writing: chain.provider.writing: "), "{text}");
    assert!(!text.contains("greeter.yaml:"), "{text}");
}

#[test]
fn an_empty_chain_is_allowed_and_warned_of() {
    let output =
        greeter(&["check", "--set", "chain.provider.open=[]", "--set", "operations.greeting.hello.chain=open"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let warned = err(&output);
    assert!(warned.contains("warning: chain `open` is empty: nothing runs before `greeting.hello`\n"), "{warned}");
    assert!(out(&output).starts_with("ok: 4 operations have their chains; revision "), "{}", out(&output));
}

#[test]
fn the_key_that_ships_is_warned_of_with_its_place_and_a_remedy() {
    let warned = err(&greeter(&["check"]));
    let line = warned.lines().find(|line| line.contains("development-only")).unwrap();
    assert!(line.starts_with("warning: handlers.auth.jwt.keys.file (") && line.contains("greeter.yaml:22:"), "{line}");
    assert!(line.ends_with("; before anything real depends on it, name a file with the public keys of your issuer"));
}

#[test]
fn configuration_that_has_no_effect_is_warned_of() {
    let cases = [
        (
            "operations.greeting.hello.handlers.cors.origins=['https://app.example']",
            "has no effect: no chain of these operations lists `cors`",
        ),
        (
            "handlers.cors.origins=['https://app.example']",
            "warning: handlers.cors (--set handlers.cors.origins) has no effect: list `cors` in a chain, or remove",
        ),
        ("chain.provider.idle=[]", "warning: chain `idle` (--set chain.provider.idle) is passed by no operation: "),
        ("protocols.rest.schemas=[]", "warning: no listener serves the operations of `greeting`: "),
    ];
    for (set, expected) in cases {
        let output = greeter(&["check", "--set", set]);
        assert!(output.status.success() && err(&output).contains(expected), "{} {}", out(&output), err(&output));
    }
    let reference = shipped().with_file_name("chassis.yaml");
    let below =
        err(&greeter(&["check", "--conf", &reference.to_string_lossy(), "--conf", &shipped().to_string_lossy()]));
    assert!(!below.contains("has no effect"), "{below}");
    let shipped = err(&greeter(&["check"]));
    assert!(!shipped.contains("has no effect") && !shipped.contains("passed by no operation"), "{shipped}");
}

#[test]
fn explain_says_how_a_path_begins() {
    let output = greeter(&["explain", "GET", "greetings/ada"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    let help = "help: write a method and a path that begins with `/`, ";
    assert!(err(&output).contains(help), "{}", err(&output));
}

/// The last line of what `explain` says about a call.
fn outcome(arguments: &[&str]) -> String {
    let output = greeter(&[&["explain"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    out(&output).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn explain_says_what_would_become_of_a_call() {
    let write = token(&["--scope", "greetings:write"]);
    let cases: [(&[&str], &str); 7] = [
        (&["GET", "/greetings/ada"], "→ greeting.hello is called"),
        (&["POST", "/greetings", "-H", &write], "→ greeting.remember is called"),
        (&["GET", "/nowhere"], "→ the answer is 404 Not Found: Nothing answers at this path."),
        (
            &["PUT", "/greetings/ada"],
            "→ the answer is 405 Method Not Allowed: PUT is not among the methods of this path: the Allow field lists them. (Allow: GET, DELETE)",
        ),
        (
            &["DELETE", "/greetings/ada", "-H", &write],
            "→ auth refuses with 403 Forbidden: This needs one of the roles `admin`. Give `ada` one of them.",
        ),
        (&["GET", "/greetings/Mallory"], "→ house-rules refuses with 403 Forbidden: This visitor is not welcome here."),
        (
            &["GET", "/greetings"],
            "→ auth refuses with 401 Unauthorized: This needs a known caller; send an access token as `Authorization: Bearer <token>`.",
        ),
    ];
    for (arguments, expected) in cases {
        assert_eq!(outcome(arguments), expected, "{arguments:?}");
    }
    let limited = outcome(&[
        "GET",
        "/greetings/ada",
        "--set",
        "handlers.rate-limit.rate=0/s",
        "--set",
        "handlers.rate-limit.burst=null",
    ]);
    assert!(limited.starts_with("→ rate-limit refuses with 429 Too Many Requests: "), "{limited}");
}

#[test]
fn explain_knows_what_is_too_large_for_the_listener() {
    let long = format!("/greetings/{}", "a".repeat(9_000));
    let refused = outcome(&["GET", &long]);
    assert_eq!(
        refused,
        "→ the answer is 414 URI Too Long: The target of the request is too long: at most 8192 bytes are taken."
    );
    let more = ["--set", "protocols.rest.max-target-bytes=16KiB", "--set", "protocols.rest.max-header-bytes=32KiB"];
    assert_eq!(outcome(&[&["GET", long.as_str()], more.as_slice()].concat()), "→ greeting.hello is called");
    let few = ["-H", "a: 1", "-H", "b: 2", "--set", "protocols.rest.max-headers=1"];
    let refused = outcome(&[&["GET", "/greetings/ada"], few.as_slice()].concat());
    assert!(refused.starts_with("→ the answer is 431 Request Header Fields Too Large: "), "{refused}");
}

#[test]
fn explain_tells_a_preflight_by_the_operation_that_it_asks_about() {
    let asked = |method: &str| {
        let asks = format!("access-control-request-method: {method}");
        let call = ["explain", "OPTIONS", "/greetings", "-H", "origin: https://app.example", "-H", &asks];
        let sets = [
            "chain.provider.pages=[request-id, cors, auth]",
            "operations.greeting.list.chain=pages",
            "handlers.cors.origins=[https://app.example]",
        ];
        let sets = sets.map(|set| ["--set", set]).concat();
        let output = greeter(&[&call[..], &sets].concat());
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let granted = asked("GET");
    let head =
        "greeting.list  GET /greetings  auth\nchain pages: a preflight passes it as far as the last handler that";
    assert!(granted.starts_with(head), "{granted}");
    assert!(
        granted.ends_with("→ cors answers 204 and lets pages of this origin call\n") && !granted.contains("auth  "),
        "{granted}"
    );
    let ungranted = asked("POST");
    assert!(
        ungranted.starts_with("no operation matches\nchain unmatched: a preflight about an operation"),
        "{ungranted}"
    );
    assert!(ungranted.ends_with("→ the answer is 204 No Content (Allow: GET, POST)\n"), "{ungranted}");
}

#[test]
fn explain_lists_the_chain_in_order_with_the_origin_of_each_value() {
    let text = out(&greeter(&["explain", "POST", "/greetings"]));
    let steps: Vec<_> = ["request-id  passes", "auth  refuses", "rate-limit  ", "house-rules  "]
        .iter()
        .map(|step| text.find(step))
        .collect();
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{text}");
    assert!(text.contains("greeter.yaml:") && text.contains("(not reached)"), "{text}");
    assert!(text.contains("\n   jwt.leeway: \"1m\"  default\n"), "{text}");
}

#[test]
fn explain_shows_what_is_read_and_answered_as_callers_see_it() {
    let named = out(&greeter(&["explain", "GET", "/greetings/Ada%20L"]));
    assert!(named.contains("\n  name = Ada L\n"), "{named}");
    let asked = out(&greeter(&["explain", "OPTIONS", "/greetings"]));
    assert!(asked.ends_with("→ the answer is 204 No Content (Allow: GET, POST)\n"), "{asked}");
    let pathless = out(&greeter(&["explain", "GET", "nope"]));
    assert!(pathless.contains("no operation matches\nchain unmatched\n"), "{pathless}");
    let expected = "→ the answer is 400 Bad Request: The target of the request must be a path.\n";
    assert!(pathless.ends_with(expected), "{pathless}");
}

#[test]
fn what_explain_cannot_be_asked_is_a_wrong_command_line() {
    for (arguments, text) in [
        (
            vec!["explain", "GET", "/x", "--listener", "rset"],
            "error: there is no listener `rset`\n  help: did you mean `rest`?\n",
        ),
        (
            vec!["explain", "GET", "/x", "-H", "nothing"],
            "error: `nothing` is no header field\n  help: write `-H 'Name: value'`\n",
        ),
    ] {
        let output = greeter(&arguments);
        assert_eq!((output.status.code(), err(&output)), (Some(2), text.to_owned()));
    }
    assert_eq!(greeter(&["explain", "GET", "no path"]).status.code(), Some(2));
    assert_eq!(greeter(&["explian"]).status.code(), Some(2));
    assert_eq!(greeter(&["token"]).status.code(), Some(2));
    let json = greeter(&["conf", "--reference", "--json"]);
    assert!(json.status.code() == Some(2) && out(&json).contains("conf --schema"), "{}", out(&json));
}

#[test]
fn a_token_that_would_be_good_for_nothing_is_refused_with_a_remedy() {
    let help = "write a time from `1s` to `365d`, such as `1h` or `30m`";
    for (arguments, expected) in [
        (["--sub", "", "--lifetime", "1h"], "a token names somebody: write `--sub ada`"),
        (["--sub", "ada", "--lifetime", "0s"], &*format!("such a token is never good: {help}")),
        (["--sub", "ada", "--lifetime", "99999d"], &*format!("a token cannot be taken back: {help}")),
        (["--sub", "ada", "--lifetime", "-1h"], help),
    ] {
        let output = greeter(&[&["token"][..], &arguments].concat());
        assert!(output.status.code() == Some(2) && err(&output).contains(expected), "{}", err(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure_and_a_reader_that_left_is_none() {
    let written_to = |to: &str| {
        let greeter = env!("CARGO_BIN_EXE_greeter");
        let script = format!("'{greeter}' conf --reference {to}");
        Command::new("bash").args(["-o", "pipefail", "-c", &script]).env_clear().output().unwrap()
    };
    let full = written_to("> /dev/full");
    assert_eq!(full.status.code(), Some(1));
    let expected = "error: the answer cannot be written to standard output: No space left on device";
    assert!(err(&full).starts_with(expected), "{}", err(&full));
    assert_eq!((written_to("| true").status.code(), written_to("> /dev/null").status.code()), (Some(0), Some(0)));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_configuration_unless_the_shell_hands_it_over() {
    let folder = folder(&[]);
    let folder = folder.path();
    let pipe = folder.join("pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let refused = run_in(folder, &["check", "--conf", "pipe.yaml"]);
    assert_eq!(refused.status.code(), Some(78));
    assert!(err(&refused).contains("`pipe.yaml` cannot be read: it is not a regular file"), "{}", err(&refused));
    let script = format!("'{}' conf --conf <(cat '{}')", env!("CARGO_BIN_EXE_greeter"), shipped().display());
    let handed = Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert!(err(&handed).contains("keys/development.jwks.json"), "{}", err(&handed));
}

#[test]
fn a_variable_that_is_nearly_one_of_ours_is_warned_of() {
    let warned = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greeter"));
        command.env_clear().env(name, "3s").args(["check", "--conf"]).arg(shipped());
        err(&command.output().unwrap())
    };
    let expected = "warning: environment CHASSIS_TIMEOUT has no effect: two underscores stand before each key, as in \
                    `CHASSIS__TIMEOUT`\n";
    assert!(warned("CHASSIS_TIMEOUT").contains(expected), "{}", warned("CHASSIS_TIMEOUT"));
    assert!(!warned("CHASSIS__TIMEOUT").contains("has no effect"));
}

#[test]
fn every_command_speaks_json() {
    for arguments in
        [&["check"][..], &["routes"], &["conf"], &["explain", "GET", "/greetings/ada"], &["token", "--sub", "ada"]]
    {
        let output = greeter(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {}", err(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(document.is_object() || document.is_array(), "{arguments:?}");
    }
    let routes = greeter(&["routes", "--json", "--set", "timeout=30s"]);
    let document: Value = serde_json::from_slice(&routes.stdout).unwrap();
    assert_eq!(document[0]["operation"]["timeout"], "30s");
    let wrong = greeter(&["check", "--json", "--set", "tiemout=1s"]);
    let document: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!((wrong.status.code(), document["problems"][0]["key"].as_str()), (Some(78), Some("tiemout")));
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    assert!(!out(&greeter(&["routes"])).contains('\x1b'));
    assert!(out(&greeter(&["routes", "--color", "always"])).contains('\x1b'));
    let wrong = ["check", "--set", "tiemout=1s"];
    assert!(!err(&greeter(&wrong)).contains('\x1b'));
    assert!(err(&greeter(&[&wrong[..], &["--color", "always"]].concat())).contains('\x1b'));
}

#[test]
fn routes_say_which_listener_serves_each_operation() {
    let text = out(&greeter(&["routes"]));
    let head = text.lines().next().unwrap();
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["METHOD", "PATH", "OPERATION", "LISTENER", "ACCESS", "CHAIN"]
    );
    let inner = ["--set", "protocols.rest-inner={ listen: ':0', schemas: [greeting] }"];
    let document: Value =
        serde_json::from_slice(&greeter(&[&["routes", "--json"], &inner[..]].concat()).stdout).unwrap();
    assert_eq!(document[0]["operation"]["listeners"], serde_json::json!(["rest-inner"]));
    let nowhere = out(&greeter(&["routes", "--set", "protocols.rest.schemas=[]"]));
    assert!(nowhere.lines().skip(1).all(|line| line.contains("  -  ")), "{nowhere}");
}

#[test]
fn the_program_says_what_it_is() {
    let version = greeter(&["--version"]);
    assert_eq!((version.status.code(), out(&version)), (Some(0), format!("greeter {}\n", env!("CARGO_PKG_VERSION"))));
    let help = out(&greeter(&["--help"]));
    for word in ["check", "routes", "explain", "token", "conf", "CHASSIS_CONF", "Exit codes"] {
        assert!(help.contains(word), "{word} in {help}");
    }
}
