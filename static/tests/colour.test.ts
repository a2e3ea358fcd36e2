import { describe, expect, it } from "vitest";
import { windowed } from "../src/viewer/canvas";
import { labOf, type MapName, tableOf } from "../src/viewer/colour";

const rgb = (map: MapName, at: number) => [...tableOf(map).subarray(at * 3, at * 3 + 3)];

/** CIE lightness from the definition of sRGB and L*, independent of the code under test. */
function lightness([r = 0, g = 0, b = 0]: number[]): number {
  const lin = (c: number) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const y = 0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b);
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (24389 / 27) * y;
}

const lightnesses = (map: MapName) =>
  Array.from({ length: 256 }, (_, at) => lightness(rgb(map, at)));

describe("colour maps", () => {
  it("convert known colours to L*a*b*", () => {
    // Bruce Lindbloom's reference values for the primaries of sRGB, D65.
    const [l, a, b] = labOf([1, 0, 0]);
    expect(l).toBeCloseTo(53.24, 1);
    expect(a).toBeCloseTo(80.09, 1);
    expect(b).toBeCloseTo(67.2, 1);
    expect(labOf([1, 1, 1])[0]).toBeCloseTo(100, 3);
  });

  it.each(["inferno", "viridis"] as const)("grow evenly in lightness: %s", (map) => {
    const found = lightnesses(map);
    const step = ((found[255] as number) - (found[0] as number)) / 255;
    expect(step).toBeGreaterThan(0.25);
    found.forEach((value, at) => {
      expect(Math.abs(value - ((found[0] as number) + step * at))).toBeLessThan(1.2);
    });
  });

  it("begin and end as their names promise", () => {
    expect(rgb("inferno", 0)).toEqual([0, 0, 4]);
    expect(rgb("inferno", 255)).toEqual([252, 255, 164]);
    expect(rgb("viridis", 0)).toEqual([68, 1, 84]);
    expect(rgb("viridis", 255)).toEqual([253, 231, 37]);
    expect(rgb("grey", 128)).toEqual([128, 128, 128]);
  });

  it("show differences of both signs as equally bright, blue below and orange above", () => {
    const found = lightnesses("difference");
    for (let at = 0; at < 128; at++) {
      expect(Math.abs((found[at] as number) - (found[255 - at] as number))).toBeLessThan(8);
    }
    const [below, above] = [rgb("difference", 0), rgb("difference", 255)];
    expect(below[2]).toBeGreaterThan(below[0] as number);
    expect(above[0]).toBeGreaterThan(above[2] as number);
    expect(Math.min(...found)).toBe(Math.min(...found.slice(120, 136)));
  });
});

describe("window", () => {
  const levels = new Int16Array([0, 500, 1000, 1500, 4095]);
  const window = { width: 1000, level: 1000 };

  it("maps the window linearly to 0 to 255 and inverts", () => {
    const out = new Uint8ClampedArray(20);
    windowed(levels, window, "grey", false, out);
    expect([out[0], out[4], out[8], out[12], out[16]]).toEqual([0, 0, 128, 255, 255]);
    windowed(levels, window, "grey", true, out);
    expect([out[0], out[4], out[12]]).toEqual([255, 255, 0]);
  });

  it("takes colours from the table", () => {
    const out = new Uint8ClampedArray(20);
    windowed(levels, window, "inferno", false, out);
    expect([...out.subarray(4, 8)]).toEqual([0, 0, 4, 255]);
    expect([...out.subarray(12, 16)]).toEqual([252, 255, 164, 255]);
  });
});
