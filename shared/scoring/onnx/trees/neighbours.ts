const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

const SMALLEST = 2 ** -149;

/** The largest float32 below `value`; NaN, which is below nothing, when there is none. */
export function nextBelow(value: number): number {
  if (value === -Infinity) return Number.NaN;
  return stepped(value, -1);
}

/** The smallest float32 above `value`; NaN when there is none. */
export function nextAbove(value: number): number {
  if (value === Infinity) return Number.NaN;
  return stepped(value, 1);
}

/** The bits of floats of one sign are in the order of their distance from zero. */
function stepped(value: number, by: 1 | -1): number {
  if (value === 0) return by * SMALLEST;
  float[0] = value;
  bits[0] = (bits[0] ?? 0) + (value > 0 ? by : -by);
  return float[0];
}
