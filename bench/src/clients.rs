//! Clients that call again and again, each on a connection of its own, one call after the other.

use crate::figures::Times;
use std::time::{Duration, Instant};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// A connection that sends a token with every call.
pub(crate) type Authorised = InterceptedService<Channel, Token>;

/// A bearer token.
#[derive(Clone)]
pub(crate) struct Token(MetadataValue<Ascii>);

impl Token {
    pub(crate) fn new(token: &str) -> anyhow::Result<Token> {
        Ok(Token(format!("Bearer {token}").parse()?))
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

pub(crate) async fn connect(url: &str) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await?)
}

pub(crate) async fn authorised(url: &str, token: &str) -> anyhow::Result<Authorised> {
    Ok(InterceptedService::new(connect(url).await?, Token::new(token)?))
}

/// The empty call, from this many clients.
pub(crate) async fn call_nothing(
    url: &str,
    clients: usize,
    slice: Duration,
) -> anyhow::Result<(Times, Duration)> {
    let mut channels = Vec::new();
    for _ in 0..clients {
        channels.push(connect(url).await?);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = channels
        .into_iter()
        .map(|channel| {
            tokio::spawn(async move {
                let mut client = HealthClient::new(channel);
                let mut times = Times::default();
                while begun.elapsed() < slice {
                    let one = Instant::now();
                    client.check(HealthCheckRequest { service: String::new() }).await?;
                    times.add(one.elapsed());
                }
                anyhow::Ok(times)
            })
        })
        .collect();
    let mut all = Times::default();
    for task in tasks {
        all.join(task.await??);
    }
    Ok((all, begun.elapsed()))
}
