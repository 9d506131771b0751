import { describe, expect, test } from 'vitest';
import { parseMlmodel } from '../../../shared/scoring/mlmodel.ts';

describe('parseMlmodel', () => {
  test('reads flavours, the path of the ONNX file and the columns of the signature', () => {
    const text = `
flavors:
  onnx: {data: model/m.onnx, onnx_version: 1.16.0}
  python_function: {loader_module: mlflow.onnx}
signature:
  inputs: '[{"type": "double", "name": "age"}, {"type": "string", "name": "thal", "required": false}]'
  outputs: '[{"type": "array", "items": {"type": "float"}, "name": "p", "required": true}]'
`;
    expect(parseMlmodel(text)).toEqual({
      flavors: {
        onnx: { data: 'model/m.onnx', onnx_version: '1.16.0' },
        python_function: { loader_module: 'mlflow.onnx' },
      },
      onnxPath: 'model/m.onnx',
      signature: {
        inputs: [
          { name: 'age', type: 'double', required: true },
          { name: 'thal', type: 'string', required: false },
        ],
        outputs: [{ name: 'p', type: 'array', required: true }],
      },
    });
  });

  test('tensors and unnamed columns name nothing', () => {
    const text = `
flavors: {onnx: {data: model.onnx}}
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}}]'
  outputs: '[{"type": "long"}]'
`;
    expect(parseMlmodel(text).signature).toEqual({ inputs: [], outputs: [] });
  });

  test('neither signature nor ONNX flavour are needed', () => {
    expect(parseMlmodel('flavors: {sklearn: {pickled_model: model.pkl}}')).toEqual({
      flavors: { sklearn: { pickled_model: 'model.pkl' } },
      onnxPath: undefined,
      signature: undefined,
    });
  });

  test.each([
    ['a: [', /^MLmodel is not YAML: /],
    ['', /^MLmodel: /],
    ['flavours: {}', /^MLmodel flavors: /],
    ['{flavors: {onnx: {data: ../other.onnx}}}', /must be a path inside the model's folder, got "\.\.\/other\.onnx"/],
    ['{flavors: {onnx: {data: /etc/passwd}}}', /must be a path inside the model's folder/],
    [`{flavors: {}, signature: {inputs: '[{'}}`, /^MLmodel signature\.inputs is not JSON: /],
    [`{flavors: {}, signature: {outputs: '{"a": 1}'}}`, /^MLmodel signature\.outputs: /],
  ])('%j is a fault of the model', (text, message) => {
    expect(() => parseMlmodel(text)).toThrow(expect.objectContaining({ name: 'ModelFault' }));
    expect(() => parseMlmodel(text)).toThrow(message);
  });
});
