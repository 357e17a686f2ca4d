//! Takes an order and answers with it, through chassis.

use chassis::prelude::*;
use model::Order;

/// Takes orders.
#[schema("/orders")]
struct Orders {}

#[operations]
impl Orders {
    /// Answers with what it took.
    #[post("/", public)]
    async fn place(&self, Json(order): Json<Order>) -> Json<Order> {
        Json(order)
    }
}

chassis::main!();
