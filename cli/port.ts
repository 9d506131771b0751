import { createServer } from 'node:net';

/** Whether nobody listens on the port of the loopback address; for 0, always. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  server.close();
  return free;
}
