//! A TCP proxy for one link between two processes that can be made as bad as a network gets, while it runs.
//!
//! Owns the bytes between the two. Must not know protocols: it sees requests and replies only as turns of a
//! connection, which is enough to lose a reply whose request had its effect.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const CHUNK: usize = 16 * 1024;

/// What a link does to the bytes on it. The default lets everything pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Weather {
    /// Each chunk comes later by this, in both directions.
    pub(crate) delay: Duration,
    /// And by up to this more.
    pub(crate) jitter: Duration,
    /// Nothing passes, and nobody is told: connections stay open.
    pub(crate) blackhole: bool,
    /// Share (0 to 1) of turns whose reply is swallowed and whose connection is reset: the request has arrived.
    pub(crate) lose_reply: f64,
    /// A connection is reset when this many bytes of replies have passed.
    pub(crate) cut_after: Option<u64>,
}

/// What a link has done so far: a fault that never happened proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connections: AtomicU64,
    pub(crate) turns: AtomicU64,
    pub(crate) delayed: AtomicU64,
    pub(crate) held: AtomicU64,
    pub(crate) lost_replies: AtomicU64,
    pub(crate) cuts: AtomicU64,
    pub(crate) resets: AtomicU64,
    pub(crate) half_closes: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What is done to the connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Reset,
    HalfClose,
}

/// A listening proxy; clones steer the same one. It lives as long as its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    blows: Arc<watch::Sender<(u64, Option<Blow>)>>,
    tally: Arc<Tally>,
}

impl Proxy {
    /// Listens on a free port and hands on to `target`.
    pub(crate) fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, dev_stack::free_port()?))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let proxy = Self {
            address: listener.local_addr()?,
            weather: Arc::new(watch::Sender::new(Weather::default())),
            blows: Arc::new(watch::Sender::new((0, None))),
            tally: Arc::default(),
        };
        tokio::spawn(proxy.clone().accept(listener, target));
        Ok(proxy)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The weather from now on, for old connections too.
    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    /// Resets all connections there are (RST, not FIN).
    pub(crate) fn reset(&self) {
        self.blow(Blow::Reset);
    }

    /// Ends the direction from the server to the client of all connections; the other stays open.
    pub(crate) fn half_close(&self) {
        self.blow(Blow::HalfClose);
    }

    fn blow(&self, blow: Blow) {
        self.blows
            .send_modify(|(number, last)| (*number, *last) = (*number + 1, Some(blow)));
    }

    async fn accept(self, listener: TcpListener, target: SocketAddr) {
        loop {
            // A failed accept is about one connection.
            if let Ok((client, _)) = listener.accept().await {
                count(&self.tally.connections);
                let proxy = self.clone();
                tokio::spawn(async move { proxy.carry(client, target).await });
            }
        }
    }

    async fn carry(&self, mut client: TcpStream, target: SocketAddr) {
        let mut passage = self.passage();
        let blows = self.blows.subscribe();
        if passage.open().await.is_err() {
            return;
        }
        let Ok(mut server) = TcpStream::connect(target).await else {
            // Nobody listens: the client must not take it for a server that says good-bye.
            let _ = client.set_zero_linger();
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let broken = {
            let asked = AtomicBool::new(false);
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let up = self.pump_requests(from_client, to_server, &asked);
            let down = self.pump_replies(from_server, to_client, &asked, blows);
            tokio::try_join!(up, down).is_err()
        };
        if broken {
            // Dropped with unread or unsent bytes or not, both sides see a reset.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }

    fn passage(&self) -> Passage {
        Passage {
            weather: self.weather.subscribe(),
            tally: Arc::clone(&self.tally),
        }
    }

    async fn pump_requests(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        asked: &AtomicBool,
    ) -> Result<(), Broken> {
        let mut passage = self.passage();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = from.read(&mut chunk).await?;
            passage.open().await?;
            if read == 0 {
                return Ok(to.shutdown().await?);
            }
            passage.delay().await;
            asked.store(true, Ordering::Relaxed);
            to.write_all(&chunk[..read]).await?;
        }
    }

    async fn pump_replies(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        asked: &AtomicBool,
        mut blows: watch::Receiver<(u64, Option<Blow>)>,
    ) -> Result<(), Broken> {
        let mut passage = self.passage();
        let mut chunk = vec![0; CHUNK];
        let mut passed: u64 = 0;
        loop {
            let read = tokio::select! {
                read = from.read(&mut chunk) => read?,
                blow = blows.changed() => {
                    blow.map_err(|_| Broken)?;
                    if self.struck(*blows.borrow_and_update()) {
                        to.shutdown().await?;
                        return Ok(());
                    }
                    return Err(Broken);
                }
            };
            tokio::select! {
                open = passage.open() => open?,
                // A blackhole must not keep a connection that is being cut.
                blow = blows.changed() => {
                    blow.map_err(|_| Broken)?;
                    self.struck(*blows.borrow_and_update());
                    return Err(Broken);
                }
            }
            if read == 0 {
                return Ok(to.shutdown().await?);
            }
            let weather = passage.now();
            if asked.swap(false, Ordering::Relaxed) {
                count(&self.tally.turns);
                if weather.lose_reply > 0.0 && rand::random::<f64>() < weather.lose_reply {
                    count(&self.tally.lost_replies);
                    return Err(Broken);
                }
            }
            passage.delay().await;
            let left = weather
                .cut_after
                .map_or(u64::MAX, |bytes| bytes.saturating_sub(passed));
            let kept = usize::try_from(left).unwrap_or(usize::MAX).min(read);
            to.write_all(&chunk[..kept]).await?;
            passed += kept as u64;
            if kept < read {
                // What was to pass has passed before the reset overtakes it.
                to.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                count(&self.tally.cuts);
                return Err(Broken);
            }
        }
    }

    /// Counts a blow; says whether the connection lives on in the other direction.
    fn struck(&self, (_, blow): (u64, Option<Blow>)) -> bool {
        let half = blow == Some(Blow::HalfClose);
        count(if half {
            &self.tally.half_closes
        } else {
            &self.tally.resets
        });
        half
    }
}

/// The connection is to be reset.
#[derive(Debug)]
struct Broken;

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

/// One direction's view of the weather.
struct Passage {
    weather: watch::Receiver<Weather>,
    tally: Arc<Tally>,
}

impl Passage {
    fn now(&self) -> Weather {
        *self.weather.borrow()
    }

    /// Waits while the link is a blackhole.
    async fn open(&mut self) -> Result<(), Broken> {
        if self.now().blackhole {
            count(&self.tally.held);
            let open = self.weather.wait_for(|weather| !weather.blackhole).await;
            open.map_err(|_| Broken)?;
        }
        Ok(())
    }

    async fn delay(&self) {
        let Weather { delay, jitter, .. } = self.now();
        if !(delay + jitter).is_zero() {
            count(&self.tally.delayed);
            tokio::time::sleep(delay + jitter.mul_f64(rand::random())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(200);

    /// Answers each line with itself, counts the lines, and says what it read last when the client is done.
    struct Echo {
        address: SocketAddr,
        heard: Arc<AtomicU64>,
    }

    impl Echo {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let heard = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&heard);
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let counter = Arc::clone(&counter);
                    tokio::spawn(async move {
                        let mut chunk = [0; 1024];
                        while let Ok(read) = stream.read(&mut chunk).await {
                            if read == 0 {
                                break;
                            }
                            counter.fetch_add(1, Ordering::SeqCst);
                            if stream.write_all(&chunk[..read]).await.is_err() {
                                break;
                            }
                        }
                    });
                }
            });
            Self { address, heard }
        }
    }

    async fn world() -> (Echo, Proxy, TcpStream) {
        let echo = Echo::start().await;
        let proxy = Proxy::start(echo.address).unwrap();
        let stream = TcpStream::connect(proxy.address()).await.unwrap();
        (echo, proxy, stream)
    }

    async fn turn(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut reply = vec![0; text.len()];
        stream.read_exact(&mut reply).await?;
        Ok(reply)
    }

    #[tokio::test]
    async fn fair_weather_changes_nothing() {
        let (_echo, proxy, mut stream) = world().await;
        assert_eq!(turn(&mut stream, b"one").await.unwrap(), b"one");
        assert_eq!(turn(&mut stream, b"two").await.unwrap(), b"two");
        assert_eq!(proxy.tally().turns.load(Ordering::SeqCst), 2);
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the end is handed on");
    }

    #[tokio::test]
    async fn delay_and_jitter_make_it_later() {
        let (_echo, proxy, mut stream) = world().await;
        proxy.set(Weather {
            delay: Duration::from_millis(50),
            jitter: Duration::from_millis(20),
            ..Weather::default()
        });
        let begun = Instant::now();
        turn(&mut stream, b"slow").await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(100), "once each way");
        assert_eq!(proxy.tally().delayed.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_blackhole_swallows_and_then_lets_go() {
        let (echo, proxy, mut stream) = world().await;
        proxy.change(|weather| weather.blackhole = true);
        assert!(timeout(SOON, turn(&mut stream, b"lost?")).await.is_err());
        assert_eq!(echo.heard.load(Ordering::SeqCst), 0);
        let mut late = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(
            timeout(SOON, turn(&mut late, b"also")).await.is_err(),
            "new ones too"
        );
        proxy.change(|weather| weather.blackhole = false);
        let mut reply = [0; 5];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(&reply, b"lost?");
        assert!(proxy.tally().held.load(Ordering::SeqCst) >= 2);
    }

    #[tokio::test]
    async fn a_reset_is_a_reset_and_new_connections_work() {
        let (_echo, proxy, mut stream) = world().await;
        turn(&mut stream, b"up").await.unwrap();
        proxy.reset();
        let error = stream.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let mut next = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(turn(&mut next, b"again").await.unwrap(), b"again");
        assert_eq!(proxy.tally().resets.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_half_close_ends_one_direction_alone() {
        let (echo, proxy, mut stream) = world().await;
        turn(&mut stream, b"up").await.unwrap();
        proxy.half_close();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        stream.write_all(b"still heard").await.unwrap();
        timeout(Duration::from_secs(5), async {
            while echo.heard.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_connection_is_cut_in_the_middle_of_a_reply() {
        let (_echo, proxy, mut stream) = world().await;
        proxy.set(Weather {
            cut_after: Some(6),
            ..Weather::default()
        });
        assert_eq!(turn(&mut stream, b"four").await.unwrap(), b"four");
        stream.write_all(b"five!").await.unwrap();
        let mut rest = [0; 8];
        assert_eq!(stream.read(&mut rest).await.unwrap(), 2, "six bytes in all");
        assert!(stream.read(&mut rest).await.is_err());
        assert_eq!(proxy.tally().cuts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_lost_reply_leaves_the_effect() {
        let (echo, proxy, mut stream) = world().await;
        proxy.change(|weather| weather.lose_reply = 1.0);
        assert!(turn(&mut stream, b"pay").await.is_err());
        assert_eq!(echo.heard.load(Ordering::SeqCst), 1, "the request arrived");
        assert_eq!(proxy.tally().lost_replies.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_dead_server_resets_the_client() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = nobody.local_addr().unwrap();
        drop(nobody);
        let proxy = Proxy::start(target).unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(turn(&mut stream, b"hello").await.is_err());
    }
}
