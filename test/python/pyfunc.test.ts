import { gzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import {
  FileFault,
  ModelFault,
  type FileEngine,
  type RecordFailure,
  type ScoringOptions,
} from '../../shared/scoring/engine.ts';
import { pyfuncEngine } from '../../shared/scoring/python/pyfunc.ts';

/** What models.py made. */
let folder: string;
const engines = new Map<string, Promise<FileEngine>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-models-'));
  const script = fileURLToPath(new URL('./models.py', import.meta.url));
  execFileSync(inject('python'), [script, folder], { stdio: 'pipe' });
}, 300_000);

afterAll(async () => {
  for (const engine of await Promise.allSettled(engines.values())) {
    if (engine.status === 'fulfilled') await engine.value.close();
  }
  await rm(folder, { recursive: true, force: true });
});

const load = (modelFolder: string, python = inject('python')): Promise<FileEngine> =>
  pyfuncEngine({
    python,
    workers: 1,
    modelFolder,
    environmentVariables: {},
    loggingLevel: 'Warning',
    idleMs: 600_000,
  });

/** The engine of a model of models.py: loading one takes seconds. */
async function engineFor(model: string): Promise<FileEngine> {
  const engine = engines.get(model) ?? load(join(folder, model));
  engines.set(model, engine);
  return engine;
}

interface Scored {
  readonly text: string;
  readonly columns: readonly string[] | undefined;
  readonly failures: readonly RecordFailure[];
}

const OPTIONS: ScoringOptions = { outputFormat: 'csv', csvHeader: true, csvDelimiter: ',', missing: 'error' };

async function score(
  model: string,
  name: string,
  content: Uint8Array | string,
  options: Partial<ScoringOptions> = {},
): Promise<Scored> {
  const bytes = Buffer.from(content);
  const file = {
    name,
    length: bytes.length,
    body: (async function* () {
      yield bytes;
    })(),
    range: async (offset: number, count: number) => bytes.subarray(offset, offset + count),
  };
  const engine = await engineFor(model);
  const texts: string[] = [];
  const failures: RecordFailure[] = [];
  let columns: readonly string[] | undefined;
  for await (const part of engine.score(file, { ...OPTIONS, ...options }, new AbortController().signal)) {
    texts.push(Buffer.from(part.bytes).toString('utf8'));
    failures.push(...part.failures);
    columns = part.columns;
  }
  return { text: texts.join(''), columns, failures };
}

const made = (name: string): Promise<Buffer> => readFile(join(folder, name));
const expected = async (name: string): Promise<unknown[]> =>
  z.array(z.unknown()).parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
const numbersOf = (text: string): number[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(',').slice(2).map(Number));

describe('an MLflow model', () => {
  it.each(['iris.csv', 'iris.csv.gz', 'iris.jsonl', 'iris.parquet'])(
    'gives for %s what predict() gives',
    async (name) => {
      const { text, columns, failures } = await score('classifier', name, await made(name));
      expect({ columns, failures }).toEqual({ columns: ['predictions'], failures: [] });
      const values = await expected('classifier.json');
      expect(text).toBe(values.map((value, row) => `${name},${row},${String(value)}\n`).join(''));
    },
  );

  it('without a signature gets the columns of the file', async () => {
    const { text } = await score('unsigned', 'iris.csv', await made('iris.csv'));
    expect(numbersOf(text).flat()).toEqual(await expected('classifier.json'));
  });

  it('of several outputs has numbered columns', async () => {
    const { text, columns } = await score('several', 'iris.csv', await made('iris.csv'));
    expect(columns).toEqual(['0', '1']);
    expect(numbersOf(text)).toEqual(await expected('several.json'));
  });

  it('that takes a tensor gets the columns as a matrix', async () => {
    const { text } = await score('tensor', 'iris.csv', await made('iris.csv'));
    // The order in which a matrix is summed up depends on how it lies in memory.
    const rounded = (value: unknown): string => Number(value).toFixed(9);
    expect(numbersOf(text).flat().map(rounded)).toEqual((await expected('tensor.json')).map(rounded));
  });

  it('that names its outputs has their names, and types that its signature says', async () => {
    const scored = await score('named', 'x y.csv', 'n,other,text\n1,?,007\n2,?,"b c"\n');
    expect(scored).toMatchObject({ columns: ['label', 'twice'], text: 'x y.csv,0,007,2\nx y.csv,1,B C,4\n' });
    const azureml = await score('named', 'x y.csv', 'n,text\n1,a b\n', { outputFormat: 'azureml' });
    expect(azureml.text).toBe('"x y.csv" 0 "A B" 2\n');
  });

  it('reads files without a header in order, and other delimiters', async () => {
    const options = { csvHeader: false, csvDelimiter: ';' };
    expect((await score('named', 'a.csv', 'x;3\n', options)).text).toBe('a.csv,0,X,6\n');
  });

  it('has no row for a file without records', async () => {
    expect(await score('named', 'a.csv', '')).toEqual({ text: '', columns: undefined, failures: [] });
    expect((await score('named', 'a.csv', 'n,text\n')).text).toBe('');
    expect((await score('named', 'a.jsonl', '\n')).text).toBe('');
  });

  it('fails records by their row, and scores the others', async () => {
    const csv = await score('named', 'a.csv', 'n,text\n1,a\nmany,b\n,c\n1.5,d\n5,e\n');
    expect(csv).toEqual({
      columns: ['label', 'twice'],
      text: 'a.csv,0,A,2\na.csv,4,E,10\n',
      failures: [
        { row: 1, code: 'NotANumber', reason: "Column 'n' has 'many', expected a number." },
        { row: 2, code: 'MissingValue', reason: "Column 'n' has no value." },
        { row: 3, code: 'NotAnInteger', reason: "Column 'n' has '1.5', expected a whole number." },
      ],
    });
    const lines = ['{"n":1,"text":"a"}', '{', '[1,"b"]', '{"text":"c"}', '{"n":2,"text":"d"}'];
    const jsonl = await score('named', 'a.jsonl', lines.join('\n'));
    expect(jsonl.text).toBe('a.jsonl,0,A,2\na.jsonl,4,D,4\n');
    expect(jsonl.failures.map(({ row, line, code }) => [row, line, code])).toEqual([
      [1, 2, 'NotJson'],
      [2, 3, 'MixedRecords'],
      [3, 4, 'MissingValue'],
    ]);
  });

  it('may see a missing number as NaN', async () => {
    const text = 'sl,sw,pl,pw\n1,,1,1\n';
    await expect(score('classifier', 'a.csv', text, { missing: 'nan' })).rejects.toThrow(
      /^predict\(\) raised ValueError/,
    );
    expect((await score('classifier', 'a.csv', text)).failures).toHaveLength(1);
  });

  it.each([
    ['lacks a column', 'a.csv', 'text\na\n', 'MissingColumns', "The file lacks columns of the model: 'n'."],
    ['has a longer record', 'a.csv', 'n,text\n1,a\n1,a,3\n', 'NotCsv', /^The file cannot be read as CSV: .*line 3/],
    ['is not Parquet', 'a.parquet', 'n,text\n', 'NotParquet', /^The file cannot be read as Parquet: /],
    ['is not gzip', 'a.csv.gz', 'n,text\n', 'BadGzip', /^The file is not whole gzip data: /],
    [
      'unpacks to far more than its size',
      'a.csv.gz',
      gzipSync(Buffer.alloc(70e6)),
      'GzipBomb',
      /^The file unpacks to more/,
    ],
    ['is not text', 'a.csv', Buffer.from([0x6e, 0x0a, 0xff, 0x0a]), 'NotUtf8', 'The file is not UTF-8 text.'],
  ])('refuses a file that %s', async (_what, name, content, code, reason) => {
    const fault: unknown = await score('named', name, content).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(FileFault);
    expect(fault).toMatchObject({ code, message: expect.stringMatching(reason) as unknown });
  });
});

describe('a model that cannot be loaded', () => {
  async function reasonOf(promise: Promise<unknown>): Promise<string> {
    const fault: unknown = await promise.catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ModelFault);
    return fault instanceof ModelFault ? fault.message : '';
  }

  async function changed(change: (descriptor: string) => string): Promise<string> {
    const copy = join(folder, 'changed');
    await rm(copy, { recursive: true, force: true });
    await cp(join(folder, 'classifier'), copy, { recursive: true });
    const descriptor = await readFile(join(copy, 'MLmodel'), 'utf8');
    await writeFile(join(copy, 'MLmodel'), change(descriptor));
    return copy;
  }

  it('has no MLmodel', async () => {
    expect(await reasonOf(load(tmpdir()))).toBe(
      'The model has no file MLmodel. Register the folder that mlflow wrote, with all of its files.',
    );
  });

  it('names a file that is not there', async () => {
    const copy = await changed((text) => text.replaceAll('model.pkl', 'gone.pkl'));
    expect(await reasonOf(load(copy))).toBe(
      "MLmodel names gone.pkl, which is not among the model's files. Register the whole folder.",
    );
  });

  it('has no python_function flavour', async () => {
    const copy = await changed((text) => text.replace('python_function:', 'spark:'));
    expect(await reasonOf(load(copy))).toMatch(/^The model has no python_function flavour \(it has: .*spark.*\)\./);
  });

  it('is not what it says', async () => {
    const copy = await changed((text) => text);
    await writeFile(join(copy, 'model.pkl'), 'not a pickle');
    expect(await reasonOf(load(copy))).toMatch(/^The model cannot be loaded: UnpicklingError: /);
  });

  it('finds no mlflow in its environment', async () => {
    const bare = join(folder, 'bare');
    execFileSync(inject('python'), ['-m', 'venv', '--without-pip', bare]);
    expect(await reasonOf(load(join(folder, 'classifier'), join(bare, 'bin/python')))).toBe(
      "The environment cannot load MLflow models (No module named 'mlflow'). Add mlflow, or mlflow-skinny and pandas, to it.",
    );
  });
});
