//! A byte stream that knows its line, and ends a piece of XML that would not fit in memory.

use std::io::{BufRead, Read, Result};

/// The longest single piece of XML (a tag with its attributes, a text), in bytes.
pub(super) const LONGEST_PIECE: u64 = 16 * 1024 * 1024;

/// Counts lines as bytes are consumed.
pub(super) struct Lines<R> {
    inner: R,
    newlines: u64,
    piece: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(inner: R) -> Self {
        Lines { inner, newlines: 0, piece: 0 }
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.newlines + 1
    }

    /// A new piece begins.
    pub(super) fn begin_piece(&mut self) {
        self.piece = 0;
    }

    /// Whether the present piece is longer than may be.
    pub(super) fn too_long(&self) -> bool {
        self.piece > LONGEST_PIECE
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let there = self.fill_buf()?;
        let taken = there.len().min(buf.len());
        buf[..taken].copy_from_slice(&there[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.too_long() {
            return Err(std::io::Error::other("a piece of XML longer than 16 MiB"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(there) = self.inner.fill_buf() {
            let taken = &there[..amount.min(there.len())];
            self.newlines += taken.iter().filter(|b| **b == b'\n').count() as u64;
        }
        self.piece += amount as u64;
        self.inner.consume(amount);
    }
}
