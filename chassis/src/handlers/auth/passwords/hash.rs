//! Hashes of passwords: Argon2 (RFC 9106) and bcrypt.

use argon2::password_hash::PasswordVerifier;
use argon2::{Argon2, Params};

/// What is known of a password.
pub(super) enum Hash {
    Argon2(String),
    Bcrypt(String),
}

/// The most one check may cost: whoever writes more into the file by mistake would stop the service.
const MOST_MEMORY: u32 = 256 << 10;
const MOST_PASSES: u32 = 16;
const MOST_COST: u32 = 15;

/// The least that makes trying passwords slow.
const LEAST_COST: u32 = 8;

const MAKE: &str =
    "make one with `htpasswd -nB -C 11 USER`, or `echo -n PASSWORD | argon2 $(openssl rand -hex 8) -id -e`";

impl Hash {
    /// Reads a hash as `htpasswd -B` or `argon2 -e` write it; else what is wrong and what to do.
    pub(super) fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        match text.get(1..).and_then(|text| text.split_once('$')) {
            Some(("2a" | "2b" | "2y", _)) => Self::bcrypt(text),
            Some(("argon2id" | "argon2i" | "argon2d", _)) => Self::argon2(text),
            _ => Err(("has no hash of a password that is known here (Argon2 or bcrypt)".to_owned(), MAKE)),
        }
    }

    fn bcrypt(text: &str) -> Result<Self, (String, &'static str)> {
        let parts = text.parse::<bcrypt::HashParts>();
        let cost = parts.map_err(|_| ("has a bcrypt hash that is broken".to_owned(), MAKE))?.get_cost();
        match cost {
            LEAST_COST..=MOST_COST => Ok(Self::Bcrypt(text.to_owned())),
            cost => Err((
                format!("has a bcrypt hash of cost {cost}"),
                "use a cost from 8 to 15: `htpasswd -nB -C 11 USER`; less is no protection, more stops the service",
            )),
        }
    }

    fn argon2(text: &str) -> Result<Self, (String, &'static str)> {
        let broken = || ("has an Argon2 hash that is broken".to_owned(), MAKE);
        let hash = argon2::PasswordHash::new(text).map_err(|_| broken())?;
        let params = Params::try_from(&hash).map_err(|_| broken())?;
        if hash.hash.is_none() {
            return Err(broken());
        }
        if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES {
            let help = "use at most `-k 262144 -t 16`: each check takes that much memory and time";
            return Err(("has an Argon2 hash that costs too much".to_owned(), help));
        }
        Ok(Self::Argon2(text.to_owned()))
    }

    /// Whether it is the hash of this password. Slow on purpose.
    pub(super) fn fits(&self, password: &str) -> bool {
        match self {
            Self::Argon2(hash) => Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok(),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }

    /// How much memory a check takes, in bytes.
    pub(super) fn memory(&self) -> usize {
        let Self::Argon2(text) = self else { return 8 << 10 };
        let params = argon2::PasswordHash::new(text).ok().and_then(|hash| Params::try_from(&hash).ok());
        params.map_or(0, |params| params.m_cost() as usize * 1024)
    }
}
