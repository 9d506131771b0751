import { badRequest } from '../../domain/errors.ts';
import { a } from '../../domain/pipeline/check-inputs.ts';
import type { PathType, StepOutput as AskedOutput } from '../../domain/pipeline/model.ts';
import { own } from '../../domain/pipeline/own.ts';
import type { PipelinePlan, PlannedStep } from '../../domain/pipeline/plan-pipeline.ts';
import type { StepOutput } from '../../domain/pipeline/pipeline-job.ts';
import { dataUri, type DataAddress } from '../../domain/uri.ts';
import type { Datastore } from '../deps.ts';
import { isFolder, MAX_OUTPUT_PATH, type PlaceDeps } from '../job-places.ts';
import { usablePlace, type DataUser } from '../usable-place.ts';
import { watchesInto } from '../watched-deployments.ts';

export interface OutputRequest {
  readonly job: string;
  readonly plan: PipelinePlan;
  /** Names of the runs of its steps, by their paths. */
  readonly runs: ReadonlyMap<string, string>;
  /** What the caller said of the job's outputs. */
  readonly given: Readonly<Record<string, AskedOutput>>;
  /** Who said that, and who wrote the pipeline. */
  readonly user: DataUser;
  readonly author: DataUser;
  /** Where outputs go that nobody placed. */
  readonly store: Datastore;
  /** What the paths of faults begin with: `properties.outputs`, and `properties` for the pipeline's own. */
  readonly target: string;
  readonly pipelineTarget: string;
}

/** Where each output of a step goes, by the step's path. */
export type OutputPlaces = ReadonlyMap<string, Readonly<Record<string, StepOutput>>>;

/** A place that somebody asked for, and the field that says so. */
interface Wish {
  readonly user: DataUser;
  readonly uri: string;
  readonly target: string;
}

/**
 * Places the outputs of all steps: where the caller said, or the pipeline itself; else `azureml/{job}/{output}/` for an output of
 * the job and `azureml/{run}/{output}/` for any other. Throws ApiError 400, 403 for a place that cannot be.
 */
export async function outputPlaces(deps: PlaceDeps, request: OutputRequest): Promise<OutputPlaces> {
  const taken = new Map<string, string>();
  const places = new Map<string, Record<string, StepOutput>>();
  for (const step of request.plan.steps) {
    const outputs: Record<string, StepOutput> = {};
    for (const [output, { type }] of Object.entries(step.outputs)) {
      const { address, target, isAsked } = await placeOf(deps, request, step, output);
      const key = `${address.datastore}/${address.path.replace(/\/$/, '')}`;
      const other = taken.get(key);
      if (other !== undefined) throw badRequest(`${target}: is the place of ${other}, too; give it another.`, target);
      taken.set(key, target);
      // Nobody may watch the default places of the default datastore.
      if (isAsked || address.datastore !== deps.datastores.default.address.name)
        await refuseWatched(deps, address, target);
      outputs[output] = { type, uri: dataUri(address) };
    }
    places.set(step.path, outputs);
  }
  return places;
}

async function placeOf(
  deps: PlaceDeps,
  request: OutputRequest,
  step: PlannedStep,
  output: string,
): Promise<{ address: DataAddress; target: string; isAsked: boolean }> {
  const planned = own(step.outputs, output);
  if (!planned) throw new Error(`step ${step.path} has no output ${output}`);
  const { type, jobOutputs, uri } = planned;
  const ownTarget = `${request.pipelineTarget}.jobs.${step.path.replaceAll('.', '.jobs.')}.outputs.${output}.uri`;
  const wishes: Wish[] = [
    ...jobOutputs.flatMap((name) => wishOf(request, name, type)),
    ...(uri === undefined ? [] : [{ uri, user: request.author, target: ownTarget }]),
  ];
  const [first, ...others] = await Promise.all(wishes.map((wish) => askedPlace(deps, wish, type)));
  for (const other of others)
    if (first && isOtherPlace(first.address, other.address))
      throw badRequest(`${other.target}: is the same output as ${first.target} and cannot go elsewhere.`, other.target);
  if (first) return { ...first, isAsked: true };
  const [name] = jobOutputs;
  const folder = name === undefined ? `azureml/${runOf(request, step)}/${output}` : `azureml/${request.job}/${name}`;
  const { name: datastore, container } = request.store.address;
  const path = type === 'uri_file' ? folder : `${folder}/`;
  return {
    address: { datastore, container, path },
    target: name === undefined ? ownTarget : `${request.target}.${name}`,
    isAsked: false,
  };
}

/** Throws ApiError 400 for an output that is asked for as another type than it has. */
function wishOf({ given, user, target }: OutputRequest, name: string, type: PathType): Wish[] {
  const asked = own(given, name);
  if (asked?.type !== undefined && (asked.type === 'uri_file') !== (type === 'uri_file'))
    throw badRequest(`${target}.${name}: is ${a(type)}, not ${a(asked.type)}.`, `${target}.${name}`);
  return asked?.uri === undefined ? [] : [{ uri: asked.uri, user, target: `${target}.${name}.uri` }];
}

async function askedPlace(deps: PlaceDeps, { uri, user, target }: Wish, type: PathType) {
  const extent = type === 'uri_file' ? 'file' : 'folder';
  const { path, ...store } = await usablePlace(deps, { access: 'write', uri, extent }, user, target);
  if (type === 'uri_file' && isFolder(path))
    throw badRequest(`${target}: is a folder, and the output is a uri_file; name the file.`, target);
  const full = type === 'uri_file' || isFolder(path) ? path : `${path}/`;
  if (full === '') throw badRequest(`${target}: is a whole datastore; name a folder in it.`, target);
  if (full.length > MAX_OUTPUT_PATH)
    throw badRequest(`${target}: an output path may have at most ${MAX_OUTPUT_PATH} characters.`, target);
  return { address: { ...store, path: full }, target };
}

const isOtherPlace = (one: DataAddress, other: DataAddress): boolean =>
  one.datastore !== other.datastore || one.path !== other.path;

function runOf({ runs }: OutputRequest, { path }: PlannedStep): string {
  const run = runs.get(path);
  if (run === undefined) throw new Error(`step ${path} has no run`);
  return run;
}

/** What is written to a watched folder starts jobs of its own. */
async function refuseWatched(deps: PlaceDeps, { datastore, path }: DataAddress, target: string): Promise<void> {
  const [watch] = await watchesInto(deps, datastore, path);
  if (watch)
    throw badRequest(
      `${target}: deployment '${watch.deployment}' of endpoint '${watch.endpoint}' scores what is written to '${watch.prefix}'; choose another place.`,
      target,
    );
}
