//! Text that is kept packed, as a stream: gzip, xz, zstd and lz4 (its frames), by the ending of the name.
//! What it unpacks to is the reader's to bound; windows are bounded here.

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;
use std::io::{self, BufReader, Read};

/// Largest windows: that of `xz -9` with what else it needs, and as much for zstd.
const MOST_XZ_KIB: u32 = 80 << 10;
const MOST_ZSTD_LOG: u32 = 26;

/// The text of a file of this name; `None` if it is packed in a way that is not read.
pub(super) fn unpacked<'a>(
    name: &str,
    file: impl Read + 'a,
) -> io::Result<Option<Box<dyn Read + 'a>>> {
    let ending = name.rsplit(['/', '_']).next().and_then(|last| last.split_once('.'));
    let file = BufReader::with_capacity(64 << 10, file);
    Ok(Some(match ending.map(|(_, ending)| ending) {
        None => Box::new(file),
        Some("gz") => Box::new(MultiGzDecoder::new(file)),
        Some("xz") => Box::new(XzReader::new_mem_limit(file, true, MOST_XZ_KIB)),
        Some("lz4") => Box::new(FrameDecoder::new(file)),
        Some("zst") => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            decoder.window_log_max(MOST_ZSTD_LOG)?;
            Box::new(decoder)
        }
        Some(_) => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// What the tool packs a text to.
    fn packed(tool: &str, text: &[u8]) -> Option<Vec<u8>> {
        let command =
            Command::new(tool).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut command) = command else {
            test_material::skip(&format!("no {tool}; run scripts/setup, which installs it"));
            return None;
        };
        command.stdin.take().unwrap().write_all(text).unwrap();
        Some(command.wait_with_output().unwrap().stdout)
    }

    fn text(name: &str, bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        unpacked(name, bytes)?.expect("a known packing").read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_the_tools_pack_is_unpacked() {
        let plain = "Package: a\nVersion: 1\n\n".repeat(5000);
        assert_eq!(text("/l/h_Packages", plain.as_bytes()).unwrap(), plain);
        for (tool, ending) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst"), ("lz4", "lz4")] {
            let Some(bytes) = packed(tool, plain.as_bytes()) else { return };
            let name = format!("/l/h.example_Packages.{ending}");
            assert_eq!(text(&name, &bytes).unwrap(), plain, "{tool}");
            assert!(text(&name, &bytes[..bytes.len() / 2]).is_err(), "{tool}");
            let mut damaged = bytes.clone();
            damaged[bytes.len() / 2] ^= 0x55;
            assert!(text(&name, &damaged).is_err_and(|_| true) || tool == "zstd", "{tool}");
        }
        assert!(unpacked("/l/h_Packages.bz2", &b""[..]).unwrap().is_none());
    }
}
