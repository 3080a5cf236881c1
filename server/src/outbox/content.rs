//! Server side. Texts and files of a message as they are sealed: a line of JSON, then the files one after another.

use jiff::Timestamp;
use lettre::{Address, message::Mailbox};
use mail::smtp::Attachment;
use serde::{Deserialize, Serialize};

/// An address, and perhaps a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub address: String,
    pub name: Option<String>,
}

impl Person {
    /// The same for lettre; `None` when the address cannot be parsed.
    pub fn mailbox(&self) -> Option<Mailbox> {
        Some(Mailbox::new(self.name.clone(), self.address.parse::<Address>().ok()?))
    }
}

/// The texts, files and recipients of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub head: Head,
    pub files: Vec<File>,
}

/// All but the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub to: Vec<Person>,
    pub cc: Vec<Person>,
    pub reply_to: Option<Person>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    /// A BCP 47 tag.
    pub language: Option<String>,
    pub auto_submitted: bool,
    /// When the portal posted it: its `Date`.
    pub date: Timestamp,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub filename: String,
    pub content_type: String,
    pub content_id: Option<String>,
    pub bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct FileHead {
    filename: String,
    content_type: String,
    content_id: Option<String>,
    length: usize,
}

impl Content {
    /// In bytes, of texts and files.
    pub fn size(&self) -> usize {
        let texts = [&self.head.text, &self.head.html].into_iter().flatten().map(String::len).sum::<usize>();
        texts + self.head.subject.len() + self.files.iter().map(|file| file.bytes.len()).sum::<usize>()
    }

    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let heads: Vec<FileHead> = self
            .files
            .iter()
            .map(|File { filename, content_type, content_id, bytes }| FileHead {
                filename: filename.clone(),
                content_type: content_type.clone(),
                content_id: content_id.clone(),
                length: bytes.len(),
            })
            .collect();
        let mut encoded = serde_json::to_vec(&(&self.head, heads))?;
        encoded.push(b'\n');
        // Room for the vault's header and tag as well.
        encoded.reserve_exact(self.files.iter().map(|file| file.bytes.len()).sum::<usize>() + 256);
        for file in &self.files {
            encoded.extend_from_slice(&file.bytes);
        }
        Ok(encoded)
    }

    /// `None` when it is not what [`encode`](Self::encode) wrote.
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let end = encoded.iter().position(|byte| *byte == b'\n')?;
        let (head, heads): (Head, Vec<FileHead>) = serde_json::from_slice(&encoded[..end]).ok()?;
        let mut rest = &encoded[end + 1..];
        let mut files = Vec::with_capacity(heads.len());
        for FileHead { filename, content_type, content_id, length } in heads {
            let (bytes, left) = rest.split_at_checked(length)?;
            rest = left;
            files.push(File { filename, content_type, content_id, bytes: bytes.to_vec() });
        }
        rest.is_empty().then_some(Self { head, files })
    }

    /// The files, as a letter takes them.
    pub fn take_attachments(&mut self) -> Vec<Attachment> {
        std::mem::take(&mut self.files)
            .into_iter()
            .map(|File { filename, content_type, content_id, bytes }| Attachment {
                filename,
                content_type,
                content_id,
                content: bytes,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            subject in ".*",
            text in prop::option::of(".*"),
            files in prop::collection::vec((".*", prop::collection::vec(any::<u8>(), 0..50)), 0..4),
            cut in 0_usize..400,
        ) {
            let person = |name: Option<&str>| Person { address: "a@x.example".to_owned(), name: name.map(str::to_owned) };
            let content = Content {
                head: Head {
                    to: vec![person(Some("Élise \n\" "))],
                    cc: vec![person(None)],
                    reply_to: None,
                    subject,
                    text,
                    html: None,
                    language: None,
                    auto_submitted: false,
                    date: Timestamp::UNIX_EPOCH,
                },
                files: files
                    .into_iter()
                    .map(|(filename, bytes)| File {
                        filename,
                        content_type: "a/b".to_owned(),
                        content_id: None,
                        bytes,
                    })
                    .collect(),
            };
            let encoded = content.encode().unwrap();
            prop_assert_eq!(Content::decode(&encoded), Some(content));
            prop_assert!(cut >= encoded.len() || Content::decode(&encoded[..cut]).is_none());
        }
    }
}
