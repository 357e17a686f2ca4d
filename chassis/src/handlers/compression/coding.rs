//! The content codings (RFC 9110 §8.4.1) and what encodes them, a piece at a time.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::conf;

/// A content coding.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Coding {
    /// Zstandard (RFC 8878), with a window of at most 8 MB (RFC 9659).
    Zstd,
    /// Brotli (RFC 7932).
    Br,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950).
    Deflate,
}

/// How hard it is tried to make bodies small.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Effort {
    /// Quickly.
    Low,
    /// As most servers do.
    Medium,
    /// Several times as long, for some percent less.
    High,
}

impl Coding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Zstd, Self::Br, Self::Gzip, Self::Deflate];

    /// Its name in header fields.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Br => "br",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|coding| name.eq_ignore_ascii_case(coding.as_str()));
        known.or_else(|| name.eq_ignore_ascii_case("x-gzip").then_some(Self::Gzip))
    }
}

/// Encodes what is written to it. What comes out is kept until it is taken.
pub(super) enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Br(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
}

/// Windows of 256 KiB: larger ones find little more in a reply, and every reply under way has one.
const WINDOW_BITS: u32 = 18;

impl Encoder {
    pub(super) fn new(coding: Coding, effort: Effort) -> io::Result<Self> {
        let level = |levels: [u32; 3]| levels[effort as usize];
        Ok(match coding {
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level([1, 3, 9]).cast_signed())?;
                encoder.window_log(WINDOW_BITS)?;
                Self::Zstd(encoder)
            }
            Coding::Br => Self::Br(Box::new(CompressorWriter::new(Vec::new(), 4096, level([1, 4, 7]), WINDOW_BITS))),
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(level([1, 5, 9])))),
            Coding::Deflate => Self::Deflate(ZlibEncoder::new(Vec::new(), Compression::new(level([1, 5, 9])))),
        })
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.writer().write_all(piece)
    }

    /// Makes everything that was written so far readable for whoever gets what comes out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }

    /// Takes what has come out.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Br(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Deflate(encoder) => encoder.get_mut(),
        })
    }

    /// Ends it, and takes the rest of what comes out.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Br(encoder) => Ok(encoder.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Deflate(encoder) => encoder.finish(),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Zstd(encoder) => encoder,
            Self::Br(encoder) => encoder,
            Self::Gzip(encoder) => encoder,
            Self::Deflate(encoder) => encoder,
        }
    }
}
