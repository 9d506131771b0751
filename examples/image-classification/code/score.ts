import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import type { MiniBatchFile, ModuleContext, RunContext } from '../../../shared/scoring/module/scoring-module.ts';

/** Pixels on each side of what the model looks at. */
const SIDE = 32;

let session: InferenceSession;
let labels: string[];

export async function init({ model, logger }: ModuleContext): Promise<void> {
  // The folder `shapes` was registered as the model, so it lies here under this name.
  // One thread: the other cores are for the other processes.
  session = await InferenceSession.create(join(model, 'shapes', 'model.onnx'), { intraOpNumThreads: 1 });
  labels = (await readFile(join(model, 'shapes', 'labels.txt'), 'utf8')).trim().split('\n');
  logger.info(`The model tells ${labels.join(', ')}.`);
}

export async function* run(miniBatch: readonly MiniBatchFile[], { signal, logger }: RunContext) {
  for (const file of miniBatch) {
    signal.throwIfAborted();
    const { probabilities } = await session.run({ pixels: await pixels(file) });
    const all = Array.from(probabilities?.data ?? [], Number);
    const best = all.indexOf(Math.max(...all));
    if ((all[best] ?? 0) < 0.6) logger.warn(`${file.name} may be anything`);
    yield { file: file.name, label: labels[best], probability: all[best]?.toFixed(3) };
  }
}

/** Any image that sharp reads, as 32 × 32 grey values from 0 to 1. */
async function pixels(file: MiniBatchFile): Promise<Tensor> {
  const grey = await sharp(await file.bytes())
    .resize(SIDE, SIDE, { fit: 'fill' })
    .greyscale()
    .raw()
    .toBuffer();
  return new Tensor(
    'float32',
    Float32Array.from(grey, (value) => value / 255),
    [1, 1, SIDE, SIDE],
  );
}
