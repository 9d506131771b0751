import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../cli/stack.ts';

const fixture = (model: string, file: string): Buffer =>
  readFileSync(join(PROJECT, 'test/fixtures/models', model, file));

/** The small real models of test/fixtures (scikit-learn to ONNX), with a sample and what Python's onnxruntime predicts for it. */
export const model = (name: 'matrix' | 'one-input-per-column') => ({
  files: { 'model.onnx': fixture(name, 'model.onnx'), MLmodel: fixture(name, 'MLmodel') },
  sample: fixture(name, 'sample.csv').toString('utf8'),
  expected: fixture(name, 'expected.csv').toString('utf8'),
});
