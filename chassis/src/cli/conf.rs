//! stub
use super::print::Printer;
use super::{Common, Package};
use crate::app::StartError;
use clap::Args;
/// x
#[derive(Args)]
pub(super) struct Options {}
pub(super) fn run(_: Package, c: &Common, _: &Options) -> Result<Printer, StartError> {
    Ok(Printer::new(c))
}
