//! What chassis promises, through its public names only.

mod routing;
