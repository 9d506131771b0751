/** Of the storage service, as requests and signatures name it: the newest that Azurite knows, too. The SDK's own default is newer. */
export const SERVICE_VERSION = '2025-07-05';
