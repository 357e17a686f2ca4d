//! A large body, piece by piece.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::line::Ends;

/// The most bytes of a piece. hyper copies what is sent over HTTP/1 into a buffer that each connection keeps: of one
/// large frame it holds no more than a piece and the head. Smaller frames it gathers up to `max-header-bytes`.
const MOST: usize = 56 << 10;

/// A body whose large frames are given out in pieces, each sent before the next is asked for.
///
/// To copy a piece and send it from where it was just written is no slower than to let the system read all of a large
/// body from memory.
pub(super) struct Pieces<B> {
    body: B,
    most: usize,
    rest: Bytes,
    is_unsent: bool,
}

impl<B> Pieces<B> {
    /// HTTP/2 has frames of its own.
    pub(super) fn new(body: B, ends: Ends) -> Self {
        let most = if ends == Ends::Here { MOST } else { usize::MAX };
        Self { body, most, rest: Bytes::new(), is_unsent: false }
    }

    /// Keeps what is too much of this frame for later.
    fn shorten(&mut self, data: &mut Bytes) {
        if data.len() > self.most {
            self.rest = data.split_off(self.most);
            self.is_unsent = true;
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            let mut frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
            if let Some(data) = frame.as_mut().and_then(|frame| frame.as_mut().ok()?.data_mut()) {
                this.shorten(data);
            }
            return Poll::Ready(frame);
        }
        // hyper sends what it has where there is nothing more for the moment.
        if mem::take(&mut this.is_unsent) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut data = mem::take(&mut this.rest);
        this.shorten(&mut data);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, coming) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest + coming.lower());
        if let Some(upper) = coming.upper() {
            hint.set_upper(rest + upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;

    fn frames(lengths: &[usize]) -> Vec<Bytes> {
        let mut next = 0_u8;
        let mut byte = || {
            next = next.wrapping_add(1);
            next
        };
        lengths.iter().map(|length| (0..*length).map(|_| byte()).collect()).collect()
    }

    /// What is given out, as often as `None` says that it must be sent first.
    fn given(frames: &[Bytes], ends: Ends) -> Vec<Option<Bytes>> {
        let frames = frames.iter().cloned().map(|data| Ok::<_, Infallible>(Frame::data(data)));
        let mut pieces = Pieces::new(StreamBody::new(stream::iter(frames)), ends);
        let mut given = Vec::new();
        loop {
            match Pin::new(&mut pieces).poll_frame(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(None) => return given,
                Poll::Ready(Some(frame)) => given.push(Some(frame.unwrap().into_data().unwrap())),
                Poll::Pending => given.push(None),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn all_bytes_are_given_in_order_and_each_piece_of_a_frame_is_sent_before_the_next(
            lengths in prop::collection::vec(prop_oneof![0..3_usize, MOST - 1..=MOST + 1, 0..4 * MOST], 0..4),
        ) {
            let frames = frames(&lengths);
            let given = given(&frames, Ends::Here);
            let sent: Vec<_> = given.iter().flatten().cloned().collect();
            prop_assert_eq!(sent.concat(), frames.concat());
            prop_assert!(sent.iter().all(|piece| piece.len() <= MOST));
            let cuts: usize = lengths.iter().map(|length| length.saturating_sub(1) / MOST).sum();
            prop_assert_eq!(given.iter().filter(|piece| piece.is_none()).count(), cuts);
            prop_assert_eq!(sent.len(), frames.len() + cuts);
        }
    }

    #[test]
    fn another_protocol_gets_frames_as_they_are() {
        let frames = frames(&[5 * MOST]);
        assert_eq!(given(&frames, Ends::Anywhere), [Some(frames[0].clone())]);
    }

    #[test]
    fn what_is_left_counts_until_it_is_given() {
        let whole = axum::body::Body::from(vec![7; MOST + 1]);
        let mut pieces = Pieces::new(whole, Ends::Here);
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(pieces.size_hint().exact(), Some(MOST as u64 + 1));
        assert!(Pin::new(&mut pieces).poll_frame(&mut cx).is_ready());
        assert_eq!((pieces.size_hint().exact(), pieces.is_end_stream()), (Some(1), false));
        assert!(Pin::new(&mut pieces).poll_frame(&mut cx).is_pending());
        assert!(Pin::new(&mut pieces).poll_frame(&mut cx).is_ready());
        assert_eq!((pieces.size_hint().exact(), pieces.is_end_stream()), (Some(0), true));
    }
}
