//! Who gets a place, and who makes room.

use super::*;
use crate::daemon::Daemon;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use tokio::net::TcpSocket;

/// A connection from another address of this machine.
fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

impl House {
    fn connect_from(&self, last: u8) -> TcpStream {
        connect_from(last, self.address())
    }

    /// A connection that has had an answer and waits.
    fn idle_from(&self, last: u8) -> TcpStream {
        let mut stream = self.connect_from(last);
        assert_eq!(ask(&mut stream), "200");
        stream
    }

    /// A connection with a request under way.
    fn busy_from(&self, last: u8) -> TcpStream {
        let mut stream = self.connect_from(last);
        stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        self.begun.recv().unwrap();
        stream
    }
}

fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(NEXT.as_bytes()).unwrap();
    statuses(&one(stream)).concat()
}

fn is_closed(mut stream: TcpStream) -> bool {
    rest(&mut stream).is_empty()
}

#[test]
fn the_one_that_has_been_idle_for_longest_makes_room() {
    let house = open(Settings { max_connections: 3, ..on_one_thread() });
    let [mut first, second, mut third] = [2, 3, 4].map(|last| house.idle_from(last));
    assert_eq!(ask(&mut first), "200", "the second has been idle for longest from here on");
    let mut fourth = house.idle_from(5);
    assert!(is_closed(second));
    for stream in [&mut first, &mut third, &mut fourth] {
        assert_eq!(ask(stream), "200");
    }
    // Who has never asked anything is as idle.
    let silent = house.connect_from(6);
    assert!(is_closed(first));
    for stream in [&mut third, &mut fourth] {
        assert_eq!(ask(stream), "200");
    }
    assert_eq!(ask(&mut house.connect_from(7)), "200");
    assert!(is_closed(silent));
    assert_eq!(house.running.pressure().turned_away.read(), 0);
    drop((third, fourth));
    house.close();
}

#[test]
fn where_nobody_is_idle_the_newcomer_is_told_so_and_the_rest_are_served() {
    let house = open(Settings { max_connections: 2, ..settings() });
    let mut seated: Vec<_> = (0..2).map(|_| house.busy_from(1)).collect();
    let turned_away = house.exchange(NEXT.as_bytes());
    assert_eq!(statuses(&turned_away), ["503"], "{turned_away}");
    assert_eq!(house.running.pressure().turned_away.read(), 1);
    (0..2).for_each(|_| house.go.send(()).unwrap());
    for stream in &mut seated {
        assert!(one(stream).starts_with("HTTP/1.1 200"));
    }
    drop(seated);
    house.close();
}

#[test]
fn a_network_has_so_many_places_and_no_more() {
    let settings = Settings { max_connections: 8, max_connections_per_network: Some(2), ..on_one_thread() };
    let house = open(settings);
    let mut old = house.idle_from(3);
    let busy: Vec<_> = (0..2).map(|_| house.busy_from(2)).collect();
    assert_eq!(ask(&mut house.connect_from(2)), "503");
    assert_eq!(house.running.pressure().turned_away.read(), 1);
    assert_eq!(ask(&mut house.connect_from(4)), "200", "others have their own");
    let [mut first, mut second] = <[TcpStream; 2]>::try_from(busy).unwrap();
    house.go.send(()).unwrap();
    house.go.send(()).unwrap();
    for stream in [&mut first, &mut second] {
        assert_eq!(statuses(&one(stream)), ["200"]);
    }
    assert_eq!(ask(&mut first), "200", "the second has been idle for longest of its network");
    // Of its own network the newcomer takes the idle one's place, though another's has been idle for longer.
    assert_eq!(ask(&mut house.connect_from(2)), "200");
    assert!(is_closed(second));
    assert_eq!(ask(&mut old), "200");
    drop((first, old));
    house.close();
}

#[test]
fn who_drips_a_head_makes_room_as_who_says_nothing() {
    let house = open(Settings { max_connections: 3, ..on_one_thread() });
    for round in 0..20 {
        let mut crowd: Vec<_> = (0..5).map(|_| house.connect_from(2)).collect();
        for stream in &mut crowd {
            // One that made room may have gone already.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ");
        }
        assert_eq!(ask(&mut house.connect_from(2)), "200", "{round}");
    }
    house.close();
}

#[test]
fn without_a_number_it_is_a_quarter() {
    let house = open(Settings { max_connections: 8, max_connections_per_network: None, ..on_one_thread() });
    let busy: Vec<_> = (0..2).map(|_| house.busy_from(2)).collect();
    assert_eq!(ask(&mut house.connect_from(2)), "503");
    for _ in &busy {
        house.go.send(()).unwrap();
    }
    drop(busy);
    house.close();
}

#[test]
fn a_trusted_proxy_has_as_many_as_there_are_and_makes_room_last() {
    let house = open(Settings {
        max_connections: 6,
        max_connections_per_network: Some(1),
        trusted: vec!["127.0.0.2/32".parse().unwrap()],
        ..on_one_thread()
    });
    let mut proxy: Vec<_> = (0..4).map(|_| house.idle_from(2)).collect();
    let strangers = [3, 4].map(|last| house.idle_from(last));
    let newcomers = [5, 6].map(|last| house.idle_from(last));
    assert!(strangers.into_iter().all(is_closed));
    for stream in &mut proxy {
        assert_eq!(ask(stream), "200");
    }
    proxy.extend((0..3).map(|_| house.idle_from(2)));
    assert!(newcomers.into_iter().all(is_closed));
    assert!(is_closed(proxy.remove(0)), "where there is nobody else");
    for stream in &mut proxy {
        assert_eq!(ask(stream), "200");
    }
    drop(proxy);
    house.close();
}

#[test]
fn a_unix_socket_is_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authd.sock");
    let settings = Settings { max_connections_per_network: Some(1), ..settings() };
    let house = open_at(&Listen::Unix(path.clone()), settings);
    let mut streams: Vec<_> = (0..5).map(|_| UnixStream::connect(&path).unwrap()).collect();
    for _ in 0..2 {
        for stream in &mut streams {
            stream.write_all(NEXT.as_bytes()).unwrap();
            assert_eq!(statuses(&one(stream)), ["200"]);
        }
    }
    drop(streams);
    house.close();
}

#[test]
fn a_crowd_that_drips_from_one_address_keeps_nobody_out_there_either() {
    let daemon = Daemon::with(&[("server.max_connections", "40")]);
    let address = daemon.running.address().tcp().unwrap();
    let mut crowd: Vec<_> = (0..300).map(|_| connect_from(2, address)).collect();
    for _ in 0..30 {
        for stream in &mut crowd {
            let _ = stream.write_all(b"G");
        }
        let mut honest = connect_from(2, address);
        honest.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!(statuses(&one(&mut honest)), ["200"]);
    }
}

#[test]
fn a_crowd_of_idle_connections_from_one_address_keeps_nobody_out() {
    let daemon = Daemon::with(&[("server.max_connections", "40")]);
    let address = daemon.running.address().tcp().unwrap();
    let crowd: Vec<_> = (0..200).map(|_| connect_from(2, address)).collect();
    let mut honest: Vec<_> = (3..33).map(|last| connect_from(last, address)).collect();
    for _ in 0..2 {
        for stream in &mut honest {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            assert_eq!(statuses(&one(stream)), ["200"]);
        }
    }
    // Those that were turned away are gone once they were told so.
    let has_fallen = |_| {
        daemon.get("/healthz");
        daemon.running.pressure().connections.read() <= 41
    };
    assert!((0..100_000).any(has_fallen));
    drop((crowd, honest));
}
