import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import type { MiniBatchFile, ModuleContext } from '../../../shared/scoring/module/scoring-module.ts';

/** Pixels on each side of what the model looks at, and its channels. */
const SIDE = 64;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;

let session: InferenceSession;

export async function init({ model }: ModuleContext): Promise<void> {
  // One thread, as docs/scoring.md says: the other core is for the other process.
  session = await InferenceSession.create(join(model, 'model.onnx'), { intraOpNumThreads: 1 });
}

/**
 * One call of the model for a mini-batch, as in the script it runs against. sharp could resize, too, but for so small a picture libvips
 * takes longer to set its steps up than to run them: 3.9 ms of processor time a picture on a busy machine, and 2.1 this way.
 */
export async function run(miniBatch: readonly MiniBatchFile[]) {
  const values = new Float32Array(miniBatch.length * CHANNELS * PLANE);
  await Promise.all(
    miniBatch.map(async (file, image) => {
      const { data, info } = await sharp(await file.bytes())
        .raw()
        .toBuffer({ resolveWithObject: true });
      const from = image * CHANNELS * PLANE;
      shrink(data, info.height, values.subarray(from, from + CHANNELS * PLANE));
    }),
  );
  const shape = [miniBatch.length, CHANNELS, SIDE, SIDE];
  const { probabilities } = await session.run({ pixels: new Tensor('float32', values, shape) });
  const all = Array.from(probabilities?.data ?? [], Number);
  const classes = all.length / miniBatch.length;
  return miniBatch.map(({ name }, image) => {
    const own = all.slice(image * classes, (image + 1) * classes);
    return { file: name, ...Object.fromEntries(own.map((value, index) => [`probability_${index}`, value])) };
  });
}

/** What each of the SIDE pixels of a line takes of the pixels of a longer one: `taps` weights from `first` on. */
interface Triangles {
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

const triangles = new Map<number, Triangles>();

/** Linear interpolation over as many pixels as become one, like Pillow's BILINEAR. */
function trianglesOf(length: number): Triangles {
  const known = triangles.get(length);
  if (known) return known;
  const scale = length / SIDE;
  const reach = Math.max(1, scale);
  const taps = Math.min(length, Math.ceil(2 * reach));
  const first = new Int32Array(SIDE);
  const weights = new Float32Array(SIDE * taps);
  for (let to = 0; to < SIDE; to++) {
    const centre = (to + 0.5) * scale - 0.5;
    const begin = Math.min(Math.max(0, Math.ceil(centre - reach)), length - taps);
    const own = Array.from({ length: taps }, (_, tap) => Math.max(0, 1 - Math.abs(begin + tap - centre) / reach));
    const sum = own.reduce((all, weight) => all + weight, 0);
    first[to] = begin;
    weights.set(
      own.map((weight) => weight / sum),
      to * taps,
    );
  }
  const made = { taps, first, weights };
  triangles.set(length, made);
  return made;
}

/** A picture whose colours lie side by side, into SIDE × SIDE pixels from 0 to 1; the model wants one plane a colour. */
function shrink(pixels: Uint8Array, lines: number, into: Float32Array): void {
  const stride = pixels.length / lines;
  const down = trianglesOf(lines);
  const across = trianglesOf(stride / CHANNELS);
  const line = new Float32Array(stride);
  for (let y = 0; y < SIDE; y++) {
    line.fill(0);
    for (let tap = 0; tap < down.taps; tap++) {
      const weight = (down.weights[y * down.taps + tap] ?? 0) / 255;
      const from = ((down.first[y] ?? 0) + tap) * stride;
      for (let x = 0; x < stride; x++) line[x] = (line[x] ?? 0) + weight * (pixels[from + x] ?? 0);
    }
    for (let x = 0; x < SIDE; x++) {
      let at = (across.first[x] ?? 0) * CHANNELS;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let tap = x * across.taps; tap < (x + 1) * across.taps; tap++, at += CHANNELS) {
        const weight = across.weights[tap] ?? 0;
        red += weight * (line[at] ?? 0);
        green += weight * (line[at + 1] ?? 0);
        blue += weight * (line[at + 2] ?? 0);
      }
      const pixel = y * SIDE + x;
      into[pixel] = red;
      into[PLANE + pixel] = green;
      into[2 * PLANE + pixel] = blue;
    }
  }
}
