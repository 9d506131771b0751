import { z } from 'zod';
import { evaluate, type Flags } from './evaluate.ts';
import type { Template } from './templates.ts';

type Params = Readonly<Record<string, unknown>>;

const renamed = (params: Params, names: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [names[name] ?? name, value]));

const Subnets = z.array(z.looseObject({ name: z.string() }));
const Keys = z.array(z.looseObject({ name: z.string() }));

/** What a verified module makes of its parameters, by its own main.bicep: the part of it that checkov has rules for. */
const MADE: Readonly<Record<string, (params: Params) => readonly Params[]>> = {
  'storage/storage-account': (params) => [
    {
      type: 'Microsoft.Storage/storageAccounts',
      kind: 'StorageV2',
      sku: { name: params['skuName'] },
      properties: params,
    },
  ],
  'key-vault/vault': ({ sku, keys, ...params }) => [
    {
      type: 'Microsoft.KeyVault/vaults',
      properties: { ...params, sku: { name: sku, family: 'A' } },
    },
    ...Keys.parse(keys).map((key) => ({ type: 'Microsoft.KeyVault/vaults/keys', properties: key })),
  ],
  'web/serverfarm': ({ skuName, skuCapacity, kind, ...properties }) => [
    { type: 'Microsoft.Web/serverfarms', kind, sku: { name: skuName, capacity: skuCapacity }, properties },
  ],
  'web/site': ({ kind, ...properties }) => [
    { type: 'Microsoft.Web/sites', kind, identity: { type: 'UserAssigned' }, properties },
  ],
  'container-registry/registry': ({ acrSku, ...params }) => [
    {
      type: 'Microsoft.ContainerRegistry/registries',
      sku: { name: acrSku },
      properties: renamed(params, { acrAdminUserEnabled: 'adminUserEnabled' }),
    },
  ],
  'insights/component': (params) => [
    {
      type: 'Microsoft.Insights/components',
      properties: renamed(params, { disableLocalAuth: 'DisableLocalAuth' }),
    },
  ],
  'operational-insights/workspace': (params) => [
    { type: 'Microsoft.OperationalInsights/workspaces', properties: params },
  ],
  'network/virtual-network': ({ subnets, ...params }) => [
    {
      type: 'Microsoft.Network/virtualNetworks',
      properties: {
        ...params,
        subnets: Subnets.parse(subnets).map(({ name, ...properties }) => ({ name, properties })),
      },
    },
  ],
};

/** An ARM template of what the modules of some templates make, under one set of flags. */
export function armTemplate(templates: ReadonlyMap<string, Template>, flags: Flags): object {
  const resources = [...templates.values()].flatMap((template) =>
    Object.entries(template.modules).flatMap(([symbol, { source, params }]) => {
      const make = MADE[/^public:avm\/res\/(.+):/.exec(source)?.[1] ?? ''];
      const given = z.record(z.string(), z.unknown()).parse(evaluate(params, template, flags));
      return (make?.(given) ?? []).map((resource, index) => ({
        apiVersion: '2025-01-01',
        name: `${symbol}${index}`,
        ...resource,
      }));
    }),
  );
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    resources,
  };
}
