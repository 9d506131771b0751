import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { pythonEngine } from '../../shared/scoring/python/engine.ts';
import { engineOf, runScript, score, testFolder, writeFiles } from './scripts.ts';

describe('a scoring script', () => {
  it('finds its model, arguments, variables, folder and modules, and is started once', async () => {
    const codeFolder = await realpath(await testFolder());
    await writeFiles(codeFolder, {
      'scoring/driver.py': [
        'import os, sys',
        'import beside, below.deep',
        'starts = 0',
        'def init():',
        '    global starts, model',
        '    starts += 1',
        '    model = os.environ["AZUREML_MODEL_DIR"]',
        'def run(mini_batch):',
        '    return [[model, os.environ["COLOUR"], " ".join(sys.argv), os.getcwd(), beside.NAME, below.deep.NAME, starts, path]',
        '            for path in mini_batch]',
      ].join('\n'),
      'scoring/beside.py': 'NAME = "beside"',
      'below/deep.py': 'NAME = "deep"',
    });
    const engine = await pythonEngine({
      python: inject('python'),
      workers: 1,
      codeFolder,
      script: 'scoring/driver.py',
      modelFolder: '/models/m',
      environmentVariables: { COLOUR: 'blue' },
      loggingLevel: 'Warning',
      idleMs: 60_000,
    });
    try {
      await score(engine);
      const { text } = await score(engine, { files: ['x.csv'] });
      const argv = 'scoring/driver.py --logging_level WARNING';
      expect(text).toBe(`/models/m,blue,${argv},${codeFolder},beside,deep,1,/data/x.csv\n`);
    } finally {
      await engine.close();
    }
  });

  it('sees nothing of the environment of the app', async () => {
    process.env['BATCHPOINT_TEST_SECRET'] = 'secret';
    try {
      const engine = await engineOf(`import os\n${runScript('return sorted(os.environ)')}`);
      const { text } = await score(engine);
      // By the one it is found when it has left its group.
      expect(text.match(/BATCHPOINT\w*/g)).toEqual(['BATCHPOINT_PROCESS']);
    } finally {
      delete process.env['BATCHPOINT_TEST_SECRET'];
    }
  });

  it('prints to the log of its run, what it prints at its start to the first', async () => {
    const engine = await engineOf(
      [
        'import os, sys',
        'print("loading")',
        'def init(): print("init", file=sys.stderr)',
        'def run(files):',
        '    print("scoring", len(files))',
        '    os.write(1, b"no line end")',
        '    return files',
      ].join('\n'),
    );
    const first = (await score(engine, { files: ['a'] })).lines;
    expect(first.map(({ worker, stream, text }) => [worker, stream, text])).toEqual(
      expect.arrayContaining([
        [0, 'stdout', 'loading'],
        [0, 'stderr', 'init'],
        [0, 'stdout', 'scoring 1'],
        [0, 'stdout', 'no line end'],
      ]),
    );
    expect(first).toHaveLength(4);
    expect((await score(engine, { files: ['a', 'b'] })).lines.map(({ text }) => text)).toEqual([
      'scoring 2',
      'no line end',
    ]);
  });

  it('shows a progress bar as a terminal would, and cuts a line that is too long', async () => {
    const engine = await engineOf(
      runScript(String.raw`print("10%\r50%\r100%")` + '\n' + `print("é" * 10000)\nreturn files`),
    );
    const { lines } = await score(engine);
    expect(lines.map(({ text }) => text)).toEqual(['100%', `${'é'.repeat(4096)}…`]);
  });

  it('writes its own files, to a path that it may ask for once', async () => {
    const engine = await engineOf(
      [
        'import os',
        'def init():',
        '    global folder',
        '    folder = os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], "deep")',
        '    os.makedirs(folder)',
        'def run(files):',
        '    for path in files:',
        '        name = os.path.basename(path)',
        '        open(os.path.join(folder, name), "w").write("scored " + name)',
        '    if "bad" in path: raise ValueError("no")',
        '    return files',
      ].join('\n'),
    );
    const first = await score(engine, { files: ['a', 'b'], summaryOnly: true });
    expect(first).toMatchObject({
      text: '',
      columns: undefined,
      results: 2,
      items: ['/data/a', '/data/b'],
      written: { 'deep/a': 'scored a', 'deep/b': 'scored b' },
    });
    await expect(score(engine, { files: ['c', 'bad'], summaryOnly: true })).rejects.toThrow('ValueError: no');
    const third = await score(engine, { files: ['d'], summaryOnly: true });
    expect(third.written).toEqual({ 'deep/d': 'scored d' });
  });

  it('gets to clean up when its worker ends', async () => {
    const folder = await testFolder();
    const mark = join(folder, 'closed');
    const engine = await engineOf(
      `${runScript('return files')}\ndef shutdown():\n    open(${JSON.stringify(mark)}, "w")\n`,
    );
    await score(engine);
    await engine.close();
    await expect(realpath(mark)).resolves.toContain('closed');
  });
});
