//! Cancelling: what a request to cancel tells of the session that it is for.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The codes that such a request, and one for encryption, have in place of a version.
const CANCEL: [u8; 4] = 80_877_102_u32.to_be_bytes();
const ENCRYPT: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// The number of the process that the server named when the connection began. The client keeps it to itself, and writes
/// it into requests to cancel: this one goes nowhere.
pub(super) async fn process_of(token: &CancelToken) -> Option<i32> {
    let (mut ours, theirs) = tokio::io::duplex(256);
    // Yes to encryption, where it is asked for; nothing is encrypted then.
    ours.write_all(b"S").await.ok()?;
    token.cancel_query_raw(theirs, Unencrypted).await.ok()?;
    let mut request = Vec::new();
    ours.read_to_end(&mut request).await.ok()?;
    process_in(&request)
}

/// A length, a code and the number, four bytes each; before them perhaps a length and the code that asks for encryption.
fn process_in(request: &[u8]) -> Option<i32> {
    let request = if request.get(4..8) == Some(&ENCRYPT[..]) { request.get(8..)? } else { request };
    let is_it = request.get(4..8) == Some(&CANCEL[..]);
    let number = request.get(8..12)?.try_into().ok()?;
    is_it.then(|| i32::from_be_bytes(number))
}

/// A stream that stays as it is.
struct Unencrypted;

impl TlsConnect<DuplexStream> for Unencrypted {
    type Stream = AsItIs;
    type Error = Infallible;
    type Future = Ready<Result<AsItIs, Infallible>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        ready(Ok(AsItIs(stream)))
    }
}

struct AsItIs(DuplexStream);

impl TlsStream for AsItIs {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for AsItIs {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for AsItIs {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_behind_a_question_for_encryption() {
        let cancel =
            [&16_u32.to_be_bytes()[..], &CANCEL, &(-7_i32).to_be_bytes(), &9_u32.to_be_bytes()].concat();
        assert_eq!(process_in(&cancel), Some(-7));
        let asked = [&8_u32.to_be_bytes()[..], &ENCRYPT, &cancel].concat();
        assert_eq!(process_in(&asked), Some(-7));
        for other in [&cancel[..11], &asked[..8], &asked[4..], b""] {
            assert_eq!(process_in(other), None);
        }
    }
}
