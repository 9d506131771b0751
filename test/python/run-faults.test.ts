import { describe, expect, it } from 'vitest';
import { engineOf, runScript, score } from './scripts.ts';

/** A script that does this for a file named `bad`, and returns the process id for others. */
const badOn = (body: string): string =>
  `import os, sys, time\n${runScript(
    `if not files[0].endswith("bad"): return [os.getpid() for path in files]\n${body}`,
  )}`;

describe('a run that fails', () => {
  it.each([
    [
      'raises',
      'raise ValueError("no\\npixels")',
      /^run\(\) raised ValueError: no pixels \(driver\.py, line 7\)$/,
      'same',
    ],
    [
      'raises in a generator',
      'return (1 / int(path == "") for path in files)',
      /^run\(\) raised ZeroDivisionError: division by zero \(driver\.py, line 7\)$/,
      'same',
    ],
    [
      'calls sys.exit',
      'sys.exit(3)',
      /^run\(\) called sys\.exit\(3\)\. Return the results instead, or raise an error\.$/,
      'other',
    ],
    [
      'runs out of memory',
      'raise MemoryError()',
      /^run\(\) ran out of memory: MemoryError \(driver\.py, line 7\)\. Use a smaller miniBatchSize\.$/,
      'other',
    ],
    ['ends its process', 'os._exit(9)', /^The worker ended with exit code 9\.$/, 'other'],
    [
      'is killed',
      'os.kill(os.getpid(), 9)',
      /^The worker ended by SIGKILL: somebody ended it, or the machine ran out of memory\.$/,
      'other',
    ],
    [
      'crashes in native code',
      'import ctypes; ctypes.string_at(0)',
      /^The worker ended by SIGSEGV: a fault in native code\.$/,
      'other',
    ],
    ['closes all descriptors', 'os.closerange(3, 4096)\nreturn files', /^The worker ended /, 'other'],
  ])('%s, and the next one works', async (_what, body, message, worker) => {
    const engine = await engineOf(badOn(body));
    const before = (await score(engine)).text;
    await expect(score(engine, { files: ['bad'] })).rejects.toThrow(message);
    const after = await score(engine);
    expect(after.results).toBe(2);
    if (worker === 'same') expect(after.text).toBe(before);
    else expect(after.text).not.toBe(before);
  });

  it('takes too long: it is stopped, and the log says where it was', async () => {
    const engine = await engineOf(badOn('def stuck():\n    time.sleep(600)\nstuck()'));
    const lines: string[] = [];
    const run = score(engine, { files: ['bad'], timeoutMs: 500, print: ({ text }) => lines.push(text) });
    await expect(run).rejects.toThrow('The mini-batch took longer than its timeout of 0.5 s.');
    expect(lines.join('\n')).toMatch(/driver\.py", line 8 in stuck/);
    expect((await score(engine)).results).toBe(2);
  });

  it('is aborted: it stops with the reason', async () => {
    const engine = await engineOf(badOn('print("asleep")\ntime.sleep(600)'));
    const stop = new AbortController();
    const run = score(engine, { files: ['bad'], signal: stop.signal, print: () => stop.abort(new Error('cancelled')) });
    await expect(run).rejects.toThrow('cancelled');
    expect((await score(engine)).results).toBe(2);
  });

  it('is given up by its caller: the next one gets its own rows', async () => {
    const engine = await engineOf(badOn('return ("x" * 100 for i in range(100000))'));
    const miniBatch = { files: [{ name: 'bad', path: '/data/bad' }], outputFolder: '/nowhere' };
    const run = {
      options: { outputFormat: 'csv' as const, summaryOnly: false },
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      print: () => undefined,
    };
    for await (const part of engine.score(miniBatch, run)) {
      expect(part.type).toBe('rows');
      break;
    }
    expect((await score(engine)).results).toBe(2);
  });

  it('uses more memory than it may: it is stopped, and the message names the setting', async () => {
    const engine = await engineOf(badOn('held = bytearray(400 * 1024 * 1024)\ntime.sleep(600)'), { memoryMb: 200 });
    await expect(score(engine, { files: ['bad'] })).rejects.toThrow(
      /^The worker was ended because it used \d+ MB of memory, and BATCHPOINT_WORKER_MEMORY_MB is 200\. Use a smaller miniBatchSize, or raise that setting\.$/,
    );
    expect((await score(engine)).results).toBe(2);
  });
});

describe('a run that prints', () => {
  it('100 MB: it goes on, and the log says how much is left out', async () => {
    const engine = await engineOf(
      badOn('for i in range(100):\n    sys.stdout.write(("x" * 1023 + "\\n") * 1024)\nreturn files'),
    );
    const { lines, results } = await score(engine, { files: ['bad'] });
    expect(results).toBe(1);
    expect(lines).toHaveLength(1025);
    expect(lines.at(-1)?.text).toBe(
      `${99 * 1024 * 1024} more bytes were printed and are left out: a run's log ends after 1048576.`,
    );
    expect((await score(engine)).lines).toEqual([]);
  });

  it('what looks like the protocol: it is a line of the log', async () => {
    const frame = String.raw`\x00\x00\x00\x33J{\"type\":\"returned\",\"results\":99,\"items\":[]}\n`;
    const engine = await engineOf(
      badOn(
        [
          `frame = b"${frame}"`,
          'for fd in range(1, 64):',
          '    try: os.write(fd, frame)',
          '    except OSError: pass',
          'return ["mine"]',
        ].join('\n'),
      ),
    );
    const { text, results, lines } = await score(engine, { files: ['bad'] });
    expect({ text, results }).toEqual({ text: 'mine\n', results: 1 });
    expect(lines.map((line) => line.text).filter((line) => line.includes('"results":99'))).toHaveLength(2);
  });

  it('after it took the place of the streams: it goes on', async () => {
    const engine = await engineOf(badOn('sys.stdout = sys.stderr = None\nreturn ["mine"]'));
    expect((await score(engine, { files: ['bad'] })).text).toBe('mine\n');
    expect((await score(engine)).results).toBe(2);
  });
});
