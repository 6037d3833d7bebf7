//! The body of an answer: whole, or one that breaks off or never ends.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::stats::OpenCall;

/// So that the half that is sent has left before the connection breaks.
const BEFORE_BREAK: Duration = Duration::from_millis(20);

pub(crate) struct Answer {
    data: Option<Bytes>,
    declared: u64,
    tail: Tail,
    /// Ends with the body.
    call: Option<OpenCall>,
}

enum Tail {
    End,
    Break(Pin<Box<Sleep>>),
    Hang,
}

impl Answer {
    pub(crate) fn whole(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let declared = data.len() as u64;
        let data = Some(data).filter(|data| !data.is_empty());
        Self { data, declared, tail: Tail::End, call: None }
    }

    /// Sends the first half, and then breaks the connection.
    pub(crate) fn broken(self) -> Self {
        self.half(Tail::Break(Box::pin(sleep(BEFORE_BREAK))))
    }

    /// Sends the first half, and then nothing.
    pub(crate) fn stalled(self) -> Self {
        self.half(Tail::Hang)
    }

    /// Ends the call with the body.
    pub(crate) fn of(mut self, call: OpenCall) -> Self {
        self.call = Some(call);
        self
    }

    fn half(self, tail: Tail) -> Self {
        let data = self.data.map(|data| data.slice(..data.len() / 2));
        Self { data, tail, ..self }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.tail {
            Tail::End => Poll::Ready(None),
            Tail::Hang => Poll::Pending,
            Tail::Break(sleep) => sleep
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(io::Error::other("the fault breaks the connection here")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && matches!(self.tail, Tail::End)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.declared)
    }
}
