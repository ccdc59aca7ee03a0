//! The directories of a TIFF structure: the pages of a TIFF file, and what a block of EXIF holds.

/// Where the header holds the offset of the first directory.
pub(super) const HEAD: usize = 4;
const NEW_SUBFILE_TYPE: u64 = 254;
const SUBFILE_TYPE: u64 = 255;
const ORIENTATION: u64 = 0x112;

/// What is wanted of a directory.
pub(super) struct Directory {
    /// Where it starts.
    pub(super) offset: u64,
    /// The number of its orientation, if it states one.
    pub(super) orientation: Option<u64>,
    /// False for a smaller copy of another page (a thumbnail) and for a transparency mask.
    pub(super) is_page: bool,
}

/// The directories in order; `None` for one that is not wholly in the file, or when they form a loop.
pub(super) struct Directories<'a> {
    bytes: &'a [u8],
    little: bool,
    next: u64,
    /// Entries that fit into the file; reading more of them means going in circles.
    left: u64,
}

impl<'a> Directories<'a> {
    /// `None` if the bytes do not start as TIFF does.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let little = match bytes.get(..4)? {
            b"II\x2A\0" => true,
            b"MM\0\x2A" => false,
            _ => return None,
        };
        let mut directories = Self {
            bytes,
            little,
            next: 0,
            left: bytes.len() as u64 / 6,
        };
        directories.next = directories.number(HEAD as u64, 4)?;
        Some(directories)
    }

    /// The bytes at [`HEAD`] that make the directory at `offset` the first one.
    pub(super) fn head_pointing_to(&self, offset: u64) -> [u8; 4] {
        let offset = offset as u32;
        match self.little {
            true => offset.to_le_bytes(),
            false => offset.to_be_bytes(),
        }
    }

    fn number(&self, at: u64, width: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let field = self.bytes.get(at..at.checked_add(width)?)?;
        let push = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        Some(if self.little {
            field.iter().rev().fold(0, push)
        } else {
            field.iter().fold(0, push)
        })
    }

    /// The directory at `offset`; the next one's offset is kept.
    fn read(&mut self, offset: u64) -> Option<Directory> {
        let count = self.number(offset, 2)?;
        self.left = self.left.checked_sub(count + 1)?;
        let first = offset + 2;
        let mut directory = Directory {
            offset,
            orientation: None,
            is_page: true,
        };
        for index in 0..count {
            let at = first + index * 12;
            // Whole numbers of 16 and 32 bits.
            let width = match self.number(at + 2, 2)? {
                3 => 2,
                4 => 4,
                _ => continue,
            };
            if self.number(at + 4, 4)? != 1 {
                continue;
            }
            let stated = self.number(at + 8, width)?;
            match self.number(at, 2)? {
                ORIENTATION => directory.orientation = Some(stated),
                NEW_SUBFILE_TYPE => directory.is_page &= stated & 0b101 == 0,
                SUBFILE_TYPE => directory.is_page &= stated != 2,
                _ => {}
            }
        }
        self.next = self.number(first + count * 12, 4)?;
        Some(directory)
    }
}

impl Iterator for Directories<'_> {
    type Item = Option<Directory>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::take(&mut self.next) {
            0 => None,
            offset => Some(self.read(offset)),
        }
    }
}
