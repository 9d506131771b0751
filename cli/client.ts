import { z } from 'zod';

const ErrorEnvelope = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const Job = z.object({
  name: z.string(),
  properties: z.object({
    status: z.string(),
    properties: z.record(z.string(), z.string()),
    outputData: z.record(z.string(), z.object({ uri: z.string() })).nullish(),
  }),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type Job = z.infer<typeof Job>;

/** An answer that was not a success, with the service's own words. */
export class RequestFailed extends Error {
  readonly status: number;
  constructor(method: string, url: string, status: number, message: string) {
    super(`${method} ${new URL(url).pathname}: ${status} ${message}`);
    this.name = 'RequestFailed';
    this.status = status;
  }
}

export interface Client {
  put(path: string, body: unknown): Promise<void>;
  invoke(endpoint: string, body: unknown): Promise<Job>;
  job(endpoint: string, name: string): Promise<Job>;
}

export interface Workspace {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspace: string;
}

/** Where management paths begin. */
export const workspacePath = ({ subscriptionId, resourceGroup, workspace }: Workspace): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;

/** A client of the app's HTTP surface, as any other program would be. Throws RequestFailed. */
export function client(url: string, workspace: Workspace, token: () => Promise<string>): Client {
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const address = `${url}${path}`;
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text === '' ? null : JSON.parse(text);
    throw new RequestFailed(method, address, response.status, errorText(text));
  };
  const jobs = (endpoint: string): string => `/endpoints/${endpoint}/jobs`;
  return {
    async put(path, body) {
      await send('PUT', `${workspacePath(workspace)}${path}?api-version=2024-04-01`, body);
    },
    invoke: async (endpoint, body) => Job.parse(await send('POST', jobs(endpoint), body)),
    job: async (endpoint, name) => Job.parse(await send('GET', `${jobs(endpoint)}/${name}`)),
  };
}

function errorText(body: string): string {
  try {
    return ErrorEnvelope.parse(JSON.parse(body)).error.message;
  } catch {
    return body.slice(0, 500);
  }
}
