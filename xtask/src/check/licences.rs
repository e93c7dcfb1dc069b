//! Whether a licence expression can be met with licences from a list.

/// Whether `expression`, such as `(MIT OR Apache-2.0) AND Unicode-3.0`, can be met with the allowed ones.
///
/// An expression that cannot be read is not met.
pub(crate) fn is_met(expression: &str, allowed: &[String]) -> bool {
    // Older packages write a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.any_of() == Some(true) && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any_of()?;
            return self.take(")").then_some(met);
        }
        let licence = self.next()?;
        if self.take("WITH") {
            // An exception only adds permissions.
            self.next()?;
        }
        Some(self.allowed.iter().any(|allowed| allowed == licence))
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        (!["AND", "OR", "WITH", "(", ")"].contains(first)).then_some(*first)
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        is_met(expression, &["MIT".to_owned(), "Unicode-3.0".to_owned()])
    }

    #[test]
    fn one_of_several_is_enough() {
        assert!(met("MIT"));
        assert!(met("Apache-2.0 OR MIT"));
        assert!(met("MIT/Apache-2.0"));
        assert!(!met("Apache-2.0 OR GPL-3.0"));
    }

    #[test]
    fn all_of_several_are_needed() {
        assert!(met("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!met("MIT AND OpenSSL"));
        assert!(met("GPL-3.0 AND ISC OR MIT"));
        assert!(!met("MIT AND (ISC OR GPL-3.0)"));
    }

    #[test]
    fn an_exception_adds_permissions() {
        assert!(met("MIT WITH LLVM-exception OR ISC"));
        assert!(!met("Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn what_cannot_be_read_is_not_met() {
        for expression in ["", "(MIT", "MIT OR", "MIT MIT", "AND", "MIT WITH"] {
            assert!(!met(expression), "{expression}");
        }
    }
}
