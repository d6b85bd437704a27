//! Where connections come from: TCP, a Unix socket, or the socket that systemd hands over.

use crate::config::Listen;
use crate::error::Fault;
use listenfd::ListenFd;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

/// How many connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;
/// Of a Unix socket: its owner and group (the proxy's) may connect.
const SOCKET_MODE: u32 = 0o660;

pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

pub enum Listener {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        /// The file to remove in the end; `None` for a socket that is somebody else's.
        path: Option<PathBuf>,
    },
}

impl Listener {
    /// Opens `listen`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Fault::Permission`], or [`Fault::Config`] with what to do about it.
    pub fn open(listen: &Listen) -> Result<Self, Fault> {
        match listen {
            Listen::Tcp(address) => {
                open_tcp(*address).map(Self::Tcp).map_err(|error| fault(&address, &error))
            }
            Listen::Unix(path) => open_unix(path)
                .map(|listener| Self::Unix { listener, path: Some(path.clone()) })
                .map_err(|error| fault(&path.display(), &error)),
            Listen::Systemd => inherit(),
        }
    }

    /// `None` for a Unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix { .. } => None,
        }
    }

    /// The next connection, and the address of its other end (`None` for a Unix socket).
    pub async fn accept(&self) -> io::Result<(Accepted, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Without this an answer can wait 40 ms for the client's acknowledgement. It fails only
                // for a connection that is gone already, which the first read will tell.
                let _ = stream.set_nodelay(true);
                Ok((Accepted::Tcp(stream.into_std()?), Some(peer.ip().to_canonical())))
            }
            Self::Unix { listener, .. } => Ok((Accepted::Unix(listener.accept().await?.0.into_std()?), None)),
        }
    }
}

/// A connection that no thread's event loop has yet.
pub enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Accepted {
    /// Enters it in the event loop of the thread that calls.
    ///
    /// # Errors
    /// The system's.
    pub fn enter(self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(stream) => Box::new(TcpStream::from_std(stream)?),
            Self::Unix(stream) => Box::new(UnixStream::from_std(stream)?),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix { path: Some(path), .. } = self {
            // If it can't be removed, the next start replaces it.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The socket is made under another name and moved into place with its mode already set: it replaces
/// a stale one in one step, and nobody can connect before the mode is right.
fn open_unix(path: &Path) -> io::Result<UnixListener> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file that is no socket stands there",
            ));
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

fn inherit() -> Result<Listener, Fault> {
    let mut inherited = ListenFd::from_env();
    let broken =
        |error: io::Error| Fault::Config(format!("the socket handed over by systemd can't be used: {error}"));
    if let Ok(Some(listener)) = inherited.take_tcp_listener(0) {
        listener.set_nonblocking(true).map_err(broken)?;
        return TcpListener::from_std(listener).map(Listener::Tcp).map_err(broken);
    }
    match inherited.take_unix_listener(0).map_err(broken)? {
        Some(listener) => {
            listener.set_nonblocking(true).map_err(broken)?;
            let listener = UnixListener::from_std(listener).map_err(broken)?;
            Ok(Listener::Unix { listener, path: None })
        }
        None => Err(Fault::Config(
            "listen = \"systemd\", but systemd handed no socket over; start authd by its .socket unit".into(),
        )),
    }
}

fn fault(place: &dyn std::fmt::Display, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Fault::Permission(format!(
            "can't listen on {place}: permission denied; choose a port above 1023 or a folder of your own with `listen`"
        )),
        io::ErrorKind::AddrInUse => Fault::Config(format!(
            "can't listen on {place}: another program does; stop it, or choose another address with `listen`"
        )),
        _ => Fault::Config(format!("can't listen on {place}: {error}; see `listen` in the configuration")),
    }
}
