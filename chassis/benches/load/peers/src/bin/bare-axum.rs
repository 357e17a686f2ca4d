//! The same answers from axum and nothing else.

use std::env;
use std::io;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use model::{Hello, Order};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().route("/greetings/{name}", get(hello)).route("/orders", post(place));
    axum::serve(listener, router).await
}

async fn hello(Path(name): Path<String>) -> Json<Hello> {
    Json(Hello::to(&name))
}

async fn place(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}
