import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../../shared/domain/blocks.ts';
import { NOTHING_TRACKED } from '../../../../shared/domain/step-tracking.ts';
import {
  outputVersions,
  readStepManifest,
  type StepManifest,
} from '../../../../shared/steps/pipeline/step-manifest.ts';
import { CONTAINER, output, stepWorld, type StepWorld } from '../../../support/step-world.ts';

let world: StepWorld;
beforeEach(async () => {
  world = await stepWorld();
});
afterEach(() => world.close());

/** Runs a step that must go well; its files are not committed. */
async function made(...[script, change]: Parameters<StepWorld['run']>): Promise<StepManifest> {
  const outcome = await world.run(script, change);
  if (!outcome.ok) throw new Error(outcome.reason.message);
  return outcome.manifest;
}

describe('a step', () => {
  it('without inputs and outputs leaves nothing but its manifest', async () => {
    expect(await world.run('true')).toEqual({
      ok: true,
      manifest: {
        job: 'job',
        stepRun: 'step-run',
        attempt: 'attempt-1',
        outputs: {},
        models: [],
        tracking: NOTHING_TRACKED,
      },
      tracking: NOTHING_TRACKED,
    });
    expect(await world.files()).toEqual({});
    expect(await world.leftovers()).toEqual([]);
  });

  it('shows its outputs when it is committed, and not before', async () => {
    const script =
      'mkdir "${{outputs.out}}/deep"; echo -n one > "${{outputs.out}}/a b"; echo -n two > "${{outputs.out}}/deep/ü"; : > "${{outputs.file}}"';
    const manifest = await made(script, {
      outputs: { out: output('res/out'), file: output('res/summary.json', 'uri_file') },
    });
    expect(await world.files()).toEqual({});
    expect(await readStepManifest(world.system, manifest)).toEqual(manifest);
    expect(manifest.outputs['out']?.files.map(({ blob, bytes, sha256: hash }) => ({ blob, bytes, hash }))).toEqual([
      { blob: 'res/out/a b', bytes: 3, hash: sha256('one') },
      { blob: 'res/out/deep/ü', bytes: 3, hash: sha256('two') },
    ]);
    await world.commit(manifest);
    expect(await world.files()).toEqual({ 'res/out/a b': 'one', 'res/out/deep/ü': 'two', 'res/summary.json': '' });
  });

  it('has outputs whose versions tell what they hold and not where they lie', async () => {
    const versions = async (text: string, place: string) =>
      outputVersions(await made(`echo ${text} > \${{outputs.out}}/a`, { outputs: { out: output(place) } }))['out'];
    const first = await versions('x', 'job-1/out');
    expect(await versions('x', 'another-job/out')).toBe(first);
    expect(await versions('y', 'job-1/out')).not.toBe(first);
  });

  it('uploads a file of many blocks and many files', async () => {
    const script =
      'head -c 9000000 /dev/zero > "${{outputs.out}}/big"; for i in $(seq 50); do echo $i > "${{outputs.out}}/$i"; done';
    const manifest = await made(script, { outputs: { out: output('res') } });
    await world.commit(manifest);
    const files = await world.files();
    expect(Object.keys(files)).toHaveLength(51);
    expect(files['res/big']).toBe('\0'.repeat(9_000_000));
    expect(files['res/37']).toBe('37\n');
    expect(manifest.outputs['out']?.files.find(({ blob }) => blob === 'res/big')?.blockIds).toHaveLength(3);
  });

  it('starts in a copy of its code that is its own', async () => {
    const code = await mkdtemp(join(tmpdir(), 'code-'));
    try {
      await mkdir(join(code, 'pkg'));
      await writeFile(join(code, 'pkg', 'run.sh'), 'echo "$(basename "$PWD")"; echo more >> pkg/run.sh', {
        mode: 0o555,
      });
      await made('pkg/run.sh && echo changed >> pkg/run.sh', { codeFolder: code });
      await made('cat pkg/run.sh', { codeFolder: code });
    } finally {
      await rm(code, { recursive: true });
    }
    expect(world.lines.map(({ text }) => text)).toEqual(['code', 'echo "$(basename "$PWD")"; echo more >> pkg/run.sh']);
  });

  it('finds the programs of its environment first, and its own home', async () => {
    await made('echo "${PATH%%:*}"; echo "$GREETING"; cd && touch here && cd "$TMPDIR"', {
      programs: '/opt/env/bin',
      environmentVariables: { GREETING: 'hello' },
    });
    expect(world.lines.map(({ text }) => text)).toEqual(['/opt/env/bin', 'hello']);
  });

  it('gets a literal as it is, whatever a shell would make of it', async () => {
    const text = `it's "$(touch /tmp/pwned)" \`id\` \\ $HOME; rm -rf *\n-- %s {a,b} ü`;
    const manifest = await made("printf %s ${{inputs.text}} > '${{outputs.out}}/text'", {
      values: { text },
      outputs: { out: output('out') },
    });
    await world.commit(manifest);
    expect(await world.files()).toEqual({ 'out/text': text });
  });

  it('fails when its command needs a value that it does not have', async () => {
    expect(await world.run('echo ${{inputs.text}}')).toMatchObject({
      ok: false,
      reason: { code: 'CommandNotFilledIn' },
    });
  });

  it('runs as the user of the settings, who owns its folder', async () => {
    await world.close();
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const codeUser = own.uid === 0 ? { uid: 54_321, gid: 54_321 } : own;
    world = await stepWorld(() => ({ codeUser }));
    await world.put({ 'in/a': 'x' });
    const address = { datastore: 'store', container: CONTAINER, path: 'in' };
    const manifest = await made('id -u; echo y >> "${{inputs.data}}/a"; cp "${{inputs.data}}/a" "${{outputs.out}}/a"', {
      inputs: { data: { from: 'datastore', type: 'uri_folder', address } },
      outputs: { out: output('out') },
    });
    await world.commit(manifest);
    expect(world.lines.map(({ text }) => text)).toEqual([String(codeUser.uid)]);
    expect(await world.files()).toEqual({ 'in/a': 'x', 'out/a': 'xy\n' });
  });

  it.each([
    ['exits 1', 'echo "no column" >&2; exit 1', 'CommandFailed', 'exit code 1. Its last lines: no column'],
    ['is killed', 'kill -KILL $$', 'CommandKilled', 'SIGKILL'],
    [
      'writes nothing to an output',
      'true',
      'BadOutput',
      "Output 'out': the command ended well and wrote nothing to it.",
    ],
    [
      'makes only folders',
      'mkdir "${{outputs.out}}/a"',
      'BadOutput',
      "Output 'out': the command ended well and wrote nothing to it.",
    ],
    [
      'removes its output',
      'rmdir "${{outputs.out}}"',
      'BadOutput',
      "Output 'out': the command ended well and wrote nothing to it.",
    ],
    ['writes beside its code', 'echo x > ../other', 'WroteOutside', "'../other'"],
    ['writes beside its folder', 'echo x > ../../other', 'WroteOutside', "'../../other'"],
    [
      'links out of its folder',
      'ln -s /etc/hostname "${{outputs.out}}/host"',
      'BadOutput',
      "Output 'out': 'host' leads out of the step's folder.",
    ],
    ['links a folder out', 'ln -s /etc "${{outputs.out}}/etc"', 'BadOutput', "'etc' leads out of the step's folder."],
    [
      'replaces its output by a link',
      'rmdir "${{outputs.out}}" && ln -s /etc "${{outputs.out}}"',
      'BadOutput',
      "it leads out of the step's folder.",
    ],
    ['links to nothing', 'ln -s nowhere "${{outputs.out}}/x"', 'BadOutput', "'x' is a link that leads nowhere."],
    ['links to itself', 'ln -s x "${{outputs.out}}/x"', 'BadOutput', "'x' is a link that leads nowhere."],
    ['links in a circle', 'ln -s . "${{outputs.out}}/x"', 'BadOutput', "'x' is a link to a folder that it lies in."],
    ['leaves a pipe', 'mkfifo "${{outputs.out}}/pipe"', 'BadOutput', "'pipe' is neither a file nor a folder."],
    [
      'uses a name that no blob has',
      'echo x > "${{outputs.out}}/a\\\\b"',
      'BadOutput',
      'holds a backslash or a control character.',
    ],
    [
      'uses a name that is not UTF-8',
      'echo x > "${{outputs.out}}/$(printf \'a\\377b\')"',
      'BadOutput',
      'has a name that is not UTF-8.',
    ],
  ])('fails when it %s, and nothing of it appears', async (_what, script, code, message) => {
    const outcome = await world.run(script, { outputs: { out: output('out') } });
    expect(outcome).toMatchObject({ ok: false, reason: { code } });
    expect(!outcome.ok && outcome.reason.message).toContain(message);
    expect(await world.files()).toEqual({});
    expect(await world.leftovers()).toEqual([]);
  });

  it('fails when it makes a folder of an output that is a file', async () => {
    expect(await world.run('mkdir "${{outputs.out}}"', { outputs: { out: output('out', 'uri_file') } })).toMatchObject({
      ok: false,
      reason: { code: 'BadOutput', message: "Output 'out': it is a folder, and its type is uri_file." },
    });
  });

  it('fails when two outputs write one file', async () => {
    const outputs = { one: output('out'), two: output('out') };
    expect(await world.run('echo 1 > "${{outputs.one}}/a"; echo 2 > "${{outputs.two}}/a"', { outputs })).toMatchObject({
      ok: false,
      reason: { code: 'BadOutput', message: "Outputs 'one' and 'two' both write 'out/a'." },
    });
  });

  it('keeps what a link within its folder leads to', async () => {
    const manifest = await made('echo -n x > "$TMPDIR/x"; ln -s "$TMPDIR/x" "${{outputs.out}}/link"', {
      outputs: { out: output('out') },
    });
    await world.commit(manifest);
    expect(await world.files()).toEqual({ 'out/link': 'x' });
  });

  it('ends when it is cancelled, with its folder', async () => {
    const cancel = new AbortController();
    const running = world.run('sleep 1000', { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 100);
    expect(await running).toMatchObject({
      ok: false,
      reason: { code: 'Cancelled', message: 'The step was cancelled.' },
    });
    expect(await world.leftovers()).toEqual([]);
  });
});
