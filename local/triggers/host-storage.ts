/** The container of AzureWebJobsStorage in which the SDK keeps what it must remember: receipts, timers, locks. */
export const hostContainer = 'azure-webjobs-hosts';
