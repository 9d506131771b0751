import { sha256 } from '../../shared/domain/blocks.ts';
import type { PipelineSpec, PlannedStep, StepInput } from '../../shared/domain/pipeline/pipeline-job.ts';
import { parseDataUri } from '../../shared/domain/uri.ts';
import { uuidOf } from '../../shared/domain/uuid.ts';
import type { CommandOutcome, CommandRequest } from '../../shared/steps/pipeline/deps.ts';
import { endPipeline, failStep } from '../../shared/steps/pipeline/end-pipeline.ts';
import { viewPipeline, type PipelineView } from '../../shared/steps/pipeline/pipeline-view.ts';
import { runStep } from '../../shared/steps/pipeline/run-step.ts';
import type { ScoringStepDeps } from '../../shared/steps/pipeline/scoring-step.ts';
import type { Clock } from '../../shared/steps/ports.ts';
import { takePipeline } from '../../shared/steps/pipeline/take-pipeline.ts';
import { collect } from '../../shared/storage/json-blobs.ts';
import { pipelinesRegistry } from '../../shared/storage/registry/pipelines.ts';
import { messageOf } from '../../shared/domain/errors.ts';
import { uriRules } from '../../shared/steps/datastore-source.ts';
import { fakeOrchestrations } from './fake-orchestrations.ts';
import { jobWorld } from './job-world.ts';

/** A step of a test's graph: what it reads of which steps. */
export interface GraphStep {
  readonly after?: readonly string[];
  readonly inputs?: Readonly<Record<string, StepInput>>;
  readonly work?: PlannedStep['work'];
  readonly reusable?: boolean;
}

const EXECUTION = 'the-execution';

/**
 * Pipeline jobs over storage in memory. A command's text is what it writes to its output `out`, behind the texts of the places
 * that it read; `fail` exits 1, `crash` throws as a fault of the infrastructure does.
 */
export function pipelineWorld(options: { readonly twice?: () => boolean; readonly clock?: Clock } = {}) {
  const world = jobWorld(options.clock ? { clock: options.clock } : {});
  const runs: string[] = [];
  const staged = new Map<string, string>();
  /** What a test does while a step's command runs. */
  const during = new Map<string, (signal: AbortSignal) => Promise<void>>();

  const textAt = async (uri: string): Promise<string> => {
    const { container, path } = parseDataUri(uri, await uriRules(world.deps), 'input');
    let text = '';
    for await (const { name } of world.data.list(container, { prefix: path })) {
      const found = await world.data.read({ container, name });
      if (found) text += new TextDecoder().decode(await collect(found.body));
    }
    return text;
  };

  const execute = async (
    { step, attempt, inputs, print }: CommandRequest,
    signal: AbortSignal,
  ): Promise<CommandOutcome> => {
    runs.push(step.path);
    const command = step.work.kind === 'command' ? step.work.command : '';
    print(`running ${command}`);
    await during.get(step.path)?.(signal);
    const facts = { metrics: { steps: runs.length }, parameters: {} };
    if (signal.aborted) return { ok: false, facts, reason: { code: 'Canceled', message: messageOf(signal.reason) } };
    if (command === 'crash') throw new Error('the disk is gone');
    if (command === 'fail')
      return { ok: false, facts, reason: { code: 'ExitCode', message: 'The command ended with exit code 1.' } };
    const read = await Promise.all(
      Object.values(inputs).map(async (input) =>
        input.from === 'place' ? textAt(input.uri) : input.from === 'literal' ? input.value : '',
      ),
    );
    staged.set(attempt, `${read.join('')}${command};`);
    return { ok: true, facts };
  };

  const deps: ScoringStepDeps = {
    ...world.deps,
    pipelines: pipelinesRegistry({ table: world.table, blobs: world.system }),
    orchestrations: fakeOrchestrations(),
    appExtensions: {},
    maxTimeoutSeconds: 1720,
    executor: {
      execute,
      async commit(_job, step, attempt) {
        const text = staged.get(attempt);
        if (text === undefined) throw new Error(`nothing was staged by ${attempt}`);
        const { container, path } = parseDataUri(step.outputs['out']?.uri ?? '', await uriRules(world.deps), 'output');
        await world.data.write({ container, name: `${path}text` }, new TextEncoder().encode(text));
        return { out: sha256(text) };
      },
    },
  };

  const specOf = (
    name: string,
    graph: Readonly<Record<string, GraphStep>>,
    change: Partial<PipelineSpec> = {},
  ): PipelineSpec => {
    const entries = Object.entries(graph);
    return {
      ...{ name, displayName: name, experimentName: 'tests', description: null, tags: {}, properties: {} },
      ...{ endpoint: null, deployment: null, createdBy: 'tenant:me', requestHash: name, sent: {} },
      createdAt: new Date(world.deps.clock.now()).toISOString(),
      steps: entries.map(([path, { after = [], inputs = {}, work, reusable = true }]) => ({
        path,
        displayName: path,
        component: path,
        run: uuidOf(`${name}/${path}`),
        dependsOn: [...after],
        dependents: entries.filter(([, other]) => other.after?.includes(path)).map(([other]) => other),
        inputs: {
          ...inputs,
          ...Object.fromEntries(
            after.map((step) => [
              `from_${step}`,
              { from: 'step' as const, type: 'uri_folder' as const, step, output: 'out' },
            ]),
          ),
        },
        outputs: { out: { type: 'uri_folder', uri: `azureml://datastores/store/paths/azureml/${name}/${path}/out/` } },
        work: work ?? { kind: 'command', command: path, inputNames: [], environmentVariables: {} },
        reusable,
      })),
      outputs: Object.fromEntries(
        entries.slice(-1).map(([path]) => [
          'result',
          {
            type: 'uri_folder',
            uri: `azureml://datastores/store/paths/azureml/${name}/${path}/out/`,
            step: path,
            output: 'out',
          },
        ]),
      ),
      continueOnStepFailure: false,
      ...change,
    };
  };

  /** An activity, delivered twice at once where the test says so. */
  const activity = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!options.twice?.()) return work();
    const [first] = await Promise.all([work(), work()]);
    return first;
  };

  /** Plays the step's orchestrator. */
  const step = async (job: string, path: string): Promise<void> => {
    const input = { job, execution: EXECUTION, step: path };
    let next: readonly string[];
    try {
      const answer = await activity(() => runStep(deps, input));
      if (answer.state === 'scoring') throw new Error('play scoring steps yourself');
      ({ next } = answer);
    } catch (error) {
      const reason = { code: 'InfrastructureFailure', message: messageOf(error) };
      ({ next } = await activity(() => failStep(deps, { ...input, reason })));
    }
    await Promise.all(next.map((path) => step(job, path)));
  };

  return {
    ...world,
    deps,
    runs,
    during,
    textAt,
    specOf,
    async submit(
      name: string,
      graph: Readonly<Record<string, GraphStep>>,
      change?: Partial<PipelineSpec>,
    ): Promise<PipelineSpec> {
      await world.put({});
      return (await deps.pipelines.create(specOf(name, graph, change))).spec;
    },
    /** Plays the pipeline's orchestrator from its beginning to its end. */
    async run(name: string): Promise<PipelineView> {
      const input = { job: name, execution: EXECUTION };
      const { sources } = await activity(() => takePipeline(deps, input));
      await Promise.all(sources.map((path) => step(name, path)));
      await activity(() => endPipeline(deps, input));
      const view = await viewPipeline(deps, name);
      if (!view) throw new Error(`no pipeline ${name}`);
      return view;
    },
    step,
    take: (name: string) => takePipeline(deps, { job: name, execution: EXECUTION }),
    end: (name: string) => endPipeline(deps, { job: name, execution: EXECUTION }),
    log: async (run: string) => new TextDecoder().decode(await deps.logs.read(run)),
  };
}
