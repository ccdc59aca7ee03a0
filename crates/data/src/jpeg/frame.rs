//! The picture under construction: its components, their coefficients and planes.

/// One colour component.
pub(super) struct Component {
    pub(super) id: u8,
    /// Horizontal and vertical sampling factors, 1 to 4.
    pub(super) h: usize,
    pub(super) v: usize,
    /// Number of its quantisation table.
    pub(super) table: usize,
    /// Its quantisation table in natural order, saved when its first scan starts.
    pub(super) quantisers: Option<[i32; 64]>,
    /// Size in samples.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Size in blocks that hold samples (what a scan of this component alone codes).
    pub(super) blocks_wide: usize,
    pub(super) blocks_high: usize,
    /// Size in blocks padded to whole MCUs.
    pub(super) padded_wide: usize,
    pub(super) padded_high: usize,
    /// Samples, `padded_high * 8` rows of `padded_wide * 8`.
    pub(super) plane: Vec<u8>,
    /// Coefficients of the whole picture in natural order; only for files of several scans.
    pub(super) coefficients: Vec<i16>,
}

impl Component {
    /// Length of a row of the plane.
    pub(super) fn stride(&self) -> usize {
        self.padded_wide * 8
    }

    /// Row `y` of the plane.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.plane[y * self.stride()..][..self.stride()]
    }
}

/// The frame header and its components.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) progressive: bool,
    pub(super) h_max: usize,
    pub(super) v_max: usize,
    /// Size in MCUs.
    pub(super) mcus_wide: usize,
    pub(super) mcus_high: usize,
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// Lays out the components (id, h, v, table); memory is reserved later, by [`reserve`](Self::reserve).
    pub(super) fn new(
        width: usize,
        height: usize,
        progressive: bool,
        parts: &[(u8, usize, usize, usize)],
    ) -> Self {
        let h_max = parts.iter().map(|part| part.1).max().unwrap_or(1);
        let v_max = parts.iter().map(|part| part.2).max().unwrap_or(1);
        let (mcus_wide, mcus_high) = (width.div_ceil(8 * h_max), height.div_ceil(8 * v_max));
        let components = parts
            .iter()
            .map(|&(id, h, v, table)| {
                let (own_width, own_height) =
                    ((width * h).div_ceil(h_max), (height * v).div_ceil(v_max));
                Component {
                    id,
                    h,
                    v,
                    table,
                    quantisers: None,
                    width: own_width,
                    height: own_height,
                    blocks_wide: own_width.div_ceil(8),
                    blocks_high: own_height.div_ceil(8),
                    padded_wide: mcus_wide * h,
                    padded_high: mcus_high * v,
                    plane: Vec::new(),
                    coefficients: Vec::new(),
                }
            })
            .collect();
        Self {
            width,
            height,
            progressive,
            h_max,
            v_max,
            mcus_wide,
            mcus_high,
            components,
        }
    }

    /// Reserves the planes.
    pub(super) fn reserve(&mut self) {
        for component in &mut self.components {
            component.plane = vec![0; component.padded_wide * component.padded_high * 64];
        }
    }

    /// Reserves coefficients of the whole picture.
    pub(super) fn reserve_coefficients(&mut self) {
        for component in &mut self.components {
            component.coefficients = vec![0; component.padded_wide * component.padded_high * 64];
        }
    }
}
