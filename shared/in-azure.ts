import { z } from 'zod';

const mark = z.string().optional();

/**
 * Settings of which Azure makes at least one wherever it runs Functions (the host's EnvironmentExtensions.cs): App Service and
 * Premium plans the first, Flex Consumption the next three and never the first, Container Apps the last.
 */
export const azureMarks = {
  WEBSITE_INSTANCE_ID: mark,
  WEBSITE_POD_NAME: mark,
  LEGION_SERVICE_HOST: mark,
  WEBSITE_SKU: mark,
  MANAGED_ENVIRONMENT: mark,
};
const AzureMarks = z.object(azureMarks);

/** Whether the app runs in Azure, on any plan. */
export const isInAzure = (settings: z.infer<typeof AzureMarks>): boolean =>
  Object.values(AzureMarks.parse(settings)).some((value) => value !== undefined && value !== '');
