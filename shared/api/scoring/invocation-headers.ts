/** Names the deployment of an invocation. */
export const DEPLOYMENT_HEADER = 'azureml-model-deployment';

/** The SDK's header (sic), the standard's, and the one that other clients know. */
export const REQUEST_ID_HEADERS = ['repeatability_request-id', 'repeatability-request-id', 'idempotency-key'] as const;
