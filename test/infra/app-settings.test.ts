import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { BLOB_EVENTS_QUEUE } from '../../shared/domain/queue-names.ts';
import { readSettings, SETTING_NAMES } from '../../shared/settings.ts';
import { trust } from '../../shared/token-issuers.ts';
import { objectOf, readTemplates, sourceOf, templateAt, type Template } from './templates.ts';

/** Read by the Functions host, its extensions or a library, and by nothing of ours. */
const OF_THE_HOST = [
  ...['queueServiceUri', 'tableServiceUri', 'credential', 'clientId'].map((name) => `AzureWebJobsStorage__${name}`),
  'APPLICATION_INSIGHTS_NO_STATSBEAT',
  'BATCHPOINT_STATE__credential',
  'BATCHPOINT_STATE__clientId',
];

let templates: ReadonlyMap<string, Template>;
let app: Template;
beforeAll(async () => {
  templates = readTemplates();
  app = templateAt(templates, 'modules/app.bicep');
});

const names = (): string[] => [
  ...Object.keys(objectOf(app, 'settings')),
  ...Object.keys(objectOf(app, 'flexSettings')),
];

const GUID = '00000000-0000-4000-8000-000000000001';
const ACCOUNT = 'https://stdata.blob.core.windows.net/';

/** What Azure makes of the template's expressions. */
const DEPLOYED: Readonly<Record<string, string>> = {
  AzureWebJobsStorage__blobServiceUri: 'https://ststate.blob.core.windows.net/',
  BATCHPOINT_STATE__blobServiceUri: 'https://ststate.blob.core.windows.net/',
  BATCHPOINT_STATE__queueServiceUri: 'https://ststate.queue.core.windows.net/',
  BATCHPOINT_STATE__tableServiceUri: 'https://ststate.table.core.windows.net/',
  AZURE_CLIENT_ID: GUID,
  BATCHPOINT_DATASTORES: JSON.stringify([
    { name: 'workspaceblobstore', connection: ACCOUNT, container: 'azureml-blobstore' },
  ]),
  BATCHPOINT_DATASTORE_ACCOUNTS: JSON.stringify([ACCOUNT]),
  BATCHPOINT_WORKSPACE: '{"subscriptionId":"s","resourceGroup":"r","workspace":"w","location":"l"}',
  BATCHPOINT_TENANT_ID: GUID,
  BATCHPOINT_CLIENT_ID: GUID,
  BATCHPOINT_AUDIENCES: '',
  BATCHPOINT_CLIENT_MANAGED_IDENTITY: GUID,
  BATCHPOINT_SEALING_KEY: 'https://kv.vault.azure.net/keys/batchpoint-sealing',
  BATCHPOINT_AUTHORITY: 'https://login.microsoftonline.com/',
  BATCHPOINT_ALLOW_CODE: 'False',
  BATCHPOINT_SWEEP_SCHEDULE: '0 */5 * * * *',
  APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=00000000-0000-4000-8000-000000000002',
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${GUID};Authorization=AAD`,
};

describe('the app settings of the template', () => {
  it('are settings that the app reads, or the host', () => {
    expect(
      names()
        .filter((name) => !SETTING_NAMES.includes(name))
        .sort(),
    ).toEqual([...OF_THE_HOST].sort());
  });

  it('are enough for the app to start in Azure, without a key, and with Entra ID alone', () => {
    expect(Object.keys(DEPLOYED).sort()).toEqual(
      names()
        .filter((name) => SETTING_NAMES.includes(name))
        .sort(),
    );
    const settings = readSettings({ ...DEPLOYED, WEBSITE_SKU: 'FlexConsumption' });
    const silent = () => undefined;
    const { tenantId } = trust(settings, { debug: silent, info: silent, warn: silent, error: silent });
    expect({ tenantId, inAzure: settings.inAzure, state: settings.state }).toEqual({
      tenantId: GUID,
      inAzure: true,
      state: {
        blob: 'https://ststate.blob.core.windows.net/',
        queue: 'https://ststate.queue.core.windows.net/',
        table: 'https://ststate.table.core.windows.net/',
      },
    });
  });

  it('name the datastore as the app reads it', () => {
    const written = JSON.stringify(objectOf(app, 'settings')['BATCHPOINT_DATASTORES']);
    expect(written).toContain(
      '[{"name":"workspaceblobstore","connection":"dataBlobEndpoint","container":"dataContainer"}]',
    );
  });

  it('leave out what Flex Consumption refuses', () => {
    const refused = ['FUNCTIONS_WORKER_RUNTIME', 'FUNCTIONS_EXTENSION_VERSION', 'WEBSITE_RUN_FROM_PACKAGE'];
    expect(names().filter((name) => refused.includes(name))).toEqual([]);
    expect(Object.keys(objectOf(app, 'containerSettings'))).toContain('FUNCTIONS_WORKER_RUNTIME');
  });

  it('leave the threads to the machine, which has one for each activity that the host starts', async () => {
    const Host = z.object({
      functionTimeout: z.string(),
      extensions: z.object({ durableTask: z.object({ maxConcurrentActivityFunctions: z.number() }) }),
    });
    const host = Host.parse(JSON.parse(await readFile(join(PROJECT, 'host.json'), 'utf8')));
    expect(names()).not.toContain('BATCHPOINT_SCORING_THREADS');
    const { BATCHPOINT_SCORING_THREADS: threads } = readSettings({ ...DEPLOYED, WEBSITE_SKU: 'FlexConsumption' });
    expect(threads).toBeGreaterThanOrEqual(host.extensions.durableTask.maxConcurrentActivityFunctions);
    // Both plans let a function run at least this long.
    expect(host.functionTimeout <= '00:30:00').toBe(true);
  });
});

describe('the image', () => {
  it('sets only what the app or the host reads', async () => {
    const lines = (await sourceOf('Dockerfile')).split('ENV ')[1]?.split('\n\n')[0] ?? '';
    const set = [...lines.matchAll(/(\w+)=/g)].map(([, name = '']) => name);
    expect(set.filter((name) => !SETTING_NAMES.includes(name))).toEqual([
      'AzureWebJobsScriptRoot',
      'AzureFunctionsJobHost__Logging__Console__IsEnabled',
    ]);
    expect(set).toContain('BATCHPOINT_CODE_USER');
  });
});

describe('events', () => {
  it('go to the queue that the app works off, from the calls that end a blob', async () => {
    const source = await sourceOf('modules/events.bicep');
    const docs = await readFile(join(PROJECT, 'docs/triggered-scoring.md'), 'utf8');
    expect(source).toContain(`queueName: '${BLOB_EVENTS_QUEUE}'`);
    expect(objectOf(templateAt(templates, 'modules/storage.bicep'), 'closed')).toMatchObject({
      bypass: 'AzureServices',
    });
    expect(templateAt(templates, 'modules/storage.bicep').variables['eventsQueue']?.value).toBe(BLOB_EVENTS_QUEUE);
    const Filter = z.object({ key: z.string(), values: z.array(z.string()) });
    const Subscription = z.object({
      config: z.object({
        filter: z.object({ includedEventTypes: z.array(z.string()), advancedFilters: z.array(Filter) }),
      }),
    });
    const { filter } = Subscription.parse(
      objectOf(templateAt(templates, 'modules/events.bicep'), 'subscriptions'),
    ).config;
    const [calls] = filter.advancedFilters;
    expect(
      [...filter.includedEventTypes, ...(calls?.values ?? [])].filter((name) => !docs.includes(`\`${name}\``)),
    ).toEqual([]);
    expect(calls?.key).toBe('data.api');
  });
});
