#!/bin/sh
# What the template cannot say: closes /admin, and lets the app's identity stand for its registration. azd runs it after each
# provision, with the outputs of infra/main.bicep in its environment. Repeating it changes nothing.
set -eu

: "${AZURE_RESOURCE_GROUP:?run this through azd provision}"
: "${AZURE_FUNCTION_APP_NAME:?run this through azd provision}"
: "${AZURE_TENANT_ID:?run this through azd provision}"
: "${BATCHPOINT_CLIENT_ID:?azd env set BATCHPOINT_CLIENT_ID to what infra/entra/register.sh printed}"
: "${BATCHPOINT_IDENTITY_PRINCIPAL_ID:?run this through azd provision}"

# The host's admin routes answer to nobody from outside then, not even with the master key. The verified module has no such parameter.
az resource update --output none \
  --resource-group "$AZURE_RESOURCE_GROUP" \
  --name "$AZURE_FUNCTION_APP_NAME" \
  --resource-type Microsoft.Web/sites \
  --set properties.functionsRuntimeAdminIsolationEnabled=true

# For jobs under the identity of their callers the app proves that it is the registration by its managed identity: no secret.
credential=batchpoint-managed-identity
if az ad app federated-credential show --id "$BATCHPOINT_CLIENT_ID" --federated-credential-id "$credential" >/dev/null 2>&1; then
  echo "The registration trusts the app's identity already."
else
  az ad app federated-credential create --output none --id "$BATCHPOINT_CLIENT_ID" --parameters "{
    \"name\": \"$credential\",
    \"issuer\": \"https://login.microsoftonline.com/$AZURE_TENANT_ID/v2.0\",
    \"subject\": \"$BATCHPOINT_IDENTITY_PRINCIPAL_ID\",
    \"audiences\": [\"api://AzureADTokenExchange\"]
  }"
  echo "The registration trusts the app's identity."
fi
