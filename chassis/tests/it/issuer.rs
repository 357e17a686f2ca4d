//! The keys of a real OpenID provider change, and it goes away.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use chassis::operation::Access;
use chassis::testing::TestApp;
use futures_util::future::join_all;

use crate::rig::saying;

/// An OpenID provider that ends with the test.
struct Issuer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// Where `.ci/run` installs what it is made of.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/ci/tools/npm/node_modules");

impl Issuer {
    /// Starts one, if there is Node and what it is made of; where `CI` is set that has to be there beside Node.
    fn started() -> Option<Self> {
        let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
        let has_package = Path::new(PACKAGES).join("oauth2-mock-server").is_dir();
        assert!(
            !has_node || has_package || std::env::var_os("CI").is_none(),
            "oauth2-mock-server is not installed, and CI skips nothing"
        );
        if !has_node || !has_package {
            // Past what the test harness keeps to itself.
            writeln!(std::io::stderr(), "skipped: needs node and oauth2-mock-server in {PACKAGES}").ok();
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/issuer.mjs");
        let mut command = Command::new("node");
        command.args([script, PACKAGES]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, input, output: BufReader::new(output).lines() })
    }

    /// Tells it to do something, and reads what comes of it.
    fn told(&mut self, word: &str) -> String {
        writeln!(self.input, "{word}").unwrap();
        self.output.next().expect("it answers every word").unwrap()
    }

    /// Ends it, as an outage would.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that believes this issuer.
async fn believing(url: &str) -> TestApp {
    let yaml = format!(
        "chain: {{ provider: {{ default: [auth] }} }}
handlers: {{ auth: {{ jwt: {{ issuer: '{url}', audience: it, keys: {{ discovery: '{url}' }} }} }} }}"
    );
    let mut known = saying("wares.list", "/wares", "all");
    known.operation.access = Access::Auth;
    TestApp::builder("it").conf(&yaml).mount_operations([known]).start().await.expect("this service starts")
}

async fn status(app: &TestApp, token: &str) -> u16 {
    let call = app.get("/wares").header("authorization", &format!("Bearer {token}"));
    call.send().await.status().as_u16()
}

#[tokio::test]
async fn a_new_key_is_fetched_once_for_all_callers_and_known_keys_outlive_their_issuer() {
    let Some(mut issuer) = Issuer::started() else { return };
    let app = believing(&issuer.told("url")).await;
    let (old, unused) = (issuer.told("token"), issuer.told("token"));
    assert_eq!((status(&app, &old).await, issuer.told("asked").as_str()), (200, "1"));

    issuer.told("rotate");
    let tokens: Vec<_> = (0..20).map(|_| issuer.told("token")).collect();
    let outcomes = join_all(tokens.iter().map(|token| status(&app, token))).await;
    assert_eq!((outcomes, issuer.told("asked").as_str()), (vec![200; 20], "2"));
    assert_eq!(status(&app, &old).await, 200, "its key is still published");

    let new = issuer.told("token");
    issuer.told("rotate");
    let unknown = issuer.told("token");
    issuer.kill();
    assert_eq!([status(&app, &old).await, status(&app, &unused).await, status(&app, &new).await], [200; 3]);
    assert_ne!(status(&app, &unknown).await, 200);
}
