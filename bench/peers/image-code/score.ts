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

/** One call of the model for a mini-batch, as in the script it runs against. */
export async function run(miniBatch: readonly MiniBatchFile[]) {
  const values = new Float32Array(miniBatch.length * CHANNELS * PLANE);
  await Promise.all(
    miniBatch.map(async ({ path }, image) => {
      const pixels = await sharp(path).resize(SIDE, SIDE, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
      const from = image * CHANNELS * PLANE;
      // The model wants one plane a colour.
      for (let at = 0; at < pixels.length; at++)
        values[from + (at % CHANNELS) * PLANE + Math.floor(at / CHANNELS)] = (pixels[at] ?? 0) / 255;
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
