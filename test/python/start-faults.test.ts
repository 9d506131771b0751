import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { ModelFault, type PrintedLine } from '../../shared/scoring/engine.ts';
import { checkScript } from '../../shared/scoring/python/check-script.ts';
import { engineOf, runScript, testFolder } from './scripts.ts';

const GOOD = runScript('return files');

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelFault);
  return error instanceof ModelFault ? error.message : '';
}

describe('a script that cannot start', () => {
  it.each([
    ['has no run', 'def init(): pass', 'driver.py has no run(). A scoring script defines init() and run(mini_batch).'],
    [
      'has no init',
      'def run(files): return files',
      'driver.py has no init(). A scoring script defines init() and run(mini_batch).',
    ],
    [
      'raises in init',
      'def init():\n    open("/no/such/model")\ndef run(files): return files',
      "init() raised FileNotFoundError: [Errno 2] No such file or directory: '/no/such/model' (driver.py, line 2).",
    ],
    [
      'imports what is not installed',
      `import no_such_package\n${GOOD}`,
      "The scoring script raised ModuleNotFoundError: No module named 'no_such_package' (driver.py, line 1). Add it to the deployment's environment, or to the code folder.",
    ],
    [
      'ends itself',
      `import sys\nsys.exit("no licence")\n${GOOD}`,
      "The scoring script called sys.exit('no licence') while it started.",
    ],
    [
      'dies',
      `import os\nprint("about to die")\nos._exit(5)\n${GOOD}`,
      'The code could not be started. The worker ended with exit code 5. It printed last: about to die',
    ],
    [
      'dies of a fault in native code',
      `import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n${GOOD}`,
      'The code could not be started. The worker ended by SIGKILL: somebody ended it, or the machine ran out of memory.',
    ],
  ])('%s', async (_what, script, reason) => {
    expect(await reasonOf(engineOf(script))).toBe(reason);
  });

  it('leaves its traceback in the log', async () => {
    const lines: PrintedLine[] = [];
    const script = 'def init():\n    load()\ndef load():\n    raise KeyError("weights")\ndef run(files): return files';
    await reasonOf(engineOf(script, { print: (line) => lines.push(line) }));
    expect(lines.map(({ text }) => text.trim())).toEqual(
      expect.arrayContaining(['Traceback (most recent call last):', 'load()', "KeyError: 'weights'"]),
    );
    expect(lines.map(({ text }) => text).join('\n')).not.toContain('batchpoint_driver');
  });
});

describe('the check of a script', () => {
  async function checked(script: string, python = inject('python')): Promise<string> {
    const folder = await testFolder();
    await writeFile(join(folder, 'driver.py'), script);
    return reasonOf(checkScript(python, folder, 'driver.py'));
  }

  it('takes what defines init and run, in any way, without running it', async () => {
    const folder = await testFolder();
    const takes = async (script: string): Promise<void> => {
      await writeFile(join(folder, 'driver.py'), script);
      await expect(checkScript(inject('python'), folder, 'driver.py')).resolves.toBeUndefined();
    };
    await takes(`raise SystemExit\n${GOOD}`);
    await takes('from elsewhere import *');
    await takes('from elsewhere import start as init\nrun = lambda files: files');
  });

  it('names the line of a fault of syntax', async () => {
    expect(await checked('def init():\n    pass\ndef run(files)\n    return files')).toMatch(
      /^driver\.py, line 3: Python 3\.\d+ cannot read it: expected ':'\. Correct the line and upload the code again\.$/,
    );
  });

  it('names what is not defined', async () => {
    expect(await checked('def init(): pass')).toBe(
      'driver.py: it has no run(mini_batch). A scoring script defines init() and run(mini_batch).',
    );
  });

  it('names a file that is not there', async () => {
    expect(await reasonOf(checkScript(inject('python'), await testFolder(), 'driver.py'))).toBe(
      'The code has no file driver.py. Correct scoringScript, or upload the code with it.',
    );
  });

  it('names an interpreter that is not there, or is none, and the setting', async () => {
    const advice =
      'Set BATCHPOINT_PYTHON to an interpreter, or name one for the environment in BATCHPOINT_PYTHON_ENVIRONMENTS.';
    const missing = `There is no Python at '/no/python'. ${advice}`;
    expect(await checked(GOOD, '/no/python')).toBe(missing);
    expect(await reasonOf(engineOf(GOOD, { python: '/no/python' }))).toBe(missing);
    const text = join(await testFolder(), 'python');
    await writeFile(text, 'not a program');
    expect(await checked(GOOD, text)).toBe(`'${text}' may not be executed. ${advice}`);
  });
});
