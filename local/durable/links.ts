/** The prefix of the Durable HTTP API on this host, for people and for the client's links. */
export const webhookPath = '/runtime/webhooks/durabletask';
/** The same API under the prefix that the client library calls. */
export const rpcPath = '/durabletask';

export interface HubAddress {
  /** http://localhost:7071 */
  readonly origin: string;
  /** Where the client library reaches the same API; plain HTTP also when `origin` is not, as the real host's own. */
  readonly rpcOrigin: string;
  readonly hubName: string;
}

function query(hubName: string): string {
  return `taskHub=${encodeURIComponent(hubName)}&connection=Storage&code=local`;
}

/** The management links of one instance. */
export function instanceLinks({ origin, hubName }: Pick<HubAddress, 'origin' | 'hubName'>, instanceId: string) {
  const instance = `${origin}${webhookPath}/instances/${instanceId}`;
  const q = query(hubName);
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${q}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${q}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${q}`,
    purgeHistoryDeleteUri: `${instance}?${q}`,
    restartPostUri: `${instance}/restart?${q}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${q}`,
    resumePostUri: `${instance}/resume?reason={text}&${q}`,
  };
}

/** The JSON that a `durableClient` binding receives (EXT BindingHelper). */
export function clientBinding(hub: HubAddress): string {
  const base = `${hub.origin}${webhookPath}`;
  const links = instanceLinks(hub, 'INSTANCEID');
  const create = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: hub.hubName,
    creationUrls: {
      createNewInstancePostUri: `${create}?code=local`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=local`,
    },
    managementUrls: {
      ...links,
      rewindPostUri: `${base}/instances/INSTANCEID/rewind?reason={text}&${query(hub.hubName)}`,
    },
    baseUrl: base,
    requiredQueryStringParameters: 'code=local',
    rpcBaseUrl: `${hub.rpcOrigin}${rpcPath}/`,
  });
}
