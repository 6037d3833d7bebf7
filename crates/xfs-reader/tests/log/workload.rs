//! Many small changes to a mounted filesystem, the same for the same seed: what fills a log.

use crate::random::Random;
use rustix::fs::{FallocateFlags, XattrFlags, fallocate, ioctl_ficlone, lremovexattr, lsetxattr};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

pub struct Workload {
    root: PathBuf,
    random: Random,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    made: u64,
}

impl Workload {
    pub fn new(root: &Path, seed: u64) -> Self {
        let folders = vec![root.to_owned()];
        let random = Random::new(seed);
        Self { root: root.to_owned(), random, folders, files: Vec::new(), made: 0 }
    }

    /// Changes something, `count` times. A change that the filesystem refuses is passed over:
    /// folders that are not empty, no space left, the machine "stopped".
    pub fn run(&mut self, count: u64) {
        for _ in 0..count {
            let _refused = self.change();
        }
    }

    fn change(&mut self) -> std::io::Result<()> {
        match self.random.below(100) {
            0..22 => self.create(),
            22..30 => self.append(),
            30..36 => self.overwrite(),
            36..40 => self.truncate(),
            40..50 => self.unlink(),
            50..58 => self.rename(),
            58..62 => self.make_folder(),
            62..63 => self.remove_folder(),
            63..68 => self.link(),
            68..72 => self.own(),
            72..82 => self.set_attribute(),
            82..85 => self.remove_attribute(),
            85..88 => self.sync_one(),
            88..91 => self.rewrite_database(),
            91..94 => self.allocate(),
            94..96 => self.clone_file(),
            96..97 => self.burst(),
            97..98 => self.fragment(),
            _ => self.touch(),
        }
    }

    fn new_path(&mut self) -> PathBuf {
        self.made += 1;
        let folder = self.random.pick(&self.folders).expect("the root is always there").clone();
        let length = self.random.below(60) as usize;
        folder.join(format!("{:06}{}", self.made, "n".repeat(length)))
    }

    fn file(&mut self) -> std::io::Result<PathBuf> {
        let file = self.random.pick(&self.files).cloned();
        file.ok_or(std::io::ErrorKind::NotFound.into())
    }

    fn create(&mut self) -> std::io::Result<()> {
        let path = self.new_path();
        let length = match self.random.below(10) {
            0 => 0,
            1..8 => self.random.below(6000),
            _ => self.random.below(150_000),
        };
        fs::write(&path, self.random.bytes(length))?;
        self.files.push(path);
        Ok(())
    }

    fn append(&mut self) -> std::io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.file()?)?;
        let length = self.random.below(20_000);
        file.write_all(&self.random.bytes(length))
    }

    fn overwrite(&mut self) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.file()?)?;
        file.seek(SeekFrom::Start(self.random.below(400_000)))?;
        let length = self.random.below(9000);
        file.write_all(&self.random.bytes(length))
    }

    fn truncate(&mut self) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.file()?)?;
        file.set_len(self.random.below(100_000))
    }

    fn unlink(&mut self) -> std::io::Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let index = self.random.below(self.files.len() as u64) as usize;
        fs::remove_file(self.files.swap_remove(index))
    }

    fn rename(&mut self) -> std::io::Result<()> {
        let from = self.file()?;
        let to = if self.random.below(3) == 0 { self.file()? } else { self.new_path() };
        fs::rename(&from, &to)?;
        self.files.retain(|file| *file != from && *file != to);
        self.files.push(to);
        Ok(())
    }

    fn make_folder(&mut self) -> std::io::Result<()> {
        let path = self.new_path();
        fs::create_dir(&path)?;
        self.folders.push(path);
        Ok(())
    }

    fn remove_folder(&mut self) -> std::io::Result<()> {
        let path = self.random.pick(&self.folders).expect("the root is always there").clone();
        if path != self.root {
            fs::remove_dir(&path)?;
            self.folders.retain(|folder| *folder != path);
        }
        Ok(())
    }

    fn link(&mut self) -> std::io::Result<()> {
        let path = self.new_path();
        if self.random.below(3) == 0 {
            fs::hard_link(self.file()?, &path)?;
            self.files.push(path);
            return Ok(());
        }
        // Long ones do not fit into their inodes.
        let length = self.random.below(900) as usize;
        symlink("t".repeat(length.max(1)), &path)?;
        self.files.push(path);
        Ok(())
    }

    fn own(&mut self) -> std::io::Result<()> {
        let path = self.file()?;
        if self.random.below(2) == 0 {
            let mode = self.random.below(0o10000) as u32;
            return fs::set_permissions(path, fs::Permissions::from_mode(mode));
        }
        let (user, group) = (self.random.below(70_000), self.random.below(70_000));
        lchown(path, Some(user as u32), Some(group as u32))
    }

    fn set_attribute(&mut self) -> std::io::Result<()> {
        let name = format!("user.name{}", self.random.below(12));
        let length = match self.random.below(8) {
            0 => self.random.below(60_000),
            1..3 => self.random.below(3000),
            _ => self.random.below(60),
        };
        let value = self.random.bytes(length);
        Ok(lsetxattr(self.file()?, name, &value, XattrFlags::empty())?)
    }

    fn remove_attribute(&mut self) -> std::io::Result<()> {
        let name = format!("user.name{}", self.random.below(12));
        Ok(lremovexattr(self.file()?, name)?)
    }

    fn sync_one(&mut self) -> std::io::Result<()> {
        File::open(self.file()?)?.sync_all()
    }

    /// What a package manager does with its list of packages.
    fn rewrite_database(&mut self) -> std::io::Result<()> {
        let (new, old) = (self.root.join("status-new"), self.root.join("status"));
        let length = 40_000 + self.random.below(80_000);
        let mut file = File::create(&new)?;
        file.write_all(&self.random.bytes(length))?;
        file.sync_all()?;
        fs::rename(new, old)
    }

    fn allocate(&mut self) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.file()?)?;
        let flags = match self.random.below(3) {
            0 => FallocateFlags::KEEP_SIZE,
            1 => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            _ => FallocateFlags::empty(),
        };
        let (from, length) = (self.random.below(100_000), 1 + self.random.below(100_000));
        Ok(fallocate(&file, flags, from, length)?)
    }

    fn clone_file(&mut self) -> std::io::Result<()> {
        let from = File::open(self.file()?)?;
        let path = self.new_path();
        let to = File::create(&path)?;
        self.files.push(path);
        Ok(ioctl_ficlone(&to, &from)?)
    }

    /// So many files in one folder that it needs several blocks.
    fn burst(&mut self) -> std::io::Result<()> {
        let folder = self.random.pick(&self.folders).expect("the root is always there").clone();
        for _ in 0..40 + self.random.below(160) {
            self.made += 1;
            let path = folder.join(format!("burst-{:08}-{}", self.made, "b".repeat(20)));
            File::create(&path)?;
            self.files.push(path);
        }
        Ok(())
    }

    /// So many pieces of a file that its list of extents becomes a tree.
    fn fragment(&mut self) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.file()?)?;
        let pieces = 10 + self.random.below(120);
        for piece in 0..pieces {
            fallocate(&file, FallocateFlags::KEEP_SIZE, piece * 40_960, 8192)?;
        }
        Ok(())
    }

    fn touch(&mut self) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.file()?)?;
        let seconds = self.random.below(4_000_000_000);
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::new(seconds, 123_456_789))
    }
}
