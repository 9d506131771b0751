import { keepNewest } from '../domain/keep-newest.ts';
import { sha256 } from '../domain/blocks.ts';
import { InputList, Manifest } from '../domain/plan.ts';
import { Receipt, receiptName } from '../domain/receipts.ts';
import { collect, readJson, writeJsonOnce } from '../storage/json-blobs.ts';
import type { Blobs } from '../storage/ports.ts';
import { JOBS_CONTAINER } from '../storage/registry/jobs.ts';

/** A manifest and the hash by which receipts name it. */
export interface Plan {
  readonly manifest: Manifest;
  readonly hash: string;
}

/** The input lists, manifests and receipts of jobs, in the app's own container. */
export interface JobFiles {
  /** Stores the list that a job with `listedInput` reads. The first one stands. */
  writeInput(job: string, list: InputList): Promise<void>;
  /** Throws when the job has no list. */
  input(job: string): Promise<InputList>;
  /** The first plan of a job stands; answers the one that is stored. */
  writePlan(manifest: Manifest): Promise<Plan>;
  /** Throws when the job has no plan. Cached: a plan never changes. */
  plan(job: string): Promise<Plan>;
  findPlan(job: string): Promise<Plan | undefined>;
  /** Answers the receipt's name. */
  writeReceipt(receipt: Receipt): Promise<string>;
  receipt(job: string, name: string): Promise<Receipt | undefined>;
}

/** Plans kept in memory: one slice after another asks for the same few. */
const PLANS_IN_MEMORY = 8;

export function jobFiles(blobs: Blobs): JobFiles {
  const cache = new Map<string, Plan>();
  const manifestRef = (job: string) => ({ container: JOBS_CONTAINER, name: `${job}/manifest.json` });
  const inputRef = (job: string) => ({ container: JOBS_CONTAINER, name: `${job}/input.json` });
  const receiptRef = (job: string, name: string) => ({
    container: JOBS_CONTAINER,
    name: `${job}/receipts/${name}.json`,
  });

  const findPlan = async (job: string): Promise<Plan | undefined> => {
    const known = cache.get(job);
    if (known) return known;
    const found = await blobs.read(manifestRef(job));
    if (!found) return undefined;
    const text = await collect(found.body);
    const read = { manifest: Manifest.parse(JSON.parse(new TextDecoder().decode(text))), hash: sha256(text) };
    keepNewest(cache, job, read, PLANS_IN_MEMORY);
    return read;
  };
  const plan = async (job: string): Promise<Plan> => {
    const found = await findPlan(job);
    if (!found) throw new Error(`job ${job} has no plan`);
    return found;
  };

  return {
    async writeInput(job, list) {
      await writeJsonOnce(blobs, inputRef(job), list);
    },
    async input(job) {
      const list = await readJson(blobs, inputRef(job), InputList);
      if (!list) throw new Error(`job ${job} has no list of its input`);
      return list;
    },
    plan,
    findPlan,
    async writePlan(manifest) {
      await writeJsonOnce(blobs, manifestRef(manifest.job), manifest);
      return plan(manifest.job);
    },
    async writeReceipt(receipt) {
      const name = receiptName(receipt);
      await writeJsonOnce(blobs, receiptRef(receipt.job, name), receipt);
      return name;
    },
    receipt: (job, name) => readJson(blobs, receiptRef(job, name), Receipt),
  };
}
