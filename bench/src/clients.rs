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

/// Clients that do one thing after the other for a while, each as soon as it can: how long each
/// thing took, how long all of it, and the clients.
pub(crate) async fn closed_loop<S, C, F>(
    clients: Vec<S>,
    slice: Duration,
    call: C,
) -> anyhow::Result<(Times, Duration, Vec<S>)>
where
    S: Send + 'static,
    C: Fn(S) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<S>> + Send,
{
    let begun = Instant::now();
    let run = |mut client: S| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut times = Times::default();
            while begun.elapsed() < slice {
                let one = Instant::now();
                client = call(client).await?;
                times.add(one.elapsed());
            }
            anyhow::Ok((times, client))
        })
    };
    let tasks: Vec<_> = clients.into_iter().map(run).collect();
    let (mut all, mut clients) = (Times::default(), Vec::new());
    for task in tasks {
        let (times, client) = task.await??;
        all.join(times);
        clients.push(client);
    }
    Ok((all, begun.elapsed(), clients))
}

/// The empty call, from this many clients.
pub(crate) async fn call_nothing(
    url: &str,
    clients: usize,
    slice: Duration,
) -> anyhow::Result<(Times, Duration)> {
    let mut callers = Vec::new();
    for _ in 0..clients {
        callers.push(HealthClient::new(connect(url).await?));
    }
    let (times, took, _) = closed_loop(callers, slice, |mut client| async move {
        client.check(HealthCheckRequest { service: String::new() }).await?;
        Ok(client)
    })
    .await?;
    Ok((times, took))
}
