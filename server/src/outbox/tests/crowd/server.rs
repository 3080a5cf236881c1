//! A server that takes a few recipients in a transaction, and records who got what.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::super::*;

/// How the server behaves when a limit is exceeded.
#[derive(Clone, Copy)]
pub(in crate::outbox::tests) struct Manner {
    /// Most recipients in a transaction.
    pub most: usize,
    /// Its reply to one more; a 421 ends the connection, and so does an empty one.
    pub refusal: &'static str,
    /// It sends that reply after the message, having accepted all recipients.
    pub late: bool,
    pub keywords: &'static str,
    /// Most recipients on a connection.
    pub in_all: usize,
    /// Its reply to a recipient that it defers.
    pub later: &'static str,
    /// Most transactions on a connection.
    pub transactions: usize,
    /// It discards commands that came with the end of a message.
    pub forgets: bool,
    /// Logins until it refuses the password.
    pub logins: usize,
    /// How long it takes to answer a message; `MAX`: until the client has given up.
    pub thinks: Duration,
}

pub(in crate::outbox::tests) const MANNER: Manner = Manner {
    most: 3,
    refusal: "452 4.5.3 Too many recipients",
    late: false,
    in_all: usize::MAX,
    later: "450 4.2.0 Greylisted, come back later",
    keywords: "",
    transactions: usize::MAX,
    forgets: false,
    thinks: Duration::ZERO,
    logins: usize::MAX,
};

/// A mail server that records who got what.
pub(in crate::outbox::tests) struct Crowd {
    pub(super) manner: Manner,
    pub(super) logins: AtomicUsize,
    pub(super) refused: AtomicUsize,
    pub(super) connections: AtomicUsize,
    /// Open connections, and the most at the same time.
    open: AtomicUsize,
    most_open: AtomicUsize,
    /// Recipients and `Message-ID` of each message.
    pub(super) taken: Mutex<Vec<(Vec<String>, String)>>,
    /// The next sender is deferred.
    pub(super) busy: AtomicBool,
    /// Recipients to defer, once each.
    pub(super) later: Mutex<HashSet<String>>,
    /// No recipient is accepted any more.
    pub(super) shut: AtomicBool,
    /// How many are accepted before that.
    pub(super) takes: AtomicUsize,
    /// Recipients on which it hangs up.
    pub(super) poison: Mutex<HashSet<String>>,
    /// How often each recipient was named.
    pub(super) named: Mutex<HashMap<String, usize>>,
    /// How often the next commands came with the end of a message.
    pub(super) ahead: AtomicUsize,
}

impl Crowd {
    pub async fn start(manner: Manner) -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let crowd = Arc::new(Self {
            manner,
            logins: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            taken: Mutex::default(),
            busy: AtomicBool::new(false),
            later: Mutex::default(),
            shut: AtomicBool::new(false),
            named: Mutex::default(),
            takes: AtomicUsize::new(usize::MAX),
            poison: Mutex::default(),
            ahead: AtomicUsize::new(0),
        });
        let serving = crowd.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let open = serving.open.fetch_add(1, Ordering::SeqCst) + 1;
                serving.most_open.fetch_max(open, Ordering::SeqCst);
                let serving = serving.clone();
                tokio::spawn(async move {
                    serving.serve(stream).await;
                    serving.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        (crowd, port)
    }

    /// The answer to `RCPT`.
    fn recipient(&self, address: &str, taken: &mut Vec<String>, in_all: &mut usize) -> &'static str {
        *self.named.lock().unwrap().entry(address.to_owned()).or_default() += 1;
        if address.starts_with("refused") {
            return "550 5.1.1 User unknown";
        }
        if self.later.lock().unwrap().remove(address) {
            return self.manner.later;
        }
        if self.poison.lock().unwrap().contains(address) {
            return "";
        }
        let most = if self.shut.load(Ordering::SeqCst) { 0 } else { self.manner.most };
        if (taken.len() >= most || *in_all >= self.manner.in_all) && !self.manner.late {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return self.manner.refusal;
        }
        *in_all += 1;
        if self.takes.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shut.store(true, Ordering::SeqCst);
        }
        taken.push(address.to_owned());
        "250 2.1.5 ok"
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 crowd ESMTP\r\n").await.ok()?;
        let (mut transactions, mut to, mut in_all) = (0, Vec::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let upper = line.to_ascii_uppercase();
            let answer = match upper.split([' ', ':', '\r']).next()? {
                "EHLO" => format!("250-crowd\r\n{}250 AUTH PLAIN", self.manner.keywords),
                "AUTH" if self.logins.fetch_add(1, Ordering::SeqCst) < self.manner.logins => "235 ok".to_owned(),
                "AUTH" => "535 5.7.8 Error: authentication failed".to_owned(),
                "MAIL" if transactions >= self.manner.transactions => "421 4.7.0 enough".to_owned(),
                "MAIL" => {
                    to.clear();
                    let busy = self.busy.swap(false, Ordering::SeqCst);
                    if busy { "451 4.3.2 not now".to_owned() } else { "250 2.1.0 ok".to_owned() }
                }
                "RCPT" => self.recipient(line.split(['<', '>']).nth(1)?, &mut to, &mut in_all).to_owned(),
                "DATA" if to.is_empty() => "554 5.5.1 no valid recipients".to_owned(),
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut text).await.ok()?;
                    }
                    self.ahead.fetch_add(usize::from(!stream.buffer().is_empty()), Ordering::SeqCst);
                    if self.manner.forgets {
                        let more = stream.buffer().len();
                        stream.consume(more);
                    }
                    if self.manner.thinks == Duration::MAX {
                        stream.read_to_end(&mut Vec::new()).await.ok()?;
                        return None;
                    }
                    tokio::time::sleep(self.manner.thinks).await;
                    self.message(&text, &to)
                }
                "BDAT" => {
                    let mut chunk = vec![0; upper.split(' ').nth(1)?.parse().ok()?];
                    stream.read_exact(&mut chunk).await.ok()?;
                    if to.is_empty() {
                        "503 5.5.1 no valid recipients".to_owned()
                    } else {
                        self.message(&String::from_utf8_lossy(&chunk), &to)
                    }
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            transactions += usize::from(matches!(upper.get(..4), Some("DATA" | "BDAT")));
            if answer.is_empty() {
                return None;
            }
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
            if answer.starts_with("421") || answer.starts_with("221") {
                return None;
            }
        }
    }

    fn message(&self, text: &str, to: &[String]) -> String {
        if self.manner.late && to.len() > self.manner.most {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return self.manner.refusal.to_owned();
        }
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
        self.taken.lock().unwrap().push((to.to_vec(), id.to_owned()));
        "250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxP".to_owned()
    }

    pub fn most_open(&self) -> usize {
        self.most_open.load(Ordering::SeqCst)
    }

    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Every recipient that got the message, sorted; duplicates stay.
    pub fn everybody(&self) -> Vec<String> {
        let mut all: Vec<String> = self.taken.lock().unwrap().iter().flat_map(|(to, _)| to.clone()).collect();
        all.sort();
        all
    }
}
