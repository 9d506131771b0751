import { z } from 'zod';

const statusSchema = z.object({
  name: z.string(),
  instanceId: z.string(),
  runtimeStatus: z.string(),
  input: z.unknown(),
  customStatus: z.unknown(),
  output: z.unknown(),
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
  historyEvents: z.array(z.looseObject({ EventType: z.string() })).optional(),
});
export type Status = z.infer<typeof statusSchema>;

/** Talks to a host's Durable HTTP API, as any client would. */
export function durableClient(url: string) {
  const base = `${url}/runtime/webhooks/durabletask`;
  const post = (path: string, body?: unknown) =>
    fetch(`${base}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  async function get(instanceId: string, query = ''): Promise<{ code: number; status: Status }> {
    const response = await fetch(`${base}/instances/${instanceId}${query}`);
    return { code: response.status, status: statusSchema.parse(await response.json()) };
  }

  async function until(instanceId: string, accepted: (status: Status) => boolean): Promise<Status> {
    const deadline = Date.now() + 50_000;
    for (;;) {
      const { status } = await get(instanceId);
      if (accepted(status)) return status;
      if (Date.now() > deadline) throw new Error(`'${instanceId}' stays ${JSON.stringify(status)}.`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function start(name: string, input?: unknown, instanceId?: string): Promise<string> {
    const response = await post(`orchestrators/${name}${instanceId === undefined ? '' : `/${instanceId}`}`, input);
    const text = await response.text();
    if (response.status !== 202) throw new Error(`${response.status} ${text}`);
    return z.object({ id: z.string() }).parse(JSON.parse(text)).id;
  }

  return {
    post,
    get,
    start,
    until,
    finished: (instanceId: string): Promise<Status> =>
      until(instanceId, ({ runtimeStatus }) => ['Completed', 'Failed', 'Terminated'].includes(runtimeStatus)),
    /** Starts and waits for the end. */
    async run(name: string, input?: unknown): Promise<Status> {
      return this.finished(await start(name, input));
    },
    /** The fixture app's own Durable client, inside the host. */
    async viaLibrary(operation: string, name: string, options: unknown = {}): Promise<unknown> {
      const body = JSON.stringify(options);
      const response = await fetch(`${url}/client/${operation}/${name}`, { method: 'POST', body });
      return response.json();
    },
    async journal(): Promise<string[]> {
      return z.array(z.string()).parse(await (await fetch(`${url}/journal`)).json());
    },
  };
}
