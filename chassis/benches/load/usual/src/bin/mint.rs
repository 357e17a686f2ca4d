//! Prints tokens for so many callers: `mint ALGORITHM KEY-FILE COUNT`.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Header, encode};
use usual::{AUDIENCE, Claims, Failure, ISSUER, Key};

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [algorithm, file, count] = arguments.as_slice() else { return Err("mint ALGORITHM KEY-FILE COUNT".into()) };
    let key = Key::read(algorithm, file)?;
    let (header, signing) = (Header::new(key.algorithm), key.signing()?);
    let iat = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    for caller in 0..count.parse::<u32>()? {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: format!("caller-{caller}"),
            scope: "greetings:write".to_owned(),
            iat,
            exp: iat + 24 * 3600,
        };
        println!("{}", encode(&header, &claims, &signing)?);
    }
    Ok(())
}
