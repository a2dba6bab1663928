//! Folded cases that were touched lately, in two generations: what is asked for moves to the
//! young one; when that is full the old one goes. Never more than the bound, no clock, no lists.

use std::collections::HashMap;
use std::hash::Hash;

/// A bounded map that forgets what was not asked for lately.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// A cache of at most `bound` entries (at least two).
    pub(crate) fn new(bound: usize) -> Self {
        Cache { young: HashMap::new(), old: HashMap::new(), half: (bound / 2).max(1) }
    }

    /// Whether it is there.
    pub(crate) fn has(&self, key: &K) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    /// Takes an entry out, to be changed and put back.
    pub(crate) fn take(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Puts an entry in.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn it_keeps_its_bound_and_what_was_asked_for_lately() {
        let mut cache = Cache::new(10);
        cache.put(0, 0);
        for n in 1..1000 {
            cache.put(n, n);
            assert!(cache.young.len() + cache.old.len() <= 10);
            let first = cache.take(&0).expect("asked for all the time");
            cache.put(0, first);
        }
        assert!(!cache.has(&1));
    }
}
