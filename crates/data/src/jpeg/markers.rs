//! The marker segments: tables, headers, and the scans between them.

use super::JpegError;
use super::frame::Frame;
use super::scan::{Part, Scan, ScanState};
use super::tables::Tables;

/// More scans than any encoder writes; stops files that are all scans.
const MAX_SCANS: usize = 500;

/// A position in the file, and the tables met so far.
pub(super) struct Parser<'a> {
    data: &'a [u8],
    position: usize,
    tables: Tables,
    restart_interval: usize,
    jfif: bool,
    adobe: Option<u8>,
    exif: Option<&'a [u8]>,
    xmp: Option<&'a [u8]>,
}

impl<'a> Parser<'a> {
    /// Starts after the SOI marker.
    pub(super) fn new(data: &'a [u8]) -> Result<Self, JpegError> {
        if !data.starts_with(&[0xFF, 0xD8]) {
            return Err(JpegError::Corrupt("it does not start with a JPEG marker"));
        }
        Ok(Self {
            data,
            position: 2,
            tables: Tables::default(),
            restart_interval: 0,
            jfif: false,
            adobe: None,
            exif: None,
            xmp: None,
        })
    }

    /// True after a JFIF segment.
    pub(super) fn has_jfif(&self) -> bool {
        self.jfif
    }

    /// The transform number of an Adobe segment.
    pub(super) fn adobe_transform(&self) -> Option<u8> {
        self.adobe
    }

    /// The first blocks of EXIF and XMP so far.
    pub(super) fn metadata(&self) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        (self.exif, self.xmp)
    }

    /// The next marker, skipping what is between markers as libjpeg does.
    fn next_marker(&mut self) -> Result<u8, JpegError> {
        loop {
            match (
                self.data.get(self.position),
                self.data.get(self.position + 1),
            ) {
                (Some(0xFF), Some(&code)) if code != 0 && code != 0xFF => {
                    self.position += 2;
                    return Ok(code);
                }
                (Some(_), Some(_)) => self.position += 1,
                _ => return Err(JpegError::Truncated),
            }
        }
    }

    /// The body of the segment here.
    fn segment(&mut self) -> Result<&'a [u8], JpegError> {
        let head = self
            .data
            .get(self.position..self.position + 2)
            .ok_or(JpegError::Truncated)?;
        let length = usize::from(u16::from_be_bytes([head[0], head[1]]));
        if length < 2 {
            return Err(JpegError::Corrupt("a segment length below 2"));
        }
        let body = self
            .data
            .get(self.position + 2..self.position + length)
            .ok_or(JpegError::Truncated)?;
        self.position += length;
        Ok(body)
    }

    /// Reads up to and including the frame header.
    pub(super) fn read_frame_header(&mut self) -> Result<Frame, JpegError> {
        loop {
            match self.next_marker()? {
                code @ 0xC0..=0xC2 => return self.frame(code == 0xC2),
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    return Err(JpegError::Unsupported(
                        "lossless, hierarchical and arithmetic-coded JPEG files are not supported"
                            .into(),
                    ));
                }
                0xD9 | 0xDA => return Err(JpegError::Corrupt("it has no frame header")),
                code => self.table_segment(code)?,
            }
        }
    }

    /// The frame header.
    fn frame(&mut self, progressive: bool) -> Result<Frame, JpegError> {
        let body = self.segment()?;
        let &[precision, h1, h0, w1, w0, count, ref parts @ ..] = body else {
            return Err(JpegError::Corrupt("a short frame header"));
        };
        if precision != 8 {
            return Err(JpegError::Unsupported(format!(
                "JPEG files of {precision} bits per sample are not supported"
            )));
        }
        let (width, height) = (
            usize::from(u16::from_be_bytes([w1, w0])),
            usize::from(u16::from_be_bytes([h1, h0])),
        );
        if width == 0 || height == 0 {
            return Err(JpegError::Corrupt("its width or height is 0"));
        }
        if ![1, 3, 4].contains(&count) {
            return Err(JpegError::Unsupported(format!(
                "JPEG files of {count} components are not supported"
            )));
        }
        if parts.len() != usize::from(count) * 3 {
            return Err(JpegError::Corrupt("a frame header of wrong length"));
        }
        let parts: Vec<_> = parts
            .chunks_exact(3)
            .map(|p| {
                (
                    p[0],
                    usize::from(p[1] >> 4),
                    usize::from(p[1] & 15),
                    usize::from(p[2]),
                )
            })
            .collect();
        if parts
            .iter()
            .any(|&(_, h, v, table)| !(1..=4).contains(&h) || !(1..=4).contains(&v) || table > 3)
        {
            return Err(JpegError::Corrupt(
                "an impossible sampling factor or table number",
            ));
        }
        Ok(Frame::new(width, height, progressive, &parts))
    }

    /// Tables and application data.
    fn table_segment(&mut self, code: u8) -> Result<(), JpegError> {
        match code {
            0x01 | 0xD0..=0xD8 => return Ok(()),
            0xDB => {
                let body = self.segment()?;
                return self.tables.quantisation(body);
            }
            0xC4 => {
                let body = self.segment()?;
                return self.tables.huffman(body);
            }
            0xDD => match *self.segment()? {
                [high, low] => self.restart_interval = usize::from(u16::from_be_bytes([high, low])),
                _ => return Err(JpegError::Corrupt("a restart interval of wrong length")),
            },
            0xE0 => self.jfif |= self.segment()?.starts_with(b"JFIF\0"),
            0xE1 => {
                let body = self.segment()?;
                if body.starts_with(b"Exif\0\0") {
                    self.exif = self.exif.or(Some(body));
                } else if body.starts_with(b"http://ns.adobe.com/xap/1.0/\0") {
                    self.xmp = self.xmp.or(Some(body));
                }
            }
            0xEE => {
                let body = self.segment()?;
                if body.len() >= 12 && body.starts_with(b"Adobe") {
                    self.adobe = Some(body[11]);
                }
            }
            _ => drop(self.segment()?),
        }
        Ok(())
    }

    /// Reads every scan up to the end of the file and fills the planes.
    pub(super) fn read_scans(&mut self, frame: &mut Frame) -> Result<(), JpegError> {
        frame.reserve();
        let mut state = ScanState::new(frame);
        for _ in 0..MAX_SCANS {
            loop {
                match self.next_marker() {
                    Ok(0xDA) => break,
                    Ok(0xD9) => return state.finish(frame),
                    Ok(0xC0..=0xC2) => return Err(JpegError::Corrupt("a second frame header")),
                    Ok(code) => self.table_segment(code)?,
                    // A missing end marker after all the data hurts nobody.
                    Err(JpegError::Truncated) if state.is_complete() => return state.finish(frame),
                    Err(error) => return Err(error),
                }
            }
            let body = self.segment()?;
            let scan = self.scan(body, frame)?;
            self.position = state.read(frame, &scan, self.data, self.position)?;
        }
        Err(JpegError::Corrupt("too many scans"))
    }

    /// A scan header, with the tables that it refers to.
    fn scan(&self, body: &[u8], frame: &mut Frame) -> Result<Scan<'_>, JpegError> {
        let wrong = JpegError::Corrupt("an impossible scan header");
        let Some((&count, rest)) = body.split_first() else {
            return Err(wrong);
        };
        let count = usize::from(count);
        if !(1..=4).contains(&count) || rest.len() != count * 2 + 3 {
            return Err(wrong);
        }
        let mut parts = Vec::with_capacity(count);
        for pair in rest[..count * 2].chunks_exact(2) {
            let index = frame
                .components
                .iter()
                .position(|component| component.id == pair[0]);
            let Some(index) =
                index.filter(|&index| parts.iter().all(|part: &Part<'_>| part.component != index))
            else {
                return Err(wrong);
            };
            let component = &mut frame.components[index];
            if component.quantisers.is_none() {
                component.quantisers = self.tables.quantisers(component.table);
            }
            if component.quantisers.is_none() {
                return Err(JpegError::Corrupt("a quantisation table is missing"));
            }
            let (dc, ac) = self.tables.pair(pair[1]);
            parts.push(Part {
                component: index,
                dc,
                ac,
            });
        }
        let (start, end, approximation) =
            (rest[count * 2], rest[count * 2 + 1], rest[count * 2 + 2]);
        let (high, low) = (u32::from(approximation >> 4), u32::from(approximation & 15));
        let scan = Scan {
            parts,
            start: start.into(),
            end: end.into(),
            high,
            low,
            restart_interval: self.restart_interval,
        };
        scan.check(frame.progressive)?;
        Ok(scan)
    }
}
