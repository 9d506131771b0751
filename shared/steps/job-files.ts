import { sha256 } from '../domain/blocks.ts';
import { keepNewest, keepWithin } from '../domain/keep-newest.ts';
import { InputList, Manifest } from '../domain/plan.ts';
import { Receipt, receiptName } from '../domain/receipts.ts';
import { startOf } from '../domain/segments.ts';
import { collect, encodeJson, readJson, writeJsonOnce, writeOnce } from '../storage/json-blobs.ts';
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
  /** The first plan of a segment stands; answers the one that is stored. */
  writePlan(manifest: Manifest): Promise<Plan>;
  /** Of a segment, by default the first. Throws when the job has no such plan. Cached: a plan never changes. */
  plan(job: string, segment?: number): Promise<Plan>;
  findPlan(job: string, segment?: number): Promise<Plan | undefined>;
  /** Answers the receipt's name. */
  writeReceipt(receipt: Receipt): Promise<string>;
  receipt(job: string, name: string): Promise<Receipt | undefined>;
}

/** Files and mini-batches of the plans that are kept in memory, some 500 bytes each: one slice after another asks for the same few. */
const ENTRIES_IN_MEMORY = 60_000;

/** What a small plan counts beside them. */
const ENTRIES_OF_ANY = 500;

/** Receipts that this process wrote: the next slice of the lane asks for the last one, the fan-in for all. */
const RECEIPTS_IN_MEMORY = 500;
const SMALL_RECEIPT = 16 * 1024;

const entriesOf = ({ manifest }: Plan): number =>
  ENTRIES_OF_ANY + manifest.files.length + (manifest.miniBatches?.length ?? 0);

/** The first segment's name is that of a plan without segments. */
const manifestName = (segment: number): string =>
  segment === 0 ? 'manifest.json' : `manifest-${String(segment).padStart(5, '0')}.json`;

export function jobFiles(blobs: Blobs): JobFiles {
  const cache = new Map<string, Plan>();
  const receipts = new Map<string, Receipt>();
  const reading = new Map<string, Promise<Plan | undefined>>();
  const inputRef = (job: string) => ({ container: JOBS_CONTAINER, name: `${job}/input.json` });
  const receiptRef = (job: string, name: string) => ({
    container: JOBS_CONTAINER,
    name: `${job}/receipts/${name}.json`,
  });

  const keepPlan = (name: string, text: Uint8Array): Plan => {
    const plan = { manifest: Manifest.parse(JSON.parse(new TextDecoder().decode(text))), hash: sha256(text) };
    keepWithin(cache, name, plan, ENTRIES_IN_MEMORY, entriesOf);
    return plan;
  };
  const readPlan = async (name: string): Promise<Plan | undefined> => {
    const found = await blobs.read({ container: JOBS_CONTAINER, name });
    return found && keepPlan(name, await collect(found.body));
  };
  const findPlan = (job: string, segment = 0): Promise<Plan | undefined> => {
    const name = `${job}/${manifestName(segment)}`;
    const known = cache.get(name);
    if (known) return Promise.resolve(known);
    // The lanes of a segment begin together: one of them reads.
    const read = reading.get(name) ?? readPlan(name).finally(() => reading.delete(name));
    reading.set(name, read);
    return read;
  };
  const plan = async (job: string, segment = 0): Promise<Plan> => {
    const found = await findPlan(job, segment);
    if (!found) throw new Error(segment === 0 ? `job ${job} has no plan` : `job ${job} has no segment ${segment}`);
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
      const { segment } = startOf(manifest);
      const name = `${manifest.job}/${manifestName(segment)}`;
      const text = encodeJson(manifest);
      if (await writeOnce(blobs, { container: JOBS_CONTAINER, name }, text)) return keepPlan(name, text);
      const stored = await readPlan(name);
      if (!stored) throw new Error(`${name} is gone`);
      return stored;
    },
    async writeReceipt(receipt) {
      const name = receiptName(receipt);
      const text = encodeJson(receipt);
      const ref = receiptRef(receipt.job, name);
      if ((await writeOnce(blobs, ref, text)) && text.length <= SMALL_RECEIPT)
        keepNewest(receipts, ref.name, receipt, RECEIPTS_IN_MEMORY);
      return name;
    },
    async receipt(job, name) {
      const ref = receiptRef(job, name);
      return receipts.get(ref.name) ?? (await readJson(blobs, ref, Receipt));
    },
  };
}
