//! What decodes a body that a caller sent, a piece at a time, and never makes more of it than it may.

use std::io::{self, Write};

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::coding::Coding;

/// The window of Zstandard that everybody must take, and nobody may exceed: 8 MiB (RFC 9659 §3).
const ZSTD_WINDOW_BITS: u32 = 23;
/// How much is decoded at once.
const STEP: usize = 16 << 10;

/// Decodes what is written to it.
pub(super) enum Decoder {
    Zstd(zstd::stream::write::Decoder<'static, Bounded>),
    Br(Box<Brotli>),
    Gzip(MultiGzDecoder<Bounded>),
    Deflate(Box<Zlib>),
}

/// Why it does not go on.
#[derive(Debug, PartialEq)]
pub(super) enum Flaw {
    /// It would become more than it may; so much of it had come out before that was seen, in bytes.
    TooLarge(u64),
    /// It is not what it says.
    Malformed,
}

/// What has come out, and how much more may.
#[derive(Default)]
pub(super) struct Bounded {
    out: Vec<u8>,
    room: u64,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() as u64 > self.room {
            self.is_over = true;
            return Err(io::Error::other("it becomes too large"));
        }
        self.room -= piece.len() as u64;
        self.out.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => {
                let mut decoder = zstd::stream::write::Decoder::new(Bounded::default())?;
                decoder.window_log_max(ZSTD_WINDOW_BITS)?;
                Self::Zstd(decoder)
            }
            Coding::Br => Self::Br(Box::new(Brotli::new())),
            Coding::Gzip => Self::Gzip(MultiGzDecoder::new(Bounded::default())),
            Coding::Deflate => Self::Deflate(Box::new(Zlib::new())),
        })
    }

    /// Decodes a piece that may become at most `room` bytes, and takes what has come out.
    pub(super) fn decode(&mut self, piece: &[u8], room: u64) -> Result<Vec<u8>, Flaw> {
        self.sink().room = room;
        let done = match self {
            Self::Zstd(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
            Self::Br(decoder) => decoder.write(piece),
            Self::Gzip(decoder) => decoder.write_all(piece).and_then(|()| decoder.flush()),
            Self::Deflate(decoder) => decoder.write(piece),
        };
        self.outcome(&done)
    }

    /// Ends it: what was cut off is malformed.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, Flaw> {
        let done = match self {
            Self::Zstd(decoder) => decoder.do_finish(),
            Self::Br(decoder) => ended(decoder.has_ended),
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => ended(decoder.has_ended),
        };
        self.outcome(&done)
    }

    fn outcome(&mut self, done: &io::Result<()>) -> Result<Vec<u8>, Flaw> {
        let sink = self.sink();
        match done {
            _ if sink.is_over => Err(Flaw::TooLarge(sink.out.len() as u64)),
            Ok(()) => Ok(std::mem::take(&mut sink.out)),
            Err(_) => Err(Flaw::Malformed),
        }
    }

    fn sink(&mut self) -> &mut Bounded {
        match self {
            Self::Zstd(decoder) => decoder.get_mut(),
            Self::Br(decoder) => &mut decoder.sink,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => &mut decoder.sink,
        }
    }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn ended(has_ended: bool) -> io::Result<()> {
    if has_ended { Ok(()) } else { Err(malformed()) }
}

/// Brotli without the windows beyond RFC 7932, with which a few bytes ask for a gigabyte.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    sink: Bounded,
    has_ended: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), sink: Bounded::default(), has_ended: false }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let (mut left, mut at, mut all) = (piece.len(), 0, 0);
        if self.has_ended {
            return ended(piece.is_empty());
        }
        loop {
            let mut out = [0; STEP];
            let (mut free, mut made) = (STEP, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                piece,
                &mut free,
                &mut made,
                &mut out,
                &mut all,
                &mut self.state,
            );
            self.sink.write_all(&out[..made])?;
            match result {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultSuccess => {
                    self.has_ended = true;
                    return ended(left == 0);
                }
                BrotliResult::ResultFailure => return Err(malformed()),
            }
        }
    }
}

/// zlib that knows whether it has come to its end.
pub(super) struct Zlib {
    state: Decompress,
    sink: Bounded,
    has_ended: bool,
}

impl Zlib {
    fn new() -> Self {
        Self { state: Decompress::new(true), sink: Bounded::default(), has_ended: false }
    }

    fn write(&mut self, mut piece: &[u8]) -> io::Result<()> {
        if self.has_ended {
            return ended(piece.is_empty());
        }
        loop {
            let mut out = [0; STEP];
            let before = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(piece, &mut out, FlushDecompress::None).map_err(|_| malformed())?;
            let taken = (self.state.total_in() - before.0) as usize;
            let made = (self.state.total_out() - before.1) as usize;
            self.sink.write_all(&out[..made])?;
            piece = &piece[taken..];
            match status {
                Status::StreamEnd => {
                    self.has_ended = true;
                    return ended(piece.is_empty());
                }
                // Nothing goes on without more input.
                _ if taken == 0 && made == 0 => return ended(piece.is_empty()),
                Status::Ok | Status::BufError => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::coding::{Effort, Encoder};
    use super::*;

    fn encoded(coding: Coding, text: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(coding, Effort::Medium).unwrap();
        encoder.write(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(coding: Coding, sent: &[u8], step: usize, room: u64) -> Result<Vec<u8>, Flaw> {
        let mut decoder = Decoder::new(coding).unwrap();
        let mut all = Vec::new();
        for piece in sent.chunks(step) {
            all.extend(decoder.decode(piece, room - all.len() as u64)?);
        }
        all.extend(decoder.finish()?);
        Ok(all)
    }

    #[test]
    fn nothing_becomes_more_than_it_may() {
        let bomb = vec![0; 1 << 20];
        for coding in Coding::ALL {
            let sent = encoded(coding, &bomb);
            assert!(sent.len() < 3000, "{coding:?} {}", sent.len());
            let Err(Flaw::TooLarge(more)) = decoded(coding, &sent, 64, 1 << 16) else { panic!("{coding:?} passed") };
            assert!(more <= 1 << 16, "{coding:?}");
            assert_eq!(decoded(coding, &sent, 64, 1 << 20).map(|all| all.len()), Ok(1 << 20), "{coding:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_followed_by_more_or_no_such_thing_is_malformed() {
        for coding in Coding::ALL {
            let sent = encoded(coding, b"hello, hello, hello");
            for cut in [&sent[..sent.len() - 1], &sent[..3], b"hello"] {
                assert_eq!(decoded(coding, cut, 64, 100), Err(Flaw::Malformed), "{coding:?} {cut:?}");
            }
            for step in [64, 1] {
                let more = [&sent[..], b"more of it"].concat();
                assert_eq!(decoded(coding, &more, step, 100), Err(Flaw::Malformed), "{coding:?}");
            }
        }
    }

    #[test]
    fn windows_larger_than_anybody_must_have_are_refused() {
        // RFC 7932 §9.1 leaves these bits to the extension.
        assert_eq!(decoded(Coding::Br, &[0x11, 0x1e, 0, 0, 0, 0], 64, 1 << 30), Err(Flaw::Malformed));
        let mut large = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        large.window_log(27).unwrap();
        large.write_all(&[1; 100]).unwrap();
        large.flush().unwrap();
        let sent = large.finish().unwrap();
        assert_eq!(decoded(Coding::Zstd, &sent, 64, 1 << 30), Err(Flaw::Malformed));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back_however_it_is_cut(text: Vec<u8>, step in 1..100_usize) {
            for coding in Coding::ALL {
                let back = decoded(coding, &encoded(coding, &text), step, text.len() as u64);
                prop_assert_eq!(back.as_ref(), Ok(&text));
            }
        }

        #[test]
        fn nonsense_does_no_harm(sent: Vec<u8>, step in 1..100_usize) {
            for coding in Coding::ALL {
                let back = decoded(coding, &sent, step, 1000);
                prop_assert!(back.is_err() || back.is_ok_and(|all| all.len() <= 1000));
            }
        }
    }
}
