//! Several ways for a caller to prove who it is, beside each other.

use std::collections::HashMap;
use std::time::SystemTime;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use axum::body::Body;
use http::{HeaderName, Request, header};

use super::*;
use crate::clock::Clock;
use crate::conf::{BuildContext, Configure, FileRef, Process, Warnings};
use crate::fault::Fault;
use crate::handler::{Handler, Verdict};
use crate::handlers::auth::{Auth, Conf};
use crate::invocation::{Params, fixture};
use crate::operation::{Access, Operation};
use crate::random::Random;

mod api_keys;
mod cases;
#[cfg(feature = "outgoing")]
mod external;
mod mtls;
mod passwords;

/// The files of these tests, by name.
struct Few(HashMap<&'static str, String>);

impl crate::conf::Files for Few {
    fn read(&self, file: &FileRef) -> Result<Vec<u8>, BuildError> {
        let content = self.0.get(file.path().to_str().unwrap());
        content.map(|text| text.clone().into_bytes()).ok_or_else(|| BuildError::new("", "not there"))
    }
}

/// `openssl rand -hex 32` of the tests, and its digest by `printf %s KEY | sha256sum`.
const KEY: &str = "secret";
const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// A hash that costs next to nothing.
fn hashed(password: &str) -> String {
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_with_salt(password.as_bytes(), b"salt of the tests").unwrap().to_string()
}

/// A user and a password, as Basic sends them.
fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn build(conf: Value) -> Result<(Auth, Process), BuildError> {
    let files = Few(HashMap::from([
        ("jwks", secrets("a", SECRET).to_string()),
        ("short", secrets("a", SHORT).to_string()),
        ("keys", format!("# who may call\nbilling:sha256:{DIGEST} scopes=read roles=machine\n")),
        ("broken", "billing:secret".to_owned()),
        (
            "users",
            format!(
                "Aladdin:{} roles=genie\ntest:{}\ncolon:{}\nnone:{}\n",
                hashed("open sesame"),
                hashed("123£"),
                hashed("a:b:"),
                hashed("")
            ),
        ),
        ("rsa", String::from_utf8(RSA_PUBLIC.to_vec()).unwrap()),
    ]));
    let process = Process::default();
    let auth = Auth::build(
        serde_json::from_value::<Conf>(conf).unwrap(),
        &BuildContext {
            clock: Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)),
            random: &Random::seeded(1),
            scope: None,
            files: &files,
            warnings: &Warnings::default(),
            process: &process,
        },
    )?;
    Ok((auth, process))
}

fn auth(conf: Value) -> Auth {
    build(conf).unwrap().0
}

fn jwt() -> Value {
    json!({ "issuer": ISSUER, "audience": AUDIENCE, "keys": { "file": "jwks" } })
}

/// Who the caller of `target` with these header fields is, as `scheme:subject`, or what it is told.
async fn called(auth: &Auth, access: Access, target: &str, fields: &[(&str, &str)]) -> Result<String, Fault> {
    let mut request = Request::get(target);
    for (name, value) in fields {
        request = request.header(name.parse::<HeaderName>().unwrap(), *value);
    }
    let operation = Operation::new("greeting", "list", "GET", "/greetings").with_access(access);
    let mut call = fixture::with_operation(request.body(Body::empty()).unwrap(), operation, Params::default());
    let mut verdict = auth.before(&mut call);
    while let Verdict::Wait(mut waiting) = verdict {
        verdict = std::future::poll_fn(|cx| waiting.poll(cx, &mut call)).await;
    }
    match verdict {
        Verdict::Continue => Ok(call.call.principal.map_or("nobody".to_owned(), |principal| {
            format!("{}:{}", principal.identity().scheme, principal.subject())
        })),
        Verdict::Refuse(fault) => Err(fault),
        _ => panic!("neither passed nor refused"),
    }
}

async fn passes(auth: &Auth, fields: &[(&str, &str)]) -> String {
    called(auth, Access::Auth, "/greetings", fields).await.unwrap()
}

/// The status and all challenges.
async fn refused(auth: &Auth, fields: &[(&str, &str)]) -> (u16, Vec<String>) {
    told(&called(auth, Access::Auth, "/greetings", fields).await.unwrap_err())
}

fn told(fault: &Fault) -> (u16, Vec<String>) {
    let headers = fault.headers();
    let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter();
    (fault.status().as_u16(), challenges.map(|value| value.to_str().unwrap().to_owned()).collect())
}
