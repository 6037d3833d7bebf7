//! The controls under `/_standin/`: no part of AWS, not signed, in JSON.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    api::reply::json_response,
    body::Answer,
    error::StandinError,
    snapshot::{Change, Served},
    state::State,
};

const PREFIX: &str = "/_standin/";
const LARGEST_BODY: usize = 1 << 20;

type Done = Result<Value, (StatusCode, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    access_key: String,
    account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    seconds: u64,
}

pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with(PREFIX)
}

pub(crate) async fn serve(state: Arc<State>, request: Request<Incoming>) -> Response<Answer> {
    let (status, value) = match perform(&state, request).await {
        Ok(value) => (StatusCode::OK, value),
        Err((status, message)) => (status, json!({ "error": message })),
    };
    json_response(status, value.to_string().into_bytes())
}

async fn perform(state: &Arc<State>, request: Request<Incoming>) -> Done {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    match (&parts.method, path) {
        (&Method::GET, "stats") => value(&state.books.stats()),
        (&Method::GET, "log") => value(&state.books.log()),
        (&Method::GET, "faults") => value(&state.plan().faults),
        (&Method::GET, "snapshots") => Ok(state.snapshots().iter().map(|s| about(s)).collect()),
        (&Method::DELETE, path) => remove(state, path),
        (&Method::POST, path) => change(state, path, body).await,
        _ => Err(unknown(path)),
    }
}

async fn change(state: &Arc<State>, path: &str, body: Incoming) -> Done {
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let body = body.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?.to_bytes();
    match path {
        "reset" => state.books.reset(),
        "expire-tokens" => state.tokens.expire_all(),
        "faults" => state.set_faults(parse(&body)?),
        "skip-time" => state.tokens.skip(parse::<Skip>(&body)?.seconds),
        "accounts" => {
            let Account { access_key, account } = parse(&body)?;
            state.add_account(access_key, account);
        }
        "snapshots" => return add(state, &body).await,
        path => return alter(state, path, parse(&body)),
    }
    Ok(json!({}))
}

fn alter(state: &State, path: &str, change: Result<Change, (StatusCode, String)>) -> Done {
    let id = path.strip_prefix("snapshots/").ok_or_else(|| unknown(path))?;
    if state.change_snapshot(id, change?) { Ok(json!({})) } else { Err(not_served(id)) }
}

async fn add(state: &Arc<State>, body: &[u8]) -> Done {
    let snapshot: crate::Snapshot = parse(body)?;
    let id = snapshot.id.clone();
    let adding = Arc::clone(state);
    let added = spawn_blocking(move || adding.add_snapshot(snapshot)).await;
    added.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?.map_err(
        |error| match error {
            StandinError::Duplicate(_) => (StatusCode::CONFLICT, error.to_string()),
            _ => (StatusCode::BAD_REQUEST, with_source(&error)),
        },
    )?;
    Ok(state.snapshot(&id).map_or(Value::Null, |served| about(&served)))
}

fn remove(state: &State, path: &str) -> Done {
    let id = path.strip_prefix("snapshots/").ok_or_else(|| unknown(path))?;
    if state.remove_snapshot(id) { Ok(json!({})) } else { Err(not_served(id)) }
}

fn not_served(id: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("snapshot {id} is not served"))
}

fn about(served: &Served) -> Value {
    json!({
        "id": served.id(),
        "volume_gib": served.volume_gib(),
        "allocated_blocks": served.image.allocated_from(0).len(),
        "lineage": served.snapshot.lineage,
        "owner": served.snapshot.owner,
        "status": served.snapshot.status,
        "access": served.snapshot.access,
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn value(value: &impl Serialize) -> Done {
    serde_json::to_value(value)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn unknown(path: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("no control {path}"))
}

fn with_source(error: &StandinError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
