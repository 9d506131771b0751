import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { MiniBatchEngine } from '../../shared/scoring/engine.ts';
import { pythonEngine } from '../../shared/scoring/python/engine.ts';
import { engineOf, runScript, score, testFolder, type ScoreSettings, type Scored } from './scripts.ts';

const IMPORTS = 'import datetime\nimport numpy as np\nimport pandas as pd\n';

/** One engine for all: importing pandas takes most of the time. What it runs is in a file named by the first file's name. */
let engine: MiniBatchEngine;

beforeAll(async () => {
  const codeFolder = await testFolder();
  const script = `${IMPORTS}import runpy\n${runScript('return runpy.run_path(files[0][6:])["run"](files[1:])')}`;
  await writeFile(join(codeFolder, 'driver.py'), script);
  engine = await pythonEngine({
    python: inject('python'),
    workers: 1,
    codeFolder,
    script: 'driver.py',
    modelFolder: codeFolder,
    environmentVariables: {},
    loggingLevel: 'Info',
    idleMs: 60_000,
  });
});

afterAll(() => engine.close());

/** What a `run` with this body gives. */
async function resultOf(body: string, settings: ScoreSettings = {}): Promise<Scored> {
  const path = join(await testFolder(), 'body.py');
  await writeFile(path, IMPORTS + runScript(body));
  return score(engine, { ...settings, files: [path, 'a.txt', 'b.txt'] });
}

describe('a numpy array', () => {
  it('is a column, or a row for each of its rows, with the digits of its type', async () => {
    expect(await resultOf('return np.array([0.1, 2.0, 1e-05, np.nan, np.inf], dtype=np.float32)')).toMatchObject({
      columns: ['prediction'],
      text: '0.1\n2\n0.00001\n\ninf\n',
      results: 5,
    });
    expect(await resultOf('return np.array([[0.1, 1.0], [1 / 3, 1e16]])')).toMatchObject({
      columns: ['0', '1'],
      text: '0.1,1\n0.3333333333333333,10000000000000000\n',
    });
    expect(await resultOf('return np.array([["a", "b,c"]])')).toMatchObject({ text: 'a,"b,c"\n' });
  });

  it('may be the row of a list, and its values cells', async () => {
    expect(await resultOf('return [np.array([1, 2]), np.array([3, 4])]')).toMatchObject({
      columns: ['0', '1'],
      text: '1,2\n3,4\n',
    });
    const cells = 'return [(np.float32(0.1), np.int64(3), np.bool_(True), np.datetime64("2026-01-02"), np.array(7))]';
    expect((await resultOf(cells)).text).toBe('0.1,3,true,2026-01-02,7\n');
  });

  it('of three dimensions is refused', async () => {
    await expect(resultOf('return np.zeros((2, 2, 2))')).rejects.toThrow(
      'run() returned an array of 3 dimensions. Return one of 1 dimension (a column) or 2 (rows and columns).',
    );
  });
});

describe('a DataFrame', () => {
  const MIXED = `return pd.DataFrame({
    "id": ["a", "b c", None], "n": [1, 2, 3], "p": [0.5, float("nan"), 1.0], "ok": [True, False, True],
    "at": pd.to_datetime(["2026-01-02", None, "2026-01-02 03:04:05"], format="ISO8601"), "maybe": pd.array([1, None, 3], dtype="Int64"),
    "kind": pd.Categorical(["x", "y", "x"])}, index=[7, 8, 9])`;

  it('has its column names and no index', async () => {
    expect(await resultOf(MIXED)).toMatchObject({
      columns: ['id', 'n', 'p', 'ok', 'at', 'maybe', 'kind'],
      results: 3,
      text: ['a,1,0.5,true,2026-01-02T00:00:00,1,x', 'b c,2,,false,,,y', ',3,1,true,2026-01-02T03:04:05,3,x', ''].join(
        '\n',
      ),
    });
  });

  it('as azureml is what pandas writes', async () => {
    const body = `frame = (${MIXED.replace('return ', '')})\nprint(repr(frame.to_csv(sep=" ", header=False, index=False)))`;
    const { text, lines, results } = await resultOf(`${body}\nreturn frame`, { outputFormat: 'azureml' });
    expect(results).toBe(3);
    expect(text).toBe(String(lines[0]?.text.slice(1, -1)).replaceAll('\\n', '\n'));
    expect(text).toContain('"b c" 2  False');
  });

  it('gives the columns that the output has', async () => {
    const body = 'return pd.DataFrame({"b": [1, 2], "a": [3, 4]})';
    const outputColumns = ['a', 'x', 'b'];
    expect(await resultOf(body, { outputColumns })).toMatchObject({ columns: outputColumns, text: '3,,1\n4,,2\n' });
    expect(await resultOf(body, { outputColumns, outputFormat: 'azureml' })).toMatchObject({
      text: '3  1\n4  2\n',
    });
  });

  it('of many rows comes whole and in order', async () => {
    const { text, results } = await resultOf('return pd.DataFrame({"i": range(100000), "s": "x" * 20})');
    expect(results).toBe(100_000);
    expect(text).toBe(Array.from({ length: 100_000 }, (_, i) => `${i},${'x'.repeat(20)}\n`).join(''));
  });

  it('without rows is no row; one for each file is all of their rows', async () => {
    expect(await resultOf('return pd.DataFrame({"a": []})')).toMatchObject({ text: '', results: 0 });
    expect(await resultOf('return (pd.DataFrame({"f": [path] * 2}) for path in files)')).toMatchObject({
      columns: ['f'],
      results: 4,
      text: '/data/a.txt\n/data/a.txt\n/data/b.txt\n/data/b.txt\n',
    });
  });

  it('is counted where only the summary counts', async () => {
    const body = 'return pd.DataFrame({"f": ["x", "y", "z"]})';
    expect(await resultOf(body, { summaryOnly: true })).toMatchObject({ results: 3, items: ['x', 'y', 'z'], text: '' });
  });

  it('says in which line of the script pandas refused something', async () => {
    const own = await engineOf(IMPORTS + runScript('return pd.to_datetime(["2026-01-02", "x"])'));
    await expect(score(own)).rejects.toThrow(/\(driver\.py, line 8\)$/);
  });

  it('may not hold lists or bytes', async () => {
    await expect(resultOf('return pd.DataFrame({"a": [1, 2], "b": ["x", [1]]})')).rejects.toThrow(
      'Column b in row 1 of what run() returned is a list inside a cell; flatten it, or make it text with json.dumps.',
    );
  });
});

describe('a Series', () => {
  it('is a column of its name', async () => {
    expect(await resultOf('return pd.Series([1.5, 2.0], name="score")')).toMatchObject({
      columns: ['score'],
      text: '1.5\n2\n',
    });
    expect(await resultOf('return pd.Series(["x", "y"])')).toMatchObject({ columns: ['prediction'], text: 'x\ny\n' });
  });
});
