import type { Scorer } from '../domain/scorer.ts';
import type { Limits } from '../domain/limits.ts';
import type { Extensions } from '../domain/settings.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';
import type { DataGrant } from '../auth/data-grants.ts';
import type { VerifyToken } from '../auth/token-verifier.ts';
import type { Blobs } from '../storage/ports.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastores } from '../steps/datastore-source.ts';
import type { SignedUrls } from '../steps/signed-urls.ts';
import type { Delegations } from '../steps/identity/delegations.ts';
import type { AnyJobView } from '../steps/any-job.ts';
import type { Clock, Log, Orchestrations } from '../steps/ports.ts';

/** The workspace that this app plays. */
export interface Workspace extends WorkspaceAddress {
  readonly location: string;
  readonly workspaceId: string;
  readonly tenantId: string;
}

/** What the HTTP surface needs of the house. */
export interface ApiDeps {
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
  readonly pipelineOrchestrations: Orchestrations;
  readonly orchestrations: Orchestrations;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly datastores: Datastores;
  readonly delegations: Delegations;
  /** The app's own account: models, large documents, the signing key. */
  readonly systemBlobs: Blobs;
  readonly workspace: Workspace;
  /** Where clients reach this app, without a slash at the end. */
  baseUrl(request: Request): string;
  readonly limits: Limits;
  /** Absent: none are taken. */
  readonly signedUrls?: Pick<SignedUrls, 'check'>;
  readonly verifyToken: VerifyToken;
  /** Where a client signs in; absent with the development issuer. */
  readonly authorizationUri?: string;
  /** Proves that the scorer of a deployment can be used, as far as can be told in a moment. Throws ModelFault when it cannot. */
  prove(scorer: Scorer): Promise<void>;
  /** Of the setting BATCHPOINT_GRANTS. */
  readonly grants: readonly DataGrant[];
  /** BATCHPOINT_ALLOW_CODE: commands of pipelines may run. */
  readonly allowCode: boolean;
  /** Seconds that one try of a mini-batch may take, so that it ends within the host's functionTimeout. */
  readonly maxTimeoutSeconds: number;
  /** Throws ApiError 404, or 409 when the job has ended otherwise. */
  cancelJob(name: string): Promise<AnyJobView>;
  /** Throws ApiError 404, or 409 with the reason when nothing can be salvaged. */
  salvageJob(name: string): Promise<AnyJobView>;
  /** The app's own settings for what a deployment and an invocation leave open. */
  readonly appExtensions: Partial<Extensions>;
}
