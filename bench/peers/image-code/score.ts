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
      const pixels = shrink(shrink(new Float32Array(data), info.height), SIDE);
      const from = image * CHANNELS * PLANE;
      // The model wants one plane a colour.
      for (let at = 0; at < PLANE; at++)
        for (let colour = 0; colour < CHANNELS; colour++)
          values[from + colour * PLANE + at] = (pixels[at * CHANNELS + colour] ?? 0) / 255;
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

/** SIDE pixels of each line of a picture, whose colours lie side by side. Lines become columns: done twice, it is upright again. */
function shrink(pixels: Float32Array, lines: number): Float32Array {
  const length = pixels.length / CHANNELS / lines;
  const { taps, first, weights } = trianglesOf(length);
  const shrunk = new Float32Array(SIDE * lines * CHANNELS);
  for (let line = 0; line < lines; line++)
    for (let to = 0; to < SIDE; to++) {
      let at = (line * length + (first[to] ?? 0)) * CHANNELS;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let tap = to * taps; tap < (to + 1) * taps; tap++, at += CHANNELS) {
        const weight = weights[tap] ?? 0;
        red += weight * (pixels[at] ?? 0);
        green += weight * (pixels[at + 1] ?? 0);
        blue += weight * (pixels[at + 2] ?? 0);
      }
      const into = (to * lines + line) * CHANNELS;
      shrunk[into] = red;
      shrunk[into + 1] = green;
      shrunk[into + 2] = blue;
    }
  return shrunk;
}
