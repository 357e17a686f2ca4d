//! Proves what is said of hashes and of the files they stand in.

use super::hash::Hash;
use super::users;

/// Of the test suites of the reference implementation and of jBCrypt.
const ARGON2: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
const BCRYPT: &str = "$2a$08$cfcvVd2aQ8CMvoMpP2EBfeodLEkkFJ9umNEfPD18.hUF62qqlC/V.";

#[test]
fn both_kinds_of_hashes_are_understood() {
    for (hash, password) in [(ARGON2, "password"), (BCRYPT, "a")] {
        let hash = Hash::parse(hash).unwrap();
        assert!(hash.fits(password));
        assert!(!hash.fits("passwore") && !hash.fits(""));
    }
    assert_eq!((Hash::parse(ARGON2).unwrap().memory(), Hash::parse(BCRYPT).unwrap().memory()), (256 << 10, 8 << 10));
}

#[test]
fn what_is_wrong_with_a_line_is_said_without_what_stands_in_it() {
    let wrong = |line: &str| users(line.as_bytes()).err().unwrap().to_string();
    let unknown = "line 1 has no hash of a password that is known here (Argon2 or bcrypt)";
    for line in ["ada:hunter2", "ada:", "ada:$1$salt$hunter2", "ada:{SHA}hunter2", "ada:é"] {
        assert_eq!(wrong(line), unknown);
    }
    assert_eq!(wrong("ada:$2y$08$hunter2"), "line 1 has a bcrypt hash that is broken");
    assert_eq!(wrong("ada:$argon2id$hunter2"), "line 1 has an Argon2 hash that is broken");
    assert_eq!(wrong(&format!("ada:{}", BCRYPT.replace("$08$", "$05$"))), "line 1 has a bcrypt hash of cost 5");
    assert_eq!(wrong(&format!("ada:{}", BCRYPT.replace("$08$", "$16$"))), "line 1 has a bcrypt hash of cost 16");
    let dear = ARGON2.replace("m=256", "m=1048576");
    assert_eq!(wrong(&format!("ada:{dear}")), "line 1 has an Argon2 hash that costs too much");
    assert_eq!(wrong(&format!("ada:{BCRYPT}\nada:{ARGON2}")), "line 2 has a user that another line has");
}
