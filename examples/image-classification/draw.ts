import sharp from 'sharp';

export const SHAPES = ['circle', 'square', 'triangle'] as const;
export type Shape = (typeof SHAPES)[number];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A PNG of 64 × 64: a bright shape of any size, place and colour on a dark ground. */
export async function draw(shape: Shape, next: () => number): Promise<Buffer> {
  const between = (from: number, to: number) => from + next() * (to - from);
  const radius = between(12, 24);
  const [x, y] = [between(radius + 3, 61 - radius), between(radius + 3, 61 - radius)];
  const fill = `hsl(${between(0, 360)}, 60%, ${between(60, 85)}%)`;
  const ground = `hsl(${between(0, 360)}, 40%, ${between(5, 25)}%)`;
  const outline = {
    circle: `<circle cx="${x}" cy="${y}" r="${radius}"/>`,
    square: `<rect x="${x - radius}" y="${y - radius}" width="${2 * radius}" height="${2 * radius}"/>`,
    triangle: `<path d="M${x} ${y - radius} L${x + radius} ${y + radius} L${x - radius} ${y + radius} Z"/>`,
  }[shape];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">
    <rect width="64" height="64" fill="${ground}"/><g fill="${fill}">${outline}</g></svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer();
}
