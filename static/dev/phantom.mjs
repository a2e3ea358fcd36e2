/** Invented volumes for work on the reading page: a head-like shape with marks that tell sides. */

export const SHAPE = [80, 216, 176];
export const SPACING = [2, 1, 1];

function noise(seed) {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 16777216;
  };
}

function inside(x, y, z, cx, cy, cz, rx, ry, rz) {
  return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1;
}

/** One int16 volume: ventricles, a ring at the patient's left, a bar at the anterior right. */
export function makeVolume(seed, contrast) {
  const [nz, ny, nx] = SHAPE;
  const random = noise(seed);
  const volume = new Int16Array(nz * ny * nx);
  const ringY = 90 + (seed % 5) * 8;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        if (!inside(x, y, z, 88, 108, 40, 74, 98, 39)) continue;
        const wave = Math.sin(x / 6 + seed) * Math.cos(y / 7) * Math.sin(z / 5 + seed);
        let value = 900 * contrast + 220 * wave + 120 * random();
        if (inside(x, y, z, 78, 108, 42, 7, 30, 14)) value = 250;
        if (inside(x, y, z, 98, 108, 42, 7, 30, 14)) value = 250;
        const ring = inside(x, y, z, 128, ringY, 44, 22, 22, 14);
        if (ring) value = inside(x, y, z, 128, ringY, 44, 16, 16, 10) ? 500 : 2600;
        if (x > 40 && x < 48 && y > 40 && y < 70 && z > 20 && z < 60) value = 3000;
        volume[(z * ny + y) * nx + x] = Math.max(1, Math.min(4095, Math.round(value)));
      }
    }
  }
  return volume;
}

/** First-paint pack of four centre slices, then chunks of up to 16 from the centre outwards. */
export function makeChunks(nz) {
  const middle = Math.floor(nz / 2);
  const chunks = [[middle - 2, middle + 2]];
  let low = middle - 2;
  let high = middle + 2;
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
