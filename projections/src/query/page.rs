//! Pages by key. A token says after which row to go on, and of which query it is: that of another
//! query, or of another asker, is refused and never misread.

use crate::digest::Digest;
use crate::error::ViewError;
use crate::types::Access;

/// The most rows that one page holds.
pub(crate) const LARGEST: usize = 1000;

/// What a token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding(u64);

impl Binding {
    /// Binds to a query: its name, everything it narrows by, and who asks. The day is left out:
    /// paging goes on past midnight.
    pub(crate) fn new(name: &str, access: &Access, query: &impl std::fmt::Debug) -> Binding {
        let mut digest = Digest::default();
        digest.bytes(name.as_bytes());
        match access {
            Access::Everything => digest.number(0),
            Access::Offices(offices) => {
                digest.number(1);
                for office in offices {
                    digest.bytes(office.as_str().as_bytes());
                }
            }
            Access::Account { account, .. } => {
                digest.number(2);
                digest.bytes(account.as_bytes());
            }
        }
        digest.bytes(format!("{query:?}").as_bytes());
        Binding(digest.short())
    }

    /// The token of the page after this row.
    pub(crate) fn token(self, key: &[i64]) -> String {
        let mut token = format!("{:016x}", self.0);
        for part in key {
            token.push_str(&format!(".{part}"));
        }
        token
    }

    /// The row that a token goes on after.
    pub(crate) fn read<const N: usize>(
        self,
        token: Option<&str>,
    ) -> Result<Option<[i64; N]>, ViewError> {
        let Some(token) = token else { return Ok(None) };
        let mut parts = token.split('.');
        let bound = parts.next().and_then(|p| u64::from_str_radix(p, 16).ok());
        let key: Vec<i64> =
            parts.map(str::parse).collect::<Result<_, _>>().map_err(|_| ViewError::PageToken)?;
        match (bound == Some(self.0), <[i64; N]>::try_from(key)) {
            (true, Ok(key)) => Ok(Some(key)),
            _ => Err(ViewError::PageToken),
        }
    }
}

/// Cuts off the row read beyond the page, which only says that there is a next one.
pub(crate) fn cut<T, const N: usize>(
    mut rows: Vec<(T, [i64; N])>,
    size: usize,
    binding: Binding,
) -> crate::types::Paged<T> {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|(_, key)| binding.token(key));
    crate::types::Paged { rows: rows.into_iter().map(|(row, _)| row).collect(), next }
}

/// The size of a page that may be asked for.
pub(crate) fn size(asked: usize) -> usize {
    asked.clamp(1, LARGEST)
}
