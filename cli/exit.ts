/**
 * Runs a command: an error is one line and exit code 1; Ctrl-C aborts the signal, so that the command can stop what it started.
 */
export async function exitWith(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  try {
    await command(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) {
      process.exitCode = 130;
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
