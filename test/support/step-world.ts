import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandComponent, InputPort } from '../../shared/domain/pipeline/model.ts';
import type { CommandLine } from '../../shared/pipeline/command-lines.ts';
import { commitStepOutputs } from '../../shared/steps/pipeline/commit-outputs.ts';
import {
  executeCommand,
  type ExecuteOutcome,
  type ExecuteRequest,
} from '../../shared/steps/pipeline/execute-command.ts';
import type { StepOutput } from '../../shared/steps/pipeline/collect-outputs.ts';
import type { StepDeps } from '../../shared/steps/pipeline/step-deps.ts';
import type { StepManifest } from '../../shared/steps/pipeline/step-manifest.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import type { Blobs } from '../../shared/storage/ports.ts';
import { JOBS_CONTAINER } from '../../shared/storage/registry/jobs.ts';
import { textOf } from './gather.ts';
import { silent } from './silent-log.ts';

export const CONTAINER = 'data';
export const STORE = 'store';

const QUARTER_HOUR = 900_000;

export type StepChange = Partial<Omit<ExecuteRequest, 'component'>> & { readonly signal?: AbortSignal };

export interface StepWorld {
  readonly deps: StepDeps;
  readonly data: Blobs;
  readonly system: Blobs;
  readonly lines: CommandLine[];
  put(files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a command whose declared inputs and outputs are those that it is given. */
  run(command: string, change?: StepChange): Promise<ExecuteOutcome>;
  commit(manifest: StepManifest): Promise<void>;
  /** Text of each blob that can be read, by name. */
  files(): Promise<Record<string, string>>;
  /** What is left in the work folder. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

/** A datastore and the app's own storage, in memory by default, and a work folder. */
export async function stepWorld(
  change: (deps: StepDeps) => Partial<StepDeps> = () => ({}),
  data: Blobs = memoryBlobs(),
): Promise<StepWorld> {
  const workFolder = await mkdtemp(join(tmpdir(), 'steps-'));
  await chmod(workFolder, 0o755);
  const system = memoryBlobs();
  await Promise.all([data.ensureContainer(CONTAINER), system.ensureContainer(JOBS_CONTAINER)]);
  const address = { name: STORE, account: 'account', container: CONTAINER, endpoint: 'https://account' };
  const plain: StepDeps = {
    systemBlobs: system,
    datastore: (name) => (name === STORE ? { address, blobs: data } : undefined),
    workFolder,
    environment: process.env,
    limits: { diskBytes: 100 * 1024 ** 2 },
    log: silent,
  };
  const deps: StepDeps = { ...plain, ...change(plain) };
  const lines: CommandLine[] = [];
  let attempts = 0;

  return {
    deps,
    data,
    system,
    lines,
    async put(files) {
      for (const [name, text] of Object.entries(files))
        await data.write({ container: CONTAINER, name }, Buffer.from(text));
    },
    run(command, { signal = new AbortController().signal, ...other } = {}) {
      const request: ExecuteRequest = {
        job: 'job',
        stepRun: 'step-run',
        attempt: `attempt-${++attempts}`,
        component: { command, ...portsOf(other) },
        values: {},
        environmentVariables: {},
        inputs: {},
        outputs: {},
        models: { datastore: STORE, container: CONTAINER, path: 'models' },
        timeoutMs: QUARTER_HOUR,
        print: (line) => lines.push(line),
        ...other,
      };
      return executeCommand(deps, request, signal);
    },
    commit: (manifest) => commitStepOutputs(deps, manifest),
    async files() {
      const texts: Record<string, string> = {};
      for await (const { name } of data.list(CONTAINER)) {
        const found = await data.read({ container: CONTAINER, name });
        if (found) texts[name] = await textOf(found.body);
      }
      return texts;
    },
    leftovers: () => readdir(workFolder),
    close: () => rm(workFolder, { recursive: true, force: true }),
  };
}

function portsOf({ inputs = {}, outputs = {}, values = {} }: StepChange): Pick<CommandComponent, 'inputs' | 'outputs'> {
  const ports: Record<string, InputPort> = {};
  for (const [name, { type }] of Object.entries(inputs)) ports[name] = { kind: 'path', type, optional: false };
  for (const name of Object.keys(values)) ports[name] = { kind: 'literal', type: 'string', optional: false };
  return {
    inputs: ports,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { type }]) => [name, { type }])),
  };
}

/** An output of the step that goes to a place of the datastore. */
export const output = (path: string, type: StepOutput['type'] = 'uri_folder'): StepOutput => ({
  type,
  place: { datastore: STORE, container: CONTAINER, path },
});
