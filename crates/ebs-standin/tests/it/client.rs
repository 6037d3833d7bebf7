//! A small client, and images to serve.

use std::{collections::BTreeMap, time::Duration};

use ebs_standin::{BLOCK_SIZE, Faults, Snapshot, Standin};
use serde_json::Value;
use ureq::{Agent, Error, http};

pub const ID: &str = "snap-0123456789abcdef0";
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// One block of each given index, filled with a byte that the index gives.
pub fn image(blocks: &[u64]) -> Vec<u8> {
    let count = blocks.iter().max().map_or(0, |last| *last as usize + 1);
    let mut bytes = vec![0; count * BLOCK_SIZE];
    for block in blocks {
        bytes[*block as usize * BLOCK_SIZE..][..BLOCK_SIZE].fill(fill(*block));
    }
    bytes
}

pub fn fill(block: u64) -> u8 {
    (block % 255) as u8 + 1
}

pub fn serve(blocks: &[u64]) -> Standin {
    serve_with(blocks, Faults::default())
}

pub fn serve_with(blocks: &[u64], faults: Faults) -> Standin {
    let snapshot = Snapshot::bytes(ID, image(blocks));
    Standin::builder().add_snapshot(snapshot).faults(faults).start().unwrap()
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// `status Type/REASON`.
    pub fn error(&self) -> String {
        let json = self.json();
        assert!(json["Message"].is_string(), "{json}");
        let reason = json["Reason"].as_str().map_or(String::new(), |r| format!("/{r}"));
        format!("{} {}{reason}", self.status, self.headers["x-amzn-errortype"])
    }
}

/// Calls without keeping connections, so that no fault hits a connection of another call.
pub struct Client {
    agent: Agent,
    url: String,
    pub authorization: Option<String>,
}

impl Client {
    pub fn new(server: &Standin) -> Self {
        Self::at(&server.url())
    }

    pub fn at(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(1)));
        Self {
            agent: config.build().new_agent(),
            url: url.to_owned(),
            authorization: Some(authorization(KEY)),
        }
    }

    pub fn key(mut self, key: &str) -> Self {
        self.authorization = Some(authorization(key));
        self
    }

    pub fn get(&self, path: &str) -> Reply {
        self.try_get(path).unwrap()
    }

    pub fn try_get(&self, path: &str) -> Result<Reply, Error> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        read(request.call()?)
    }

    pub fn post(&self, path: &str, json: &str) -> Reply {
        read(self.agent.post(format!("{}{path}", self.url)).send(json).unwrap()).unwrap()
    }

    pub fn delete(&self, path: &str) -> Reply {
        read(self.agent.delete(format!("{}{path}", self.url)).call().unwrap()).unwrap()
    }

    pub fn list(&self, query: &str) -> Reply {
        self.get(&format!("/snapshots/{ID}/blocks{query}"))
    }

    pub fn block(&self, index: u64, token: &str) -> Reply {
        self.try_block(index, token).unwrap()
    }

    pub fn try_block(&self, index: u64, token: &str) -> Result<Reply, Error> {
        self.try_get(&format!("/snapshots/{ID}/blocks/{index}?blockToken={}", escape(token)))
    }

    /// The block tokens of the first page, by index.
    pub fn tokens(&self) -> BTreeMap<u64, String> {
        entries(&self.list("").ok().json()["Blocks"])
            .map(|block| (index(block), block["BlockToken"].as_str().unwrap().to_owned()))
            .collect()
    }
}

pub fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

pub fn index(entry: &Value) -> u64 {
    entry["BlockIndex"].as_u64().unwrap()
}

pub fn indexes(list: &Value) -> Vec<u64> {
    entries(list).map(index).collect()
}

pub fn escape(token: &str) -> String {
    token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

pub fn authorization(key: &str) -> String {
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/ebs/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={signature}"
    )
}

/// Tries until `reached`, for what another thread does; fails after long.
pub fn wait_until(reached: impl Fn() -> bool) {
    for _ in 0..6000 {
        if reached() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain");
}

fn read(mut response: http::Response<ureq::Body>) -> Result<Reply, Error> {
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(k, v)| (k.to_string(), text(v))).collect(),
        body: response.body_mut().read_to_vec()?,
    })
}
