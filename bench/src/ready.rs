//! Calls whose answers are ready: what a question and an answer of Pratica's cost on their way, put
//! into bytes and read again, when nothing is done in between. No token is looked at.

use std::convert::Infallible;
use std::future::Ready;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// The service `S`, which gives to every question `Q` this answer.
pub(crate) struct Answers<S, Q, A> {
    answer: A,
    of: PhantomData<fn(S, Q)>,
}

impl<S, Q, A> Answers<S, Q, A> {
    pub(crate) fn new(answer: A) -> Self {
        Answers { answer, of: PhantomData }
    }
}

impl<S, Q, A: Clone> Clone for Answers<S, Q, A> {
    fn clone(&self) -> Self {
        Answers::new(self.answer.clone())
    }
}

impl<S: NamedService, Q, A> NamedService for Answers<S, Q, A> {
    const NAME: &'static str = S::NAME;
}

impl<S, Q, A: Clone> UnaryService<Q> for Answers<S, Q, A> {
    type Response = A;
    type Future = Ready<Result<Response<A>, Status>>;

    fn call(&mut self, _: Request<Q>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.answer.clone())))
    }
}

impl<S, Q, A> Service<http::Request<Body>> for Answers<S, Q, A>
where
    S: 'static,
    Q: prost::Message + Default + 'static,
    A: prost::Message + Clone + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: http::Request<Body>) -> Self::Future {
        let answers = self.clone();
        Box::pin(
            async move { Ok(Grpc::new(ProstCodec::<A, Q>::default()).unary(answers, call).await) },
        )
    }
}
