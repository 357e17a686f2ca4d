//! A service in a module that imports nothing, where the standard names mean something else.
#![no_implicit_prelude]

/// Stands for everything that generated code must not mean by these names.
pub(crate) struct Option;

#[expect(dead_code, reason = "only its name is in the way")]
type Result = Option;

#[expect(dead_code, reason = "only its name is in the way")]
type Box = Option;

/// Greets.
#[::chassis::schema("/bare")]
pub(crate) struct Bare {
    /// How loud.
    #[conf(default = 1, range(0..=11))]
    volume: u8,
    /// To whom.
    #[conf(default = "all")]
    audience: ::std::string::String,
    shelf: ::chassis::component::Component<Shelf>,
    count: ::std::sync::atomic::AtomicU64,
    #[new(::std::time::Duration::default)]
    since: ::std::time::Duration,
}

#[::chassis::operations]
impl Bare {
    /// Says how loud.
    #[get("/{name}/{_rest}", public)]
    async fn volume(
        &self,
        ::chassis::argument::Path((name, _)): ::chassis::argument::Path<(::std::string::String, u8)>,
    ) -> ::std::string::String {
        ::std::format!("{name} {} {} {:?} {}", self.volume, self.audience, self.count, self.since.as_secs())
    }

    #[post("/", scopes("a", "b"), timeout = "1s", chain = "slow", tags("t"))]
    fn shelve(
        &self,
        _principal: ::chassis::principal::Principal,
        body: ::std::string::String,
    ) -> ::core::result::Result<(), ::chassis::fault::Fault> {
        if self.shelf.0.is_full(body) {
            return ::core::result::Result::Err(::chassis::fault::Fault::new(::chassis::fault::Code::Conflict, "full"));
        }
        ::core::result::Result::Ok(())
    }
}

/// Keeps.
#[::chassis::component("bare-shelf")]
pub(crate) struct Shelf {
    room: usize,
}

impl ::chassis::component::Start for Shelf {
    type Conf = super::shapes::ShelfConf;

    async fn start(
        conf: super::shapes::ShelfConf,
        _: &mut ::chassis::component::Starting<'_>,
    ) -> ::core::result::Result<Self, ::chassis::conf::BuildError> {
        ::core::result::Result::Ok(Self { room: conf.room })
    }
}

impl Shelf {
    fn is_full(&self, text: ::std::string::String) -> bool {
        text.into_bytes().len() > self.room
    }
}

/// Looks on.
#[::chassis::handler("bare-witness", requires("principal"), provides("seen"), before("auth"), repeatable)]
pub(crate) struct Witness;

impl ::chassis::conf::Configure for Witness {
    type Conf = ();

    fn build(
        (): (),
        _: &::chassis::conf::BuildContext<'_>,
    ) -> ::core::result::Result<Self, ::chassis::conf::BuildError> {
        ::core::result::Result::Ok(Self)
    }
}

impl ::chassis::handler::Handler for Witness {}
