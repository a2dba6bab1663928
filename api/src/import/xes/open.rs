//! Opening a file, packed with gzip or not: told by its first bytes, not by its name.

use crate::import::{ImportError, Progress};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Result};
use std::path::Path;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Tells how many bytes of the file were read.
pub struct Counted<'a, R> {
    inner: R,
    read: u64,
    progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buf)?;
        self.read += count as u64;
        self.progress.at(self.read);
        Ok(count)
    }
}

/// Opens a file for one reading from its beginning.
///
/// # Errors
/// When it cannot be opened or is not a plain file.
pub fn open<'a>(
    file: &Path,
    progress: &'a dyn Progress,
) -> std::result::Result<Box<dyn Read + 'a>, ImportError> {
    let failed = |source| ImportError::Open { file: file.to_owned(), source };
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(ImportError::NotAFile { file: file.to_owned() });
    }
    let inner = File::open(file).map_err(failed)?;
    let mut bytes = BufReader::with_capacity(64 * 1024, Counted { inner, read: 0, progress });
    let packed = bytes.fill_buf().map_err(failed)?.starts_with(&GZIP);
    Ok(if packed { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) })
}
