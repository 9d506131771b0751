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
  /** Of the host, which callers of these addresses have to bring. */
  readonly key?: string | undefined;
}

type Hub = Pick<HubAddress, 'origin' | 'hubName' | 'key'>;

/** A host without a key takes any. */
const codeOf = ({ key = 'local' }: Hub): string => `code=${encodeURIComponent(key)}`;

const query = (hub: Hub): string => `taskHub=${encodeURIComponent(hub.hubName)}&connection=Storage&${codeOf(hub)}`;

/** The management links of one instance. */
export function instanceLinks(hub: Hub, instanceId: string) {
  const instance = `${hub.origin}${webhookPath}/instances/${instanceId}`;
  const q = query(hub);
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
      createNewInstancePostUri: `${create}?${codeOf(hub)}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${codeOf(hub)}`,
    },
    managementUrls: {
      ...links,
      rewindPostUri: `${base}/instances/INSTANCEID/rewind?reason={text}&${query(hub)}`,
    },
    baseUrl: base,
    requiredQueryStringParameters: codeOf(hub),
    rpcBaseUrl: `${hub.rpcOrigin}${rpcPath}/${hub.key === undefined ? '' : `${encodeURIComponent(hub.key)}/`}`,
  });
}
