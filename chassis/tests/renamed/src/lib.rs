//! A service that knows chassis by another name and says so to every attribute.

use spine::prelude::*;

/// Greets.
#[schema("/greetings", crate = spine)]
pub struct Greeting {
    /// How loud.
    #[conf(default = 1, range(0..=11))]
    volume: u8,
    book: Component<Book>,
}

#[operations(crate = spine)]
impl Greeting {
    /// Says how loud.
    #[get("/{name}", public)]
    fn hello(&self, Path(name): Path<String>) -> Result<Json<String>, Fault> {
        Ok(Json(format!("{name} {} {}", self.volume, self.book.size)))
    }
}

/// Keeps names.
#[component("book", crate = spine)]
pub struct Book {
    size: u8,
}

/// How.
#[conf(crate = spine)]
pub struct BookConf {
    /// How many.
    #[conf(default = 7, range(1..))]
    size: u8,
}

impl Start for Book {
    type Conf = BookConf;

    async fn start(conf: BookConf, _: &mut Starting<'_>) -> Result<Self, BuildError> {
        Ok(Self { size: conf.size })
    }
}

/// Looks on.
#[handler("witness", crate = spine)]
pub struct Witness;

impl Configure for Witness {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Witness {}

#[cfg(test)]
mod tests {
    #[test]
    fn the_entries_are_found() {
        let names: Vec<_> = spine::catalog::CHASSIS_SCHEMAS_V1.iter().map(|entry| entry.head.name).collect();
        assert_eq!(names, ["greeting"]);
    }
}
