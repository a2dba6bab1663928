//! UmaDB beside Pratica: its engine in this process, with its own writer thread that commits what
//! has queued up; or, asked for `wire`, its server over gRPC, a connection a client.

use peer_harness::{About, Note, Peer, Same};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_core::writer_thread_blocking::writer_thread_blocking;
use umadb_core::writer_thread_request::WriterThreadRequest;
use umadb_dcb::{
    DcbAppendCondition, DcbEvent, DcbEventStoreAsync as _, DcbEventStoreSync as _, DcbQuery,
    DcbQueryItem,
};
use umadb_server::{ServerOptions, start_server_with_options};

/// As its server has it.
const BATCH_MAX_EVENTS: usize = 2048;
const PAGE: u32 = 1000;

/// Where the store is.
enum Store {
    Here {
        db: UmaDb,
        writer: mpsc::Sender<WriterThreadRequest>,
    },
    /// The server stops when this is dropped.
    Wire {
        url: String,
        _stop: oneshot::Sender<()>,
    },
}

struct Uma {
    store: Store,
    same: Same,
}

enum Writer {
    Here(mpsc::Sender<WriterThreadRequest>),
    Wire(AsyncUmaDbClient),
}

/// All events of a stream.
fn of(stream: &str) -> DcbQuery {
    DcbQuery::with_items([DcbQueryItem::new().tags([stream])])
}

impl Uma {
    async fn append_events(&self, writer: &Writer, stream: &str, count: u64) -> anyhow::Result<()> {
        let event = DcbEvent::new()
            .event_type("case.note_added")
            .tags([stream])
            .data(self.same.payload.as_bytes())
            .metadata(self.same.metadata.clone());
        let events = (0..count).map(|_| event.clone().uuid(uuid::Uuid::new_v4())).collect();
        // None may be there yet: the expected revision of a new stream.
        let condition = Some(DcbAppendCondition::new(of(stream)));
        match writer {
            Writer::Here(writer) => {
                let (response_tx, answer) = oneshot::channel();
                let request = WriterThreadRequest::Append {
                    events,
                    condition,
                    tracking_info: None,
                    response_tx,
                    cancel: None,
                };
                writer.send(request).await.map_err(|_| anyhow::anyhow!("the writer has ended"))?;
                answer.await??;
            }
            Writer::Wire(client) => {
                client.append(events, condition, None).await?;
            }
        }
        Ok(())
    }
}

impl Peer for Uma {
    type Writer = Writer;

    async fn open(directory: &Path, same: Same) -> anyhow::Result<(Self, About)> {
        let wire = std::env::args().nth(2).is_some_and(|way| way == "wire");
        let storage = StorageOptions::default().db_path(directory.join("uma.db"));
        let store = if wire {
            let listen_addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
            let url = format!("http://{listen_addr}");
            let options = ServerOptions { listen_addr, tls: None, api_key: None, storage };
            let (stop, stopped) = oneshot::channel();
            tokio::spawn(async move {
                if let Err(e) = start_server_with_options(options, stopped).await {
                    eprintln!("{e}");
                }
            });
            Store::Wire { url, _stop: stop }
        } else {
            let mvcc = Arc::new(Mvcc::new(false, storage)?);
            let (writer, requests) = mpsc::channel(1024);
            let (heads, _) = watch::channel(None);
            let its = Arc::clone(&mvcc);
            std::thread::spawn(move || {
                writer_thread_blocking(its, requests, heads, BATCH_MAX_EVENTS);
            });
            Store::Here { db: UmaDb::from_arc(mvcc), writer }
        };
        let about = About {
            engine: "its own file".to_owned(),
            durability: "fdatasync twice a commit".to_owned(),
        };
        Ok((Uma { store, same }, about))
    }

    async fn writer(&self) -> anyhow::Result<Writer> {
        Ok(match &self.store {
            Store::Here { writer, .. } => Writer::Here(writer.clone()),
            Store::Wire { url, .. } => {
                Writer::Wire(UmaDbClient::new(url.clone()).connect_async().await?)
            }
        })
    }

    async fn append(&self, writer: &mut Writer, stream: String) -> anyhow::Result<()> {
        self.append_events(writer, &stream, 1).await
    }

    async fn fill(&self, stream: String, events: u64) -> anyhow::Result<()> {
        let writer = self.writer().await?;
        self.append_events(&writer, &stream, events).await
    }

    async fn load(&self, stream: &str) -> anyhow::Result<u64> {
        let Store::Here { db, .. } = &self.store else { anyhow::bail!("loaded in process only") };
        let (events, _) = db.read_with_head(Some(of(stream)), None, false, None)?;
        let mut folded = (0, String::new());
        for event in events {
            let note: Note = serde_json::from_slice(&event.event.data)?;
            folded = (folded.0 + 1, note.text.value);
        }
        Ok(std::hint::black_box(folded).0)
    }

    async fn replay(&self) -> anyhow::Result<u64> {
        anyhow::bail!("UmaDB has no views")
    }

    async fn count(&self) -> anyhow::Result<u64> {
        let (mut count, mut next) = (0, None);
        let client = match self.writer().await? {
            Writer::Wire(client) => Some(client),
            Writer::Here(_) => None,
        };
        loop {
            let (events, _) = match (&client, &self.store) {
                (Some(client), _) => client.read_with_head(None, next, false, Some(PAGE)).await?,
                (None, Store::Here { db, .. }) => {
                    db.read_with_head(None, next, false, Some(PAGE))?
                }
                (None, Store::Wire { .. }) => anyhow::bail!("no client for the server"),
            };
            let Some(last) = events.last() else { return Ok(count) };
            count += events.len() as u64;
            next = Some(last.position + 1);
        }
    }
}

fn main() -> anyhow::Result<()> {
    peer_harness::serve::<Uma>()
}
