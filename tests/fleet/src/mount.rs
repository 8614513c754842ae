use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The name under which a mounted secret keeps what is current.
const CURRENT: &str = "..data";

/// A directory as Kubernetes mounts a secret: the files lie behind a symbolic link, which is replaced as a whole.
#[derive(Debug)]
pub(crate) struct Mount {
    path: PathBuf,
    updates: u32,
}

impl Mount {
    /// An empty mount.
    pub(crate) fn new(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        Self { path, updates: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts another state in the place of the one before.
    pub(crate) fn update(&mut self, ring: &str) {
        self.updates += 1;
        let name = format!("..{}", self.updates);
        let (directory, link) = (self.path.join(&name), self.path.join("..data_tmp"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("session.keys"), ring).unwrap();
        symlink(&name, &link).unwrap();
        fs::rename(&link, self.path.join(CURRENT)).unwrap();
        if self.updates == 1 {
            symlink(Path::new(CURRENT).join("session.keys"), self.path.join("session.keys")).unwrap();
        } else {
            fs::remove_dir_all(self.path.join(format!("..{}", self.updates - 1))).unwrap();
        }
    }
}
