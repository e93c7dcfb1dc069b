//! A proxy that counts what a client sends: round trips as they are on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Stands between one client and the server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    commands: Arc<AtomicUsize>,
}

/// Forwards connections from another address of this machine as it is; gives the port there.
#[cfg(feature = "tls-rustls")]
pub(crate) async fn forward_from(address: &str, server_port: u16) -> u16 {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    port
}

impl Proxy {
    pub(crate) async fn before(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let commands = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commands);
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
            });
            let mut header = [0; 4];
            while from_client.read_exact(&mut header).await.is_ok() {
                let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
                let mut body = vec![0; length];
                from_client.read_exact(&mut body).await.unwrap();
                // A command begins anew at sequence number 0; the login goes on counting from the greeting.
                if header[3] == 0 {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                to_server.write_all(&[&header[..], &body].concat()).await.unwrap();
            }
        });
        Self { port, commands }
    }

    /// Commands since the last time this was asked.
    pub(crate) fn commands(&self) -> usize {
        self.commands.swap(0, Ordering::SeqCst)
    }
}
