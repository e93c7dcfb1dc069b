//! Identity: what the history keeps of who ran a migration.

use windlass_core::driver::Run;

/// This run: a token no other run has, `person@host`, and the version of windlass.
pub(crate) fn run() -> Run {
    let person = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    let host = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
    Run {
        owner: token(),
        applied_by: format!("{person}@{host}"),
        tool: concat!("windlass ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// 128 random bits as 32 hexadecimal digits.
fn token() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without a source of randomness, what tells runs apart is when and where they are.
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
        bytes = (now << 32 | u128::from(std::process::id())).to_be_bytes();
    }
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 32);
        assert!(run().applied_by.contains('@'));
    }
}
