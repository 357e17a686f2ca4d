//! Any text as a configuration file: it is read or refused with places, and both can be printed.

#![no_main]

use std::sync::Arc;

use chassis::conf::origin::Text;
use chassis::conf::{ConfError, yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &str| {
    let text = Arc::new(Text::of("fuzz.yaml", content));
    let variables = |name: &str| (name.len() % 2 == 0).then(|| name.to_owned());
    let parsed = yaml::parse(&text, Some(&variables));
    assert!(parsed.node.is_some() || !parsed.problems.is_empty(), "what is not read must be explained");
    if !parsed.problems.is_empty() {
        let _ = ConfError::new(parsed.problems).to_string();
    }
});
