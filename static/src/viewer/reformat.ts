/** The same voxels cut in another plane: exact, since all planes follow the voxel axes. */
import { AXES, type Axis, type Grid, type Plane, type Vec3, voxelPosition } from "./geometry";

interface Along {
  readonly count: number;
  readonly spacing: number;
  readonly stride: number;
  readonly sign: 1 | -1;
  /** 0 for the slices of the stored block, 1 for its rows, 2 for its columns. */
  readonly order: number;
}

/** What the stored block holds along each axis of the patient. */
function alongAxes(grid: Grid): Record<0 | 1 | 2, Along> {
  const { slice, row, column } = AXES[grid.plane];
  const [slices, rows, columns] = grid.shape;
  const strides = [rows * columns, columns, 1];
  const found = {} as Record<0 | 1 | 2, Along>;
  [slice, row, column].forEach(({ axis, sign }, order) => {
    found[axis] = {
      count: [slices, rows, columns][order] as number,
      spacing: grid.spacing[order] as number,
      stride: strides[order] as number,
      sign,
      order,
    };
  });
  return found;
}

/** Geometry of the block seen in a plane. */
export function gridIn(grid: Grid, plane: Plane): Grid {
  if (grid.plane === plane) return grid;
  const along = alongAxes(grid);
  const last = voxelPosition(grid, grid.shape[0] - 1, grid.shape[1] - 1, grid.shape[2] - 1);
  const { slice, row, column } = AXES[plane];
  const origin: [number, number, number] = [0, 0, 0];
  for (const { axis, sign } of [slice, row, column]) {
    origin[axis] = along[axis].sign === sign ? grid.origin[axis] : last[axis];
  }
  const of = (key: "count" | "spacing"): [number, number, number] => [
    along[slice.axis][key],
    along[row.axis][key],
    along[column.axis][key],
  ];
  return { plane, shape: of("count"), spacing: of("spacing"), origin };
}

/** Start and step in the stored block when an index of the plane grows. */
function walk(along: Along, { sign }: Axis): { start: number; step: number } {
  if (along.sign === sign) return { start: 0, step: along.stride };
  return { start: (along.count - 1) * along.stride, step: -along.stride };
}

/** Pixels of one slice of a plane; a view where the block is stored in that plane, else a copy. */
export function section(block: Int16Array, grid: Grid, plane: Plane, slice: number): Int16Array {
  const size = grid.shape[1] * grid.shape[2];
  if (grid.plane === plane) return block.subarray(slice * size, (slice + 1) * size);
  const along = alongAxes(grid);
  const axes = AXES[plane];
  const across = walk(along[axes.slice.axis], axes.slice);
  const down = walk(along[axes.row.axis], axes.row);
  const right = walk(along[axes.column.axis], axes.column);
  const rows = along[axes.row.axis].count;
  const columns = along[axes.column.axis].count;
  const pixels = new Int16Array(rows * columns);
  const first = across.start + slice * across.step + down.start + right.start;
  for (let row = 0, at = 0; row < rows; row++) {
    let from = first + row * down.step;
    for (let column = 0; column < columns; column++, at++, from += right.step) {
      pixels[at] = block[from] as number;
    }
  }
  return pixels;
}

/** Half-open range of patient positions that a run of stored slices fills, as two corners. */
export function slabCorners(grid: Grid, from: number, to: number): readonly [Vec3, Vec3] {
  const axes = AXES[grid.plane];
  const orders = [axes.slice, axes.row, axes.column];
  const low = [...voxelPosition(grid, from, 0, 0)] as [number, number, number];
  const high = [...voxelPosition(grid, to - 1, grid.shape[1] - 1, grid.shape[2] - 1)] as [
    number,
    number,
    number,
  ];
  orders.forEach(({ axis, sign }, order) => {
    const half = (sign * (grid.spacing[order] as number)) / 2;
    low[axis] -= half;
    high[axis] += half;
  });
  return [low, high];
}
