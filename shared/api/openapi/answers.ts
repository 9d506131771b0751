import { z } from 'zod';

/** What a route answers when it has done what was asked, by status. */
export type RouteAnswers = Readonly<Record<number, RouteAnswer>>;

export interface RouteAnswer {
  readonly description: string;
  /** Of what comes back: JSON of a schema, or text. Nothing comes back without. */
  readonly content?: z.ZodType | 'text/plain' | 'text/html';
}

/** Azure ML's error envelope (contract 3.4), the answer of every request that is refused. */
export const ErrorEnvelope = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    target: z.string().optional(),
    details: z.array(z.object({ code: z.string(), message: z.string(), target: z.string() })),
    additionalInfo: z.array(z.object({ type: z.string(), info: z.object({ value: z.unknown() }) })),
  }),
});

/** A resource as Azure Resource Manager shows it. */
export const Resource = z.looseObject({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  properties: z.looseObject({}),
});

/** A job of the workspace; without properties it is the child run of one (contract 3.5). */
const WorkspaceJob = Resource.extend({ properties: z.looseObject({}).nullable() });

const Page = z.object({ value: z.array(Resource), nextLink: z.string().nullable() });

export const Run = z.looseObject({ runId: z.string(), rootRunId: z.string(), status: z.string() });

const json = (content: z.ZodType, description = 'Done.'): RouteAnswer => ({ description, content });
const empty = (description: string): RouteAnswer => ({ description });

const ACCEPTED: RouteAnswer = json(z.null(), 'Done; the address of an operation that says so is in Location.');
const GONE = empty('There was none.');
const CREATED = json(Resource, 'Made.');
const FOUND = json(Resource, 'As it is.');
const CHANGED = json(Resource, 'As it is now.');
const PAGE = json(Page, 'A page of them.');
const LOG = { description: 'The log, or the range of it that was asked for.', content: 'text/plain' } as const;

/** What routes answer whose method and path do not tell. `~` is a workspace, or a location. */
const BY_NAME: Readonly<Record<string, RouteAnswers>> = {
  'GET /discovery': { 200: json(z.object({ api: z.string(), history: z.string() }), 'Where the other planes are.') },
  'GET /openapi.json': { 200: json(z.looseObject({ openapi: z.string() }), 'This document.') },
  'GET /logs/:job/*': { 200: LOG, 206: LOG },
  'GET /jobs/:job': { 200: { description: 'A page for people.', content: 'text/html' } },

  'GET ~': { 200: FOUND },
  'GET /endpoints/:endpoint/jobs/*': { 200: FOUND },
  'POST /endpoints/:endpoint/jobs/*': { 200: CHANGED },
  'DELETE ~/batchendpoints/:endpoint': { 202: ACCEPTED, 204: GONE },
  'DELETE ~/batchendpoints/:endpoint/deployments/:deployment': { 202: ACCEPTED, 204: GONE },
  'GET ~/jobs/:job': { 200: json(WorkspaceJob, 'As it is.') },
  // There are no keys, and jobs are kept: both are refused always.
  'POST ~/batchendpoints/:endpoint/listkeys': {},
  'DELETE ~/jobs/:job': {},
  'POST ~/jobs/:job/cancel': { 202: ACCEPTED },
  'POST ~/datastores/:name/listsecrets': { 200: json(z.looseObject({ secretsType: z.string() }), 'Good for an hour.') },
  'POST ~/computes/:name/listnodes': { 200: json(z.object({ nodes: z.array(z.unknown()), nextLink: z.null() })) },

  'GET ~/runs/:run': { 200: json(Run) },
  'PATCH ~/runs/:run': { 200: json(Run) },
  'PATCH ~/experiments/:experiment/runs/:run': { 200: json(Run) },
  'GET ~/runs/:run/details': {
    200: json(z.looseObject({ runId: z.string(), logFiles: z.record(z.string(), z.string()) })),
  },
  'GET ~/runs/:run/children': {
    200: json(z.object({ value: z.array(Run), continuationToken: z.null(), nextLink: z.null() })),
  },
  'GET ~/runs/:run/serviceinstances/:node': { 200: json(z.object({ instances: z.object({}) })) },
  'POST ~/rundata': {
    200: json(z.object({ runMetadata: Run, runDefinition: z.null(), jobSpecification: z.null() })),
  },
  'POST ~/dataversion/:operation': {
    200: json(z.object({ values: z.record(z.string(), z.object({ uri: z.string(), type: z.string() })) })),
  },

  'GET ~/mfeoperationsstatus/:id': {
    200: json(z.looseObject({ id: z.string(), name: z.string(), status: z.string() })),
  },
  'GET ~/mfeoperationresults/:id': { 200: empty('It has ended.'), 202: json(z.object({}), 'It goes on.') },
};

const PENDING_UPLOAD: RouteAnswers = {
  200: json(
    z.object({
      pendingUploadId: z.string(),
      pendingUploadType: z.string(),
      blobReferenceForConsumption: z.looseObject({
        blobUri: z.string(),
        credential: z.object({ credentialType: z.string(), sasUri: z.string() }),
      }),
    }),
    'Where to put the files, with a signature that is good for an hour.',
  ),
};

const short = (route: string): string => route.replace(/ .*\/(?:workspaces\/:workspace|locations\/:location)/, ' ~');

/** What a route of the table answers besides refusals. */
export function answersOf(route: string): RouteAnswers {
  const named = BY_NAME[short(route)];
  if (named) return named;
  if (route.endsWith('/startpendingupload')) return PENDING_UPLOAD;
  const [method = ''] = route.split(' ');
  const isOne = /\/:\w+$/.test(route);
  switch (method) {
    case 'GET':
      return { 200: isOne ? FOUND : PAGE };
    case 'PUT':
      return { 200: CHANGED, 201: CREATED };
    case 'PATCH':
      return { 200: CHANGED };
    case 'DELETE':
      return { 200: empty('Removed.'), 204: GONE };
    case 'POST':
      // The one thing that is made by POST.
      return { 201: json(Resource, 'The job was made, or it was already under this request id.') };
    default:
      throw new Error(`Nobody has written what ${route} answers.`);
  }
}

/** Whether a route answers pages of a list. */
export const isPaged = (route: string): boolean => answersOf(route)[200] === PAGE;
