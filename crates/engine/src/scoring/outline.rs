//! The outlines of what is set in a grid, along the edges of its cells.

/// A closed line through corners of cells: `[x, y]` is the upper left corner of cell (x, y). The last corner is followed by the first.
pub type Outline = Vec<[u32; 2]>;

/// Cells that are set or not, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    cells: &'a [bool],
    width: usize,
}

impl<'a> Grid<'a> {
    /// # Panics
    /// If the cells do not fill rows of that width.
    pub fn new(cells: &'a [bool], width: usize) -> Self {
        assert!(
            width > 0 && cells.len().is_multiple_of(width),
            "{} cells in rows of {width}",
            cells.len()
        );
        Self { cells, width }
    }

    /// Cells in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.cells.len() / self.width
    }

    /// Whether a cell is set; those outside are not.
    pub fn is_set(&self, x: i64, y: i64) -> bool {
        let (width, height) = (self.width as i64, self.height() as i64);
        (0..width).contains(&x) && (0..height).contains(&y) && self.cells[(y * width + x) as usize]
    }

    /// The outlines of all 8-connected regions and of their holes, without corners that are less than `tolerance` cells off the line
    /// between others.
    pub fn outlines(&self, tolerance: f64) -> Vec<Outline> {
        let mut seen = vec![false; self.cells.len()];
        let mut found = Vec::new();
        for start in 0..self.cells.len() {
            let (x, y) = ((start % self.width) as i64, (start / self.width) as i64);
            if self.is_set(x, y) && !self.is_set(x, y - 1) && !seen[start] {
                let outline = self.trace(x, y, |x, y| {
                    seen[y as usize * self.width + x as usize] = true
                });
                found.push(simplified(&outline, tolerance));
            }
        }
        found
    }

    /// The outline along the upper edge of a set cell below one that is not. What is set lies on its right; `seen` is told of every cell
    /// whose upper edge it passes.
    pub(crate) fn trace(&self, x: i64, y: i64, mut seen: impl FnMut(i64, i64)) -> Outline {
        let mut outline = Outline::new();
        let start = ([x, y], RIGHT);
        let ([mut x, mut y], mut way) = start;
        loop {
            if way == RIGHT {
                seen(x, y);
            }
            let [dx, dy] = STEPS[way];
            (x, y) = (x + dx, y + dy);
            // The cells ahead, on the left and on the right of the way.
            let [left, right] = AHEAD[way].map(|[dx, dy]| self.is_set(x + dx, y + dy));
            let next = match (left, right) {
                // To the left where cells touch by their corners: they are neighbours.
                (true, _) => (way + 3) % 4,
                (false, true) => way,
                (false, false) => (way + 1) % 4,
            };
            if next != way {
                outline.push([x as u32, y as u32]);
            }
            way = next;
            if ([x, y], way) == start {
                return outline;
            }
        }
    }
}

const RIGHT: usize = 0;
/// Right, down, left, up.
const STEPS: [[i64; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];
/// From a corner, the cells ahead on the left and on the right of each way.
const AHEAD: [[[i64; 2]; 2]; 4] = [
    [[0, -1], [0, 0]],
    [[0, 0], [-1, 0]],
    [[-1, 0], [-1, -1]],
    [[-1, -1], [0, -1]],
];

/// Leaves corners out that are less than `tolerance` off the line between those that stay (Ramer 1972; Douglas and Peucker 1973).
pub(crate) fn simplified(outline: &[[u32; 2]], tolerance: f64) -> Outline {
    if outline.len() < 4 {
        return outline.to_vec();
    }
    // What is thin keeps its two sides.
    let side = |axis: usize| {
        let along = outline.iter().map(|corner| corner[axis]);
        let low = along.clone().min().unwrap_or(0);
        f64::from(along.max().unwrap_or(low) - low)
    };
    let tolerance = tolerance.min(side(0).min(side(1)) / 4.0);
    let far = |&index: &usize| distance(outline[index], outline[0], outline[0]);
    let opposite = (1..outline.len())
        .max_by(|a, b| far(a).total_cmp(&far(b)))
        .unwrap_or(1);
    let mut kept = vec![false; outline.len() + 1];
    kept[0] = true;
    kept[opposite] = true;
    let corner = |index: usize| outline[index % outline.len()];
    let mut parts = vec![(0, opposite), (opposite, outline.len())];
    while let Some((from, to)) = parts.pop() {
        let off = |&index: &usize| distance(corner(index), corner(from), corner(to));
        if let Some(middle) = (from + 1..to).max_by(|a, b| off(a).total_cmp(&off(b)))
            && off(&middle) > tolerance
        {
            kept[middle] = true;
            parts.extend([(from, middle), (middle, to)]);
        }
    }
    let corners = outline.iter().zip(kept).filter(|(_, kept)| *kept);
    let corners: Outline = corners.map(|(corner, _)| *corner).collect();
    // A line has no inside.
    if corners.len() < 3 {
        return outline.to_vec();
    }
    corners
}

/// The distance of a point from the line between two others, or from them where they are the same.
fn distance(point: [u32; 2], from: [u32; 2], to: [u32; 2]) -> f64 {
    let [point, from, to] = [point, from, to].map(|corner| corner.map(f64::from));
    let along = [to[0] - from[0], to[1] - from[1]];
    let off = [point[0] - from[0], point[1] - from[1]];
    let length = along[0].hypot(along[1]);
    if length == 0.0 {
        return off[0].hypot(off[1]);
    }
    (along[0] * off[1] - along[1] * off[0]).abs() / length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &[&str]) -> (Vec<bool>, usize) {
        let cells = rows
            .iter()
            .flat_map(|row| row.chars().map(|cell| cell == '#'));
        (cells.collect(), rows[0].len())
    }

    /// Twice the area inside; negative around a hole.
    fn doubled_area(outline: &Outline) -> i64 {
        let next = outline.iter().cycle().skip(1);
        let pairs = outline.iter().zip(next);
        pairs
            .map(|(a, b)| i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1]))
            .sum()
    }

    #[test]
    fn an_outline_goes_along_the_edges_of_cells() {
        let (cells, width) = cells(&["....", ".##.", "...."]);
        let outlines = Grid::new(&cells, width).outlines(0.5);
        assert_eq!(outlines, [vec![[3, 1], [3, 2], [1, 2], [1, 1]]]);
    }

    #[test]
    fn cells_that_touch_by_corners_have_one_outline_and_holes_their_own() {
        let (slanted, width) = cells(&["#..", ".#.", "..#"]);
        assert_eq!(Grid::new(&slanted, width).outlines(0.0).len(), 1);
        let (ring, width) = cells(&["###", "#.#", "###"]);
        let outlines = Grid::new(&ring, width).outlines(0.0);
        let areas: Vec<i64> = outlines.iter().map(doubled_area).collect();
        assert_eq!(areas, [18, -2]);
    }

    #[test]
    fn all_that_is_set_is_inside() {
        // Any pattern of 4 x 4 cells: areas of outlines and holes add up to the number of cells.
        for pattern in 0..1_u32 << 16 {
            let cells: Vec<bool> = (0..16).map(|bit| pattern >> bit & 1 == 1).collect();
            let outlines = Grid::new(&cells, 4).outlines(0.0);
            let area: i64 = outlines.iter().map(doubled_area).sum();
            assert_eq!(area, 2 * i64::from(pattern.count_ones()), "{pattern:016b}");
        }
    }

    #[test]
    fn stairs_become_a_slope() {
        let width = 20;
        let cells: Vec<bool> = (0..400).map(|at| at % width <= at / width).collect();
        let outline = Grid::new(&cells, width).outlines(1.0).remove(0);
        assert!(outline.len() <= 5, "{outline:?}");
    }
}
