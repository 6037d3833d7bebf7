//! The calls: from a request to an answer, through signature, throttling, latency, faults.

pub(crate) mod changed;
pub(crate) mod control;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod reply;
pub(crate) mod route;

use std::{future::pending, sync::Arc};

use hyper::{Request, Response, body::Incoming};
use tokio::{task::spawn_blocking, time::sleep};

use crate::{
    auth,
    body::Answer,
    error::{ApiError, ErrorKind},
    faults::Effect,
    plan::{Call, Fate, Plan},
    state::{Caller, State},
    stats::OpenCall,
};
use reply::Reply;
use route::{Operation, Target};

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the fault closes the connection here")]
pub(crate) struct Dropped;

/// Answers one request, of the API or of the controls.
pub(crate) async fn serve(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Dropped> {
    if control::is_control(request.uri().path()) {
        return Ok(control::serve(state, request).await);
    }
    let (parts, _) = request.into_parts();
    let target = Target::parse(&parts);
    let (mut open, in_flight) = state.books.open(target.as_ref().map(Target::call));
    open.index = target.as_ref().and_then(Target::index);
    let access_key = auth::access_key(&parts.headers);
    open.caller = access_key.as_ref().ok().cloned();
    match answer(&state, access_key, target, in_flight).await {
        Ok((reply, effect)) => {
            open.ended("ok", 200);
            Ok(finish(&state, reply, effect, open))
        }
        Err(Failure::Api(error)) => {
            open.ended(error.kind.label(), error.kind.status());
            Ok(reply::error(&error, &state.request_id()).map(|answer| answer.of(open)))
        }
        Err(Failure::Dropped) => {
            open.ended("dropped", 0);
            Err(Dropped)
        }
    }
}

enum Failure {
    Api(ApiError),
    Dropped,
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

async fn answer(
    state: &Arc<State>,
    access_key: Result<String, ErrorKind>,
    target: Option<Target>,
    in_flight: u64,
) -> Result<(Reply, Option<Effect>), Failure> {
    let caller = state.caller(access_key?);
    let target = target.ok_or(ErrorKind::UnknownOperation)?;
    let plan = state.plan();
    let lineage = state.lineage(&target.snapshot);
    let call = Call { lineage: lineage.as_deref(), ..target.call() };
    let fate = plan.meet(call, &caller.bucket, in_flight);
    suffer(&fate).await?;
    let state = Arc::clone(state);
    let work = spawn_blocking(move || perform(&state, &plan, &target, &caller));
    let reply = work.await.map_err(|_| ErrorKind::InternalServer)??;
    Ok((reply, fate.effect))
}

/// Waits as long as the call has to, and ends it if it does not get through.
async fn suffer(fate: &Fate) -> Result<(), Failure> {
    if !fate.delay.is_zero() {
        sleep(fate.delay).await;
    }
    match fate.effect {
        Some(Effect::Error(kind)) => Err(kind.into()),
        Some(Effect::DropConnection) => Err(Failure::Dropped),
        Some(Effect::Stall) => pending().await,
        _ => Ok(()),
    }
}

fn perform(
    state: &State,
    plan: &Plan,
    target: &Target,
    caller: &Caller,
) -> Result<Reply, ApiError> {
    match &target.operation {
        Operation::List => list::perform(state, plan, target, caller),
        Operation::Changed => changed::perform(state, plan, target, caller),
        Operation::Get { block } => get::perform(state, plan, target, block, caller),
    }
}

fn finish(state: &State, reply: Reply, effect: Option<Effect>, open: OpenCall) -> Response<Answer> {
    if let Reply::Block(block) = &reply {
        open.sent_block(&block.snapshot, block.index, block.data.len() as u64);
    }
    reply.into_response(effect, &state.request_id()).map(|answer| answer.of(open))
}
