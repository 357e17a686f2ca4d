//! What every server of the comparison takes and answers, so that all of them do the same work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The path of the `GET` row.
pub const GREETING_PATH: &str = "/greetings/ada";

/// The path of the `POST` row.
pub const ORDERS_PATH: &str = "/orders";

/// What the `GET` row answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    pub message: String,
}

impl Hello {
    pub fn to(name: &str) -> Self {
        Self { message: format!("Hello, {name}!") }
    }
}

/// What the `POST` row takes and answers: 1,024 bytes of JSON with text, numbers, flags, lists and a nested object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    pub id: u64,
    pub customer: Customer,
    pub currency: String,
    pub express: bool,
    pub lines: Vec<Line>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Customer {
    pub name: String,
    pub email: String,
    pub street: String,
    pub city: String,
    pub country: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    pub sku: String,
    pub title: String,
    pub quantity: u32,
    pub price: f64,
    pub tags: Vec<String>,
}

impl Order {
    /// The order that is sent, padded to 1,024 bytes.
    pub fn sample() -> Self {
        let mut order = Self {
            id: 7_340_112,
            customer: Customer::sample(),
            currency: "EUR".into(),
            express: true,
            lines: lines(),
            note: Some(String::new()),
        };
        let padding = 1024_usize.saturating_sub(order.to_json().len());
        order.note = Some("Leave it at the door. ".chars().cycle().take(padding).collect());
        order
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Customer {
    fn sample() -> Self {
        Self {
            name: "Ada Lovelace".into(),
            email: "ada@analytical.example".into(),
            street: "12 St James's Square".into(),
            city: "London".into(),
            country: "GB".into(),
        }
    }
}

fn lines() -> Vec<Line> {
    let line = |sku: &str, title: &str, quantity, price, tags: &[&str]| Line {
        sku: sku.into(),
        title: title.into(),
        quantity,
        price,
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
    };
    vec![
        line("BR-0001", "Brass gear, 24 teeth", 240, 1.25, &["brass", "gear"]),
        line("BR-0002", "Brass gear, 48 teeth", 120, 2.5, &["brass", "gear"]),
        line("ST-0117", "Steel axle, 400 mm", 36, 14.75, &["steel"]),
        line("CD-0300", "Punched cards, box of 500", 8, 32.9, &["paper", "cards"]),
        line("OL-0008", "Clock oil, 100 ml", 12, 6.4, &["oil"]),
    ]
}

#[test]
fn the_sample_is_one_kibibyte_and_survives_the_way_there_and_back() {
    let json = Order::sample().to_json();
    assert_eq!(json.len(), 1024);
    assert_eq!(serde_json::from_slice::<Order>(&json).unwrap().to_json(), json);
}
