//! Any path against any templates, one a line and the path last: what is captured lies in the path, in full.

#![no_main]

use chassis::route::{Conf, Found, Route, Table, parameters};
use http::Method;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((templates, path)) = text.rsplit_once('\n') else { return };
    let templates: Vec<_> = templates.lines().take(16).collect();
    let route = |(target, template): (usize, &&str)| Route {
        method: if target % 3 == 0 { "*".into() } else { "GET".into() },
        template: (*template).to_owned(),
        target: target as u32,
        place: format!("line {target}"),
    };
    let Ok(table) = Table::build(templates.iter().enumerate().map(route), Conf::default()) else { return };
    for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
        let Found::Route { target, params } = table.find(&method, path) else { continue };
        let names = parameters(templates[target as usize]).unwrap_or_default();
        assert_eq!(params.len(), names.len(), "a value for every name, and no other");
        for at in 0..params.len() {
            assert!(params.at(path, at).is_some(), "`{}` lies outside the path", names[at]);
        }
    }
});
