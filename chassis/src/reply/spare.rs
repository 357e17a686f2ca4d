//! Header maps of requests that are over serve the next replies: to make one takes two allocations.

use std::cell::Cell;

use http::HeaderMap;

/// One that has grown beyond this is not kept. Values of a field that was repeated take room beside its capacity.
const MOST: usize = 64;

thread_local! {
    // Replies are made and requests end by turns, so that one is enough.
    static SPARE: Cell<Option<HeaderMap>> = const { Cell::new(None) };
}

/// An empty header map.
#[inline]
pub(crate) fn empty() -> HeaderMap {
    SPARE.take().unwrap_or_default()
}

/// Lets the next reply have this one, without what is in it.
#[inline]
pub(crate) fn spare(mut headers: HeaderMap) {
    if (1..=MOST).contains(&headers.capacity()) && headers.len() <= MOST {
        headers.clear();
        SPARE.set(Some(headers));
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    #[test]
    fn nothing_of_a_request_is_left_for_the_next_reply() {
        let mut headers = HeaderMap::with_capacity(9);
        headers.append(HOST, HeaderValue::from_static("a"));
        headers.append(HOST, HeaderValue::from_static("b"));
        let capacity = headers.capacity();
        spare(headers);
        let next = empty();
        assert!(next.is_empty() && next.get(HOST).is_none());
        assert_eq!((next.capacity(), empty().capacity()), (capacity, 0));
    }

    #[test]
    fn what_is_large_is_given_back() {
        spare(HeaderMap::with_capacity(10 * MOST));
        assert_eq!(empty().capacity(), 0);
        let mut headers = HeaderMap::new();
        for _ in 0..=MOST {
            headers.append(HOST, HeaderValue::from_static("a"));
        }
        spare(headers);
        assert_eq!(empty().capacity(), 0);
    }
}
