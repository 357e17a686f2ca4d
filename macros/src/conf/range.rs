//! `range(1..=100)`: what a number may be.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, ExprRange, ExprUnary, Ident, Lit, RangeLimits, Type, UnOp, parse_quote};

use crate::plain;

/// The types that JSON Schema knows as numbers.
pub(super) const NUMBERS: [&str; 14] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];

/// The range as written.
pub(crate) struct Range(ExprRange);

impl Range {
    /// Reads what stands between the parentheses of `range(…)`.
    pub(crate) fn read(word: &Ident, tokens: &TokenStream) -> syn::Result<Self> {
        let wrong = |at: &dyn ToTokens| {
            syn::Error::new_spanned(at.to_token_stream(), "write `range(1..=100)`, `range(1..)` or `range(..=100)`")
        };
        if tokens.is_empty() {
            return Err(wrong(word));
        }
        let range = match syn::parse2(tokens.clone()) {
            Ok(Expr::Range(range)) if range.start.is_some() || range.end.is_some() => Self(range),
            _ => return Err(wrong(tokens)),
        };
        match (range.low(), range.high()) {
            (Some(low), Some(high)) if low > high || (low >= high && !range.closed()) => {
                Err(syn::Error::new_spanned(&range.0, "no number is in this range: write the smaller one first"))
            }
            _ => Ok(range),
        }
    }

    fn low(&self) -> Option<f64> {
        self.0.start.as_deref().and_then(number)
    }

    fn high(&self) -> Option<f64> {
        self.0.end.as_deref().and_then(number)
    }

    fn closed(&self) -> bool {
        matches!(self.0.limits, RangeLimits::Closed(_))
    }

    /// Checks a default, as far as it can be read here.
    pub(crate) fn holds(&self, default: &TokenStream) -> syn::Result<()> {
        let Some(value) = syn::parse2(default.clone()).ok().as_ref().and_then(number) else { return Ok(()) };
        let too_low = self.low().is_some_and(|low| value < low);
        let too_high = self.high().is_some_and(|high| if self.closed() { value > high } else { value >= high });
        match too_low || too_high {
            true => Err(syn::Error::new_spanned(
                default,
                format!("the default is not in the range: it must be {}", self.words()),
            )),
            false => Ok(()),
        }
    }

    /// The range in words.
    pub(crate) fn words(&self) -> String {
        let text = |bound: &Expr| bound.to_token_stream().to_string().replace("- ", "-");
        let below = if self.closed() { "" } else { "below " };
        match (&self.0.start, &self.0.end) {
            (Some(low), Some(high)) => format!("from {} to {below}{}", text(low), text(high)),
            (Some(low), None) => format!("at least {}", text(low)),
            (None, Some(high)) if self.closed() => format!("at most {}", text(high)),
            (None, Some(high)) => format!("below {}", text(high)),
            (None, None) => "any".to_owned(),
        }
    }

    /// What tells the JSON Schema, where the field is a number.
    pub(crate) fn attributes(&self, ty: &Type) -> Vec<Attribute> {
        if !NUMBERS.iter().any(|number| plain::is(number, ty)) {
            return Vec::new();
        }
        // The cast gives a literal the type of its field: alone it would be an `i32`.
        let bound = |bound: &Expr| quote!((#bound) as #ty);
        let low = self.0.start.as_deref().map(bound).map(|low| quote!(min = #low));
        let high = self.0.end.as_deref().map(bound);
        let below = (!self.closed()).then(|| high.clone()).flatten();
        let high = high.filter(|_| self.closed()).map(|high| quote!(max = #high));
        let bounds: Vec<_> = low.into_iter().chain(high).collect();
        let range = (!bounds.is_empty()).then(|| parse_quote!(#[schemars(range(#(#bounds),*))]));
        let below = below.map(|below| parse_quote!(#[schemars(extend("exclusiveMaximum" = #below))]));
        range.into_iter().chain(below).collect()
    }
}

impl ToTokens for Range {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// The number a literal says.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|number| -number),
        _ => None,
    }
}
