import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../support/app.ts';
import { deployScript, ended, invoke, run, startPythonApp } from './python-app.ts';

let app: App;
beforeAll(async () => {
  app = await startPythonApp();
});
afterAll(() => app.stop());

const PRICES = `
import os
import pandas as pd

def init():
    global factor
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], os.environ["MODEL"], "factor.txt")) as file:
        factor = int(file.read())
    print("the factor is", factor)

def run(mini_batch):
    print("prices of", [os.path.basename(path) for path in mini_batch])
    tables = [pd.read_csv(path).assign(file=os.path.basename(path)) for path in mini_batch]
    table = pd.concat(tables)
    return table.assign(price=table["size"] * factor)[["file", "name", "price"]]
`;
const HOUSES = {
  'houses/a.csv': 'name,size\nvilla,300\n"tent, small",1.5\n',
  'houses/b.csv': 'name,size\n"the ""old"" mill",120\n',
  'houses/c.csv': 'name,size\nhut,\n',
};

describe('a scoring script that returns a DataFrame', () => {
  beforeAll(() => app.upload(HOUSES));

  it('gives its columns as the header, its rows in input order, and what it prints to the log', async () => {
    await deployScript(app, 'prices', PRICES, { miniBatchSize: 2, environmentVariables: { MODEL: 'prices' } });
    const { log, ...job } = await run(app, 'prices', 'houses');
    expect(job).toEqual({
      status: 'Completed',
      error: undefined,
      failures: [],
      output: 'file,name,price\na.csv,villa,600\na.csv,"tent, small",3\nb.csv,"the ""old"" mill",240\nc.csv,hut,\n',
    });
    const printed = log.split('\n').flatMap((line) => / worker \d std.*$/.exec(line)?.[0] ?? []);
    expect(printed).toEqual([
      ' worker 0 stdout: the factor is 2',
      " worker 0 stdout: prices of ['a.csv', 'b.csv']",
      " worker 0 stdout: prices of ['c.csv']",
    ]);
  });

  it('is written as Azure ML writes it with outputFormat azureml', async () => {
    await deployScript(app, 'as-azureml', PRICES, {
      miniBatchSize: 2,
      environmentVariables: { MODEL: 'as-azureml' },
      properties: { 'batchpoint.outputFormat': 'azureml' },
    });
    const { output } = await run(app, 'as-azureml', 'houses');
    expect(output).toBe('a.csv villa 600.0\na.csv "tent, small" 3.0\nb.csv "the ""old"" mill" 240.0\nc.csv hut \n');
  });
});

describe('a scoring script with summary_only', () => {
  it('leaves its own files as the output, and a list of the processed files', async () => {
    await deployScript(
      app,
      'summary',
      `
import os
import pandas as pd

def init():
    pass

def run(mini_batch):
    folder = os.environ["AZUREML_BI_OUTPUT_PATH"]
    for path in mini_batch:
        table = pd.read_csv(path)
        name = os.path.splitext(os.path.basename(path))[0]
        table.to_parquet(os.path.join(folder, name + ".parquet"))
        os.makedirs(os.path.join(folder, "sizes"), exist_ok=True)
        table[["size"]].to_csv(os.path.join(folder, "sizes", name + ".csv"), index=False)
    return mini_batch
`,
      { miniBatchSize: 1, outputAction: 'SummaryOnly', maxConcurrencyPerInstance: 2 },
    );
    await app.upload({ 'plots/a.csv': 'name,size\nfield,5\nwood,7\n', 'plots/b.csv': 'name,size\nlake,9\n' });
    const job = await invoke(app, 'summary', 'plots');
    expect(await ended(app, 'summary', job)).toMatchObject({ status: 'Completed', output: 'file\na.csv\nb.csv\n' });
    const score = `azureml/${job}/score`;
    const names: string[] = [];
    for await (const { name } of app.data.listBlobsFlat({ prefix: `${score}/` }))
      names.push(name.slice(score.length + 1));
    expect(names).toEqual(['a.parquet', 'b.parquet', 'predictions.csv', 'sizes/a.csv', 'sizes/b.csv']);
    expect(await app.text(`${score}/sizes/a.csv`)).toBe('size\n5\n7\n');
    const { buffer } = new Uint8Array(await app.data.getBlobClient(`${score}/a.parquet`).downloadToBuffer());
    expect(await parquetReadObjects({ file: buffer })).toEqual([
      { name: 'field', size: 5n },
      { name: 'wood', size: 7n },
    ]);
  });
});

/** Does what its files say. */
const OBEDIENT = `
import os, time

def init():
    pass

def run(mini_batch):
    rows = []
    for path in mini_batch:
        with open(path) as file:
            order = file.read()
        if order == "raise":
            raise ValueError("no such number")
        if order == "die":
            os._exit(7)
        if order == "sleep":
            time.sleep(600)
        if order == "print":
            print("x" * 1000000)
        rows.append(order)
    return rows
`;
const orders = (folder: string, all: readonly string[]) =>
  app.upload(Object.fromEntries(all.map((order, index) => [`${folder}/${index}.txt`, order])));

describe('a scoring script that fails', () => {
  it('on one file of ten fails that file alone', async () => {
    await deployScript(app, 'one-of-ten', OBEDIENT, { miniBatchSize: 10, retrySettings: { maxRetries: 2 } });
    await orders('ten', ['a', 'b', 'c', 'd', 'raise', 'f', 'g', 'h', 'i', 'j']);
    const { log, ...job } = await run(app, 'one-of-ten', 'ten');
    expect(job).toEqual({
      status: 'Completed',
      error: undefined,
      output: 'prediction\na\nb\nc\nd\nf\ng\nh\ni\nj\n',
      failures: [
        {
          file: '4.txt',
          code: 'ScoringFailed',
          reason: 'run() raised ValueError: no such number (score.py, line 13)',
          attempts: 3,
        },
      ],
    });
    expect(log).toContain('ValueError: no such number');
  });

  it('by ending its process, or by never ending, fails those files, and the next job works', async () => {
    const retrySettings = { maxRetries: 1, timeout: 'PT3S' };
    await deployScript(app, 'mortal', OBEDIENT, { miniBatchSize: 1, retrySettings });
    await orders('deadly', ['a', 'die', 'b', 'sleep', 'c']);
    const job = await run(app, 'mortal', 'deadly');
    expect(job).toMatchObject({
      status: 'Completed',
      output: 'prediction\na\nb\nc\n',
      failures: [
        { file: '1.txt', code: 'ScoringFailed', reason: 'The worker ended with exit code 7.', attempts: 1 },
        {
          file: '3.txt',
          code: 'Timeout',
          reason: 'The mini-batch took longer than its timeout of 3 s.',
          attempts: 1,
        },
      ],
    });
    await orders('only-deadly', ['die', 'sleep']);
    expect(await run(app, 'mortal', 'only-deadly')).toMatchObject({
      status: 'Failed',
      error: { message: expect.stringMatching(/no .*succeeded/i) as string },
      failures: [{ code: 'ScoringFailed' }, { code: 'Timeout' }],
    });
    await orders('harmless', ['x', 'y']);
    expect(await run(app, 'mortal', 'harmless')).toMatchObject({
      status: 'Completed',
      output: 'prediction\nx\ny\n',
      failures: [],
    });
  });

  it('in init() fails the job at once with one line, and another deployment works', async () => {
    await deployScript(
      app,
      'unready',
      'def init():\n    open("/no/weights")\n\ndef run(mini_batch):\n    return mini_batch\n',
    );
    await orders('any', ['a']);
    expect(await run(app, 'unready', 'any')).toMatchObject({
      status: 'Failed',
      error: {
        code: 'ScriptFailed',
        message:
          "init() raised FileNotFoundError: [Errno 2] No such file or directory: '/no/weights' (score.py, line 2).",
      },
      output: undefined,
    });
    await deployScript(app, 'ready', OBEDIENT);
    expect(await run(app, 'ready', 'any')).toMatchObject({ status: 'Completed', output: 'prediction\na\n' });
  });
});
