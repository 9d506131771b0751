#!/bin/sh
# Makes or updates the app registration whose tokens the app takes, and prints its client id:
#
#   infra/entra/register.sh [NAME]
#
# Needs az, signed in as somebody who may register applications. Who may call is given by infra/entra/assign-role.sh.
set -eu

name=${1:-batchpoint}
here=$(cd "$(dirname "$0")" && pwd)
graph=https://graph.microsoft.com/v1.0
azure_cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46

client_id=$(az ad app list --display-name "$name" --query "[?displayName=='$name'].appId | [0]" --output tsv)
if [ -z "$client_id" ]; then
  client_id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
object_id=$(az ad app show --id "$client_id" --query id --output tsv)

az rest --method PATCH --url "$graph/applications/$object_id" --body "@$here/registration.json" --output none
az ad app update --id "$client_id" --identifier-uris "api://$client_id" --output none

# az account get-access-token asks for our audience as the Azure CLI: without this each user would have to consent to it.
scope=$(az ad app show --id "$client_id" --query "api.oauth2PermissionScopes[?value=='user_impersonation'].id | [0]" --output tsv)
az rest --method PATCH --url "$graph/applications/$object_id" --output none --body "{
  \"api\": { \"preAuthorizedApplications\": [{ \"appId\": \"$azure_cli\", \"delegatedPermissionIds\": [\"$scope\"] }] }
}"

if ! az ad sp show --id "$client_id" --output none 2>/dev/null; then
  az ad sp create --id "$client_id" --output none
fi
# Entra gives tokens then only to whom a role was assigned; the app refuses the others anyway.
az ad sp update --id "$client_id" --set appRoleAssignmentRequired=true --output none

echo "$client_id"
