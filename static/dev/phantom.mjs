/** Invented volumes for work on the reading page: a head-like shape with marks that tell sides. */

/** Extent of the head in the case frame: LPS mm, x to Left, y to Posterior, z to Superior. */
const HEAD = { centre: [0, 10, 20], radii: [74, 98, 78] };
/** A bright ball at a known place: left, anterior, superior. */
export const MARKER = { centre: [42, -38, 52], radius: 7 };

function noise(seed) {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 16777216;
  };
}

function inside(at, centre, radii) {
  return (
    ((at[0] - centre[0]) / radii[0]) ** 2 +
      ((at[1] - centre[1]) / radii[1]) ** 2 +
      ((at[2] - centre[2]) / radii[2]) ** 2 <=
    1
  );
}

const ORDER = {
  axial: { slice: [2, 1], row: [1, 1], column: [0, 1] },
  coronal: { slice: [1, 1], row: [2, -1], column: [0, 1] },
  sagittal: { slice: [0, 1], row: [2, -1], column: [1, 1] },
};

/** Fills a slab from a function of the position in mm. */
export function fillSlab({ plane, shape, spacing_mm, origin_mm }, valueAt) {
  const [slices, rows, columns] = shape;
  const { slice, row, column } = ORDER[plane];
  const slab = new Int16Array(slices * rows * columns);
  const at = [...origin_mm];
  for (let k = 0, i = 0; k < slices; k++) {
    at[slice[0]] = origin_mm[slice[0]] + slice[1] * k * spacing_mm[0];
    for (let r = 0; r < rows; r++) {
      at[row[0]] = origin_mm[row[0]] + row[1] * r * spacing_mm[1];
      for (let c = 0; c < columns; c++, i++) {
        at[column[0]] = origin_mm[column[0]] + column[1] * c * spacing_mm[2];
        slab[i] = valueAt(at);
      }
    }
  }
  return slab;
}

const lesionAt = (seed) => [40, -10 + (seed % 5) * 8, 28];

/** Ventricles, a ring at the patient's left, a bar at the anterior right, and the marker. */
export function headValue(seed, contrast) {
  const random = noise(seed);
  const lesion = lesionAt(seed);
  return (at) => {
    if (!inside(at, HEAD.centre, HEAD.radii)) return 0;
    const [x, y, z] = at;
    const wave = Math.sin(x / 6 + seed) * Math.cos(y / 7) * Math.sin(z / 9 + seed);
    let value = 900 * contrast + 220 * wave + 120 * random();
    if (inside(at, [-10, 10, 24], [7, 30, 28]) || inside(at, [10, 10, 24], [7, 30, 28]))
      value = 250;
    if (inside(at, lesion, [22, 22, 28])) value = inside(at, lesion, [16, 16, 20]) ? 500 : 2600;
    if (x > -48 && x < -40 && y > -58 && y < -28 && z > -20 && z < 60) value = 3000;
    if (Math.hypot(...at.map((v, i) => v - MARKER.centre[i])) <= MARKER.radius) value = 4000;
    return Math.max(1, Math.min(4095, Math.round(value)));
  };
}

/** A perfusion-like map: high in the rim of the lesion. */
export function mapValue(seed) {
  const head = headValue(seed, 1);
  const lesion = lesionAt(seed);
  return (at) => {
    const level = head(at);
    if (level === 0) return 0;
    const wave = Math.sin(at[0] / 9 + seed) * Math.cos(at[1] / 11) * Math.sin(at[2] / 13);
    const rim = inside(at, lesion, [24, 24, 30]) && !inside(at, lesion, [16, 16, 20]);
    return Math.round(rim ? 3400 : level === 250 ? 150 : 1100 + 500 * wave);
  };
}

/** Labels 1 (rim) and 2 (core) of the lesion. */
export function labelValue(seed) {
  const lesion = lesionAt(seed);
  return (at) => {
    if (inside(at, lesion, [16, 16, 20])) return 2;
    return inside(at, lesion, [22, 22, 28]) ? 1 : 0;
  };
}

/** First-paint pack of four centre slices, then chunks of up to 16 from the centre outwards. */
export function makeChunks(nz) {
  if (nz === 1) return [[0, 1]];
  const middle = Math.floor(nz / 2);
  const chunks = [[Math.max(0, middle - 2), Math.min(nz, middle + 2)]];
  let [low, high] = chunks[0];
  while (low > 0 || high < nz) {
    if (high < nz) {
      chunks.push([high, Math.min(nz, high + 16)]);
      high = Math.min(nz, high + 16);
    }
    if (low > 0) {
      chunks.push([Math.max(0, low - 16), low]);
      low = Math.max(0, low - 16);
    }
  }
  return chunks;
}
