//! The directories of a TIFF structure: the pages of a TIFF file, and what a block of EXIF holds.

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
    /// BigTIFF: 64-bit offsets.
    wide: bool,
    next: u64,
    /// Entries that fit into the file; reading more of them means going in circles.
    left: u64,
}

impl<'a> Directories<'a> {
    /// `None` if the bytes do not start as TIFF does.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (little, wide) = match bytes.get(..4)? {
            b"II\x2A\0" => (true, false),
            b"MM\0\x2A" => (false, false),
            b"II\x2B\0" => (true, true),
            b"MM\0\x2B" => (false, true),
            _ => return None,
        };
        let mut directories = Self {
            bytes,
            little,
            wide,
            next: 0,
            left: bytes.len() as u64 / 6,
        };
        let (at, width) = directories.head();
        directories.next = directories.number(at, width)?;
        Some(directories)
    }

    /// Where the header holds the offset of the first directory, and its width in bytes.
    fn head(&self) -> (u64, usize) {
        if self.wide { (8, 8) } else { (4, 4) }
    }

    /// The bytes of the header that make the directory at `offset` the first one, and where they belong.
    pub(super) fn head_pointing_to(&self, offset: u64) -> (usize, Vec<u8>) {
        let (at, width) = self.head();
        let mut field = offset.to_le_bytes()[..width].to_vec();
        if !self.little {
            field.reverse();
        }
        (at as usize, field)
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
        let (head, entry, value, pointer) = if self.wide {
            (8, 20, 12, 8)
        } else {
            (2, 12, 8, 4)
        };
        let count = self.number(offset, head)?;
        self.left = self.left.checked_sub(count.checked_add(1)?)?;
        let first = offset.checked_add(head as u64)?;
        let end = first.checked_add(count.checked_mul(entry)?)?;
        let mut directory = Directory {
            offset,
            orientation: None,
            is_page: true,
        };
        for index in 0..count {
            let at = first + index * entry;
            // Whole numbers of 16 and 32 bits.
            let width = match self.number(at + 2, 2)? {
                3 => 2,
                4 => 4,
                _ => continue,
            };
            if self.number(at + 4, (value - 4) as usize)? != 1 {
                continue;
            }
            let stated = self.number(at + value, width)?;
            match self.number(at, 2)? {
                ORIENTATION => directory.orientation = Some(stated),
                NEW_SUBFILE_TYPE => directory.is_page &= stated & 0b101 == 0,
                SUBFILE_TYPE => directory.is_page &= stated != 2,
                _ => {}
            }
        }
        self.next = self.number(end, pointer)?;
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
