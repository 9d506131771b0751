import sharp from 'sharp';

const WIDTH = 160;
const HEIGHT = 120;
const SHAPES = 12;

/** A JPEG of some circles in front of a gradient; the same `seed` gives the same bytes. */
export async function picture(seed: number): Promise<Buffer> {
  let state = seed + 1;
  // Lehmer's generator, as for the numbers.
  const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  const colour = (): string => `rgb(${random(256)},${random(256)},${random(256)})`;
  const circle = (): string =>
    `<circle cx="${random(WIDTH)}" cy="${random(HEIGHT)}" r="${5 + random(30)}" fill="${colour()}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <linearGradient id="sky"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>
    <rect width="100%" height="100%" fill="url(#sky)"/>${Array.from({ length: SHAPES }, circle).join('')}</svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}
