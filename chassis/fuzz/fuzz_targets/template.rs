//! Any text as a path template: it is a route with the parameters it names, or refused with reasons.

#![no_main]

use chassis::route::{Conf, Route, Table, parameters};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|template: &str| {
    let names = parameters(template);
    let route = Route { method: "GET".into(), template: template.to_owned(), target: 0, place: "fuzz".to_owned() };
    match Table::build([route], Conf::default()) {
        Ok(_) => assert!(names.is_ok(), "a template that has no parameters is no route"),
        Err(errors) => assert!(errors.iter().all(|error| !error.to_string().is_empty())),
    }
    if let Err(errors) = names {
        assert!(!errors.is_empty(), "a refusal has reasons");
    }
});
